//! Environment variables and labels, from flags and from files.

use std::path::Path;

use super::Invalid;

/// A variable of `-e`: one without a value takes ours, or is removed if we have none.
pub fn variable(text: &str) -> Result<String, Invalid> {
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    if name.is_empty() {
        return Err(Invalid(format!("invalid environment variable: {text}")));
    }
    match (text.contains('='), std::env::var(name)) {
        (false, Ok(value)) => Ok(format!("{name}={value}")),
        _ => Ok(text.to_owned()),
    }
}

/// A label: `key` or `key=value`.
pub fn label(text: &str) -> Result<String, Invalid> {
    match text.split_once('=').map_or(text, |(key, _)| key) {
        "" => Err(Invalid(format!("invalid label '{text}': empty name"))),
        key if key.trim_start().contains(char::is_whitespace) => {
            Err(Invalid(format!("label '{key}' contains whitespaces")))
        }
        _ => Ok(text.to_owned()),
    }
}

/// The variables of a file of `--env-file`. One without a value takes ours, and is left out if
/// we have none.
pub fn variables_of(file: &str) -> Result<Vec<String>, Invalid> {
    let lines = lines_of(file)?;
    Ok(lines
        .into_iter()
        .filter_map(|line| complete(line, |name| std::env::var(name).ok()))
        .collect())
}

fn complete(line: String, lookup: impl Fn(&str) -> Option<String>) -> Option<String> {
    match line.contains('=') {
        true => Some(line),
        false => lookup(line.trim_end()).map(|value| format!("{}={value}", line.trim_end())),
    }
}

/// The labels of a file of `--label-file`.
pub fn labels_of(file: &str) -> Result<Vec<String>, Invalid> {
    lines_of(file)
}

/// No file of variables is longer than this.
const LONGEST: u64 = 16 << 20;

fn lines_of(file: &str) -> Result<Vec<String>, Invalid> {
    let size = std::fs::metadata(Path::new(file)).map_err(|e| unreadable(file, &e))?.len();
    if size > LONGEST {
        return Err(Invalid(format!("{file}: file is too large")));
    }
    let bytes = std::fs::read(file).map_err(|e| unreadable(file, &e))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Invalid(format!("env file {file} contains invalid utf8 bytes")))?;
    parse(&text).map_err(|problem| Invalid(format!("invalid environment file '{file}': {problem}")))
}

fn parse(text: &str) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for line in text.trim_start_matches('\u{FEFF}').lines() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let name = line.split_once('=').map_or(line, |(name, _)| name);
        if name.is_empty() {
            return Err(format!("no variable name on line '{line}'"));
        }
        if name.trim_end().contains(char::is_whitespace)
            || (line.contains('=') && name.ends_with(char::is_whitespace))
        {
            return Err(format!("variable '{name}' contains whitespaces"));
        }
        lines.push(line.to_owned());
    }
    Ok(lines)
}

/// Go's words for a file that cannot be opened.
pub fn unreadable(file: &str, error: &std::io::Error) -> Invalid {
    let why = match error.raw_os_error() {
        Some(code) => rustix::io::Errno::from_raw_os_error(code).to_string(),
        None => error.to_string(),
    };
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => why,
    };
    Invalid(format!("open {file}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_names() {
        assert_eq!(variable("A=b=c").unwrap(), "A=b=c");
        assert_eq!(variable("HAWSER_NO_SUCH").unwrap(), "HAWSER_NO_SUCH");
        assert!(variable("PATH").unwrap().starts_with("PATH="));
        assert_eq!(variable("=x").unwrap_err().to_string(), "invalid environment variable: =x");
        assert!(label("=x").is_err());
        assert_eq!(label("a b=c").unwrap_err().to_string(), "label 'a b' contains whitespaces");
    }

    #[test]
    fn files_have_comments_and_blanks() {
        assert_eq!(parse("\u{FEFF}# c\n\n A=b c \nB\n").unwrap(), ["A=b c ", "B"]);
        assert_eq!(parse("=x").unwrap_err(), "no variable name on line '=x'");
        assert_eq!(parse("A B=x").unwrap_err(), "variable 'A B' contains whitespaces");
    }

    #[test]
    fn names_without_values_are_completed_or_left_out() {
        let lookup = |name: &str| (name == "A").then(|| "1".to_owned());
        assert_eq!(complete("A".into(), lookup), Some("A=1".into()));
        assert_eq!(complete("B".into(), lookup), None);
        assert_eq!(complete("B=".into(), lookup), Some("B=".into()));
    }

    #[test]
    fn a_missing_file_is_named() {
        assert_eq!(
            variables_of("/nosuch").unwrap_err().to_string(),
            "open /nosuch: no such file or directory"
        );
    }
}
