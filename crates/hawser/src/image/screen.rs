//! Progress of layers as it is drawn: a line for each layer, changed in place.
//!
//! In: the lines of a pull or push. Out: text on a terminal, or (elsewhere) each state once.

use serde_json::Value;

use crate::output::{self, human};
use crate::terminal::{self, size};

/// Width of everything on a line but the bar.
const REST: usize = 60;
const WIDEST: usize = 50;

/// Which stream is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What is drawn on.
pub struct Screen {
    stream: Stream,
    /// Columns of the terminal, if it is one.
    columns: Option<usize>,
    /// The layers whose lines are the last ones.
    rows: Vec<String>,
}

impl Screen {
    /// A screen on which nothing was drawn.
    pub fn new(stream: Stream) -> Self {
        let is_terminal = match stream {
            Stream::Out => terminal::stdout_is_terminal(),
            Stream::Err => rustix::termios::isatty(rustix::stdio::stderr()),
        };
        let columns = size::current().map_or(80, |(_, columns)| usize::from(columns));
        Self { stream, columns: is_terminal.then_some(columns), rows: Vec::new() }
    }

    /// Draws a line of progress.
    pub fn draw(&mut self, line: &Value) {
        if let Some(text) = self.text(line) {
            match self.stream {
                Stream::Out => output::print(&text),
                Stream::Err => output::write_to(&mut std::io::stderr().lock(), text.as_bytes()),
            }
        }
    }

    fn text(&mut self, line: &Value) -> Option<String> {
        let status = line["status"].as_str()?;
        let id = line["id"].as_str().unwrap_or_default();
        let bytes = &line["progressDetail"];
        let (current, total) = (bytes["current"].as_i64(), bytes["total"].as_i64());
        let Some(columns) = self.columns else {
            // Elsewhere only what does not change all the time.
            let prefix = if id.is_empty() { String::new() } else { format!("{id}: ") };
            return current.is_none().then(|| format!("{prefix}{status}\n"));
        };
        if bytes.is_null() || id.is_empty() {
            self.rows.clear();
            let prefix = if id.is_empty() { String::new() } else { format!("{id}: ") };
            return Some(format!("{prefix}{status}\n"));
        }
        let detail = current.map_or_else(String::new, |current| bar(current, total, columns));
        Some(self.in_place(id, &format!("{id}: {status} {detail}")))
    }

    /// Goes up to the layer's line, writes it anew, and comes back.
    fn in_place(&mut self, id: &str, text: &str) -> String {
        let known = self.rows.iter().position(|row| row == id);
        let (start, up) = match known {
            Some(row) => ("", self.rows.len() - row),
            None => {
                self.rows.push(id.to_owned());
                ("\n", 1)
            }
        };
        format!("{start}\x1b[{up}A\x1b[2K\r{text}\r\x1b[{up}B")
    }
}

fn bar(current: i64, total: Option<i64>, columns: usize) -> String {
    let done = human::size(current, 4);
    let Some(total) = total.filter(|total| *total > 0) else { return done };
    let width = columns.saturating_sub(REST).min(WIDEST);
    let sizes = format!("{done}/{}", human::size(total, 4));
    if width < 5 {
        return sizes;
    }
    let share = current.clamp(0, total) as f64 / total as f64;
    #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "0 to 50")]
    let filled = (share * width as f64) as usize;
    let head = if filled < width { ">" } else { "" };
    format!("[{:<width$}]  {sizes}", format!("{}{head}", "=".repeat(filled)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn screen(columns: Option<usize>) -> Screen {
        Screen { stream: Stream::Out, columns, rows: Vec::new() }
    }

    fn layer(id: &str, status: &str) -> Value {
        json!({"id": id, "status": status, "progressDetail": {}})
    }

    #[test]
    fn lines_are_written_in_place_on_terminals() {
        let mut screen = screen(Some(80));
        let pulling = json!({"id": "latest", "status": "Pulling from x"});
        assert_eq!(screen.text(&pulling).unwrap(), "latest: Pulling from x\n");
        assert_eq!(
            screen.text(&layer("a", "Waiting")).unwrap(),
            "\n\x1b[1A\x1b[2K\ra: Waiting \r\x1b[1B"
        );
        screen.text(&layer("b", "Waiting"));
        let mut down = layer("a", "Downloading");
        down["progressDetail"] = json!({"current": 1000, "total": 2000});
        let text = screen.text(&down).unwrap();
        assert!(text.starts_with("\x1b[2A"), "{text:?}");
        assert!(text.contains("[==========>         ]  1kB/2kB"), "{text:?}");
        assert_eq!(screen.text(&json!({"status": "Digest: x"})).unwrap(), "Digest: x\n");
    }

    #[test]
    fn elsewhere_states_are_told_once() {
        let mut screen = screen(None);
        assert_eq!(screen.text(&layer("a", "Waiting")).unwrap(), "a: Waiting\n");
        let bytes = json!({"id": "a", "status": "Downloading", "progressDetail": {"current": 1}});
        assert_eq!(screen.text(&bytes), None);
        assert_eq!(screen.text(&json!({"aux": {}})), None);
    }
}
