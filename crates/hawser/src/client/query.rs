//! Query strings and the escaping of path segments.

use std::fmt::{self, Write};

/// The query of a request; displays as `?a=b&c=d`, or nothing if it is empty.
#[derive(Debug, Default, Clone)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a pair added.
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.0.push((key, value.into()));
        self
    }

    /// With `key=1` added if `set`.
    pub fn flag(self, key: &'static str, set: bool) -> Self {
        if set { self.with(key, "1") } else { self }
    }

    /// With a pair added if the value is there.
    pub fn maybe(self, key: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.0.iter().enumerate() {
            f.write_char(if index == 0 { '?' } else { '&' })?;
            write!(f, "{key}={}", percent(value, b"-_.~"))?;
        }
        Ok(())
    }
}

/// Escapes a name for the path of a request. A reference to an image keeps its slashes.
pub fn escape(name: &str) -> String {
    percent(name, b"-_.~/:@")
}

/// Escapes a name that is one segment of a path: slashes too.
pub fn segment(name: &str) -> String {
    percent(name, b"-_.~")
}

fn percent(text: &str, safe: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || safe.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped() {
        let query = Query::new().with("a", "x y&z").flag("b", false).flag("c", true);
        assert_eq!(query.maybe("d", Some("é")).to_string(), "?a=x%20y%26z&c=1&d=%C3%A9");
        assert_eq!(Query::new().maybe("d", None::<String>).to_string(), "");
    }

    #[test]
    fn references_keep_their_slashes() {
        assert_eq!(escape("a/b:c@sha256:1?x #"), "a/b:c@sha256:1%3Fx%20%23");
        assert_eq!(segment("a b/c"), "a%20b%2Fc");
    }
}
