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
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(line, quoted)?,
            None => plain_field(line, rest)?,
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(fields),
        }
    }
}

/// A field of `line` that `rest` begins with, and what comes after it.
fn plain_field<'a>(line: &str, rest: &'a str) -> Result<(String, &'a str), Invalid> {
    let (field, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
    match field.find('"') {
        Some(at) => Err(bad_csv(line, &rest[at..], "bare \" in non-quoted-field")),
        None => Ok((field.to_owned(), after)),
    }
}

/// The same for a field in quotes, of which the first is taken off already.
fn quoted_field<'a>(line: &str, mut rest: &'a str) -> Result<(String, &'a str), Invalid> {
    const WRONG: &str = "extraneous or missing \" in quoted-field";
    let mut field = String::new();
    loop {
        let Some((text, after)) = rest.split_once('"') else {
            return Err(bad_csv(line, "", WRONG));
        };
        field.push_str(text);
        if after.is_empty() || after.starts_with(',') {
            return Ok((field, after));
        }
        rest = after.strip_prefix('"').ok_or_else(|| bad_csv(line, &rest[text.len()..], WRONG))?;
        field.push('"');
    }
}

/// Go's words for what is wrong where `rest` begins.
fn bad_csv(line: &str, rest: &str, why: &str) -> Invalid {
    let column = line.len() - rest.len() + 1;
    Invalid(format!("parse error on line 1, column {column}: {why}"))
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
        assert_eq!(csv("").unwrap(), [""]);
        assert_eq!(csv("a,").unwrap(), ["a", ""]);
        let error = |text| csv(text).unwrap_err().to_string();
        assert_eq!(
            error(r#"x,"a"#),
            "parse error on line 1, column 5: extraneous or missing \" in quoted-field"
        );
        assert_eq!(error(r#"a"b"#), "parse error on line 1, column 2: bare \" in non-quoted-field");
        assert!(csv(r#""a"b"#).is_err());
    }
}
