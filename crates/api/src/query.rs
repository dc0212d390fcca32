//! The query part of a request, read as Docker reads it.
//!
//! In: `a=1&b=x&b=y`. Out: words, booleans, numbers. Unknown keys are ignored, as Docker does.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use hawser_engine::filters::Filters;
use http::request::Parts;

use crate::error::{ApiError, Result};

/// The decoded query: pairs in the order given, keys may repeat.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes the text after the `?`.
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The first value of a key; empty values count as not given.
    pub fn word(&self, key: &str) -> Option<&str> {
        self.all(key).next().filter(|value| !value.is_empty())
    }

    /// The same, owned.
    pub fn string(&self, key: &str) -> Option<String> {
        self.word(key).map(str::to_owned)
    }

    /// Every value of a key.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// A boolean, false if not given.
    pub fn bool(&self, key: &str) -> bool {
        self.bool_or(key, false)
    }

    /// A boolean: everything but `""`, `0`, `no`, `false` and `none` is true.
    pub fn bool_or(&self, key: &str, default: bool) -> bool {
        match self.all(key).next() {
            None => default,
            Some(value) => {
                let value = value.trim().to_ascii_lowercase();
                !matches!(value.as_str(), "" | "0" | "no" | "false" | "none")
            }
        }
    }

    /// A number; anything else is the client's mistake.
    pub fn number(&self, key: &str) -> Result<Option<i64>> {
        let Some(word) = self.word(key) else { return Ok(None) };
        let bad = |_| ApiError::bad_request(format!("invalid value {word:?} for {key}"));
        word.parse().map(Some).map_err(bad)
    }

    /// The `filters` argument.
    pub fn filters(&self) -> Result<Filters> {
        Ok(Filters::parse(self.word("filters").unwrap_or_default())?)
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_dockers() {
        for yes in ["1", "true", "True", "yes", "on", "x"] {
            assert!(Query::parse(&format!("a={yes}")).bool("a"), "{yes}");
        }
        for no in ["0", "false", "False", "no", "none", "None", "", "%20"] {
            assert!(!Query::parse(&format!("a={no}")).bool_or("a", true), "{no}");
        }
        assert!(Query::parse("b=0").bool_or("a", true));
        assert!(!Query::parse("").bool("a"));
    }

    #[test]
    fn keys_repeat_and_are_decoded() {
        let query = Query::parse("names=a%2Fb&names=c+d&x=");
        assert_eq!(query.all("names").collect::<Vec<_>>(), ["a/b", "c d"]);
        assert_eq!(query.word("x"), None);
        assert_eq!(query.word("names"), Some("a/b"));
    }

    #[test]
    fn numbers_are_checked() {
        let query = Query::parse("t=10&n=-1&bad=ten");
        assert_eq!(query.number("t").unwrap(), Some(10));
        assert_eq!(query.number("n").unwrap(), Some(-1));
        assert_eq!(query.number("none").unwrap(), None);
        assert_eq!(query.number("bad").unwrap_err().status(), 400);
    }
}
