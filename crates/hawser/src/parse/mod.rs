//! The values of flags: what docker's client reads, with its error messages.
//!
//! In: text from the command line and the files it names. Out: values, mostly as the JSON that
//! the API takes. Not here: which flag takes what (see `container::options`).

pub mod device;
pub mod endpoint;
pub mod env;
pub mod filter;
pub mod flags;
pub mod mount;
pub mod port;
pub mod process;
pub mod quantity;
pub mod reference;
pub mod ulimit;
pub mod volume;

use thiserror::Error;

/// A value that cannot be used; displays as docker's client says it.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    /// From any message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// The fields of a line of comma-separated values, quotes resolved as CSV has them.
pub fn csv(line: &str) -> Result<Vec<String>, Invalid> {
    let mut fields = vec![String::new()];
    let mut rest = line.chars().peekable();
    let mut quoted = false;
    while let Some(c) = rest.next() {
        let at_start = fields.last().is_some_and(String::is_empty);
        match c {
            '"' if quoted && rest.next_if_eq(&'"').is_some() => push(&mut fields, '"'),
            '"' if quoted => quoted = false,
            '"' if at_start => quoted = true,
            '"' => {
                return Err(Invalid::new(format!(
                    "parse error: bare \" in non-quoted field: {line}"
                )));
            }
            ',' if !quoted => fields.push(String::new()),
            c => push(&mut fields, c),
        }
    }
    match quoted {
        true => Err(Invalid::new(format!(
            "parse error: extraneous or missing \" in quoted-field: {line}"
        ))),
        false => Ok(fields),
    }
}

fn push(fields: &mut [String], c: char) {
    if let Some(last) = fields.last_mut() {
        last.push(c);
    }
}

/// Go's words for a number that is none.
pub fn bad_number(function: &str, text: &str) -> String {
    format!("strconv.{function}: parsing {text:?}: invalid syntax")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_comma_separated_values() {
        assert_eq!(csv("a,b=c").unwrap(), ["a", "b=c"]);
        assert_eq!(csv(r#""a,b",c,"d""e""#).unwrap(), ["a,b", "c", "d\"e"]);
        assert!(csv(r#""a"#).is_err());
        assert!(csv(r#"a"b"#).is_err());
    }
}
