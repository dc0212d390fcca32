//! How things are shown: tables, templates, sizes and times as docker's client writes them.
//!
//! In: values. Out: text. What is listed, and in which columns, is each command's.

pub mod human;
pub mod listing;
pub mod natural;
pub mod ports;
pub mod table;

use std::io::{self, BufRead, Write};

/// Writes to the standard output.
///
/// A reader that went away (`hawser ps | head -1`) ends the program quietly: there is nobody
/// left to tell.
pub fn print(text: &str) {
    write_to(&mut io::stdout().lock(), text.as_bytes());
}

/// Writes a line to the standard output.
pub fn println(text: &str) {
    print(&format!("{text}\n"));
}

/// Writes a line to the standard error.
pub fn complain(text: &str) {
    write_to(&mut io::stderr().lock(), format!("{text}\n").as_bytes());
}

/// Writes the commands of an answer about what would change, one to a line.
pub fn commands(answer: &serde_json::Value) {
    for command in answer["Commands"].as_array().into_iter().flatten() {
        println(command.as_str().unwrap_or_default());
    }
}

/// Writes bytes to a standard stream; see [`print`].
pub fn write_to(stream: &mut impl Write, bytes: &[u8]) {
    if stream.write_all(bytes).and_then(|()| stream.flush()).is_err() {
        crate::terminal::restore();
        std::process::exit(1);
    }
}

/// Asks whether to go on after a warning.
pub fn confirmed(warning: &str) -> io::Result<bool> {
    print(&format!("{warning}\nAre you sure you want to continue? [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}

/// The first twelve digits of an id, without the name of its algorithm.
pub fn short_id(id: &str) -> String {
    let id = id.split_once(':').map_or(id, |(_, digest)| digest);
    id.chars().take(12).collect()
}

/// Cuts `text` to `width` characters, the last of which then is an ellipsis.
pub fn ellipsis(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens() {
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
        assert_eq!(short_id("abc"), "abc");
        assert_eq!(ellipsis("abc", 3), "abc");
        assert_eq!(ellipsis("abcd", 3), "ab…");
    }
}
