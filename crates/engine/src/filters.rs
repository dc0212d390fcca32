//! Docker's `filters` parameter: names of filters, each with the values that may match.
//!
//! In: the JSON text of the query parameter (both the current `{"k":{"v":true}}` and the old
//! `{"k":["v"]}` form). Out: questions a list verb asks. What a filter means is the verb's.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

use crate::error::{Error, Result};

/// The filters of one request; none at all lets everything pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, BTreeSet<String>>);

impl Filters {
    /// Reads the query parameter; an empty text is no filter.
    ///
    /// # Errors
    /// `invalid filter` if it is neither of the two JSON forms.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let bad = || Error::invalid("invalid filter");
        let Ok(Value::Object(object)) = serde_json::from_str(text) else { return Err(bad()) };
        let mut filters = Self::default();
        for (key, values) in object {
            let set = filters.0.entry(key).or_default();
            match values {
                Value::Object(values) => {
                    set.extend(values.into_iter().filter(|(_, on)| *on == true).map(|(v, _)| v));
                }
                Value::Array(values) => {
                    for value in values {
                        let Value::String(value) = value else { return Err(bad()) };
                        set.insert(value);
                    }
                }
                _ => return Err(bad()),
            }
        }
        Ok(filters)
    }

    /// One filter with one value more.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.0.entry(key.to_owned()).or_default().insert(value.to_owned());
        self
    }

    /// Refuses filters that the verb does not know.
    ///
    /// # Errors
    /// `invalid filter 'key'` for the first that is not in `known`.
    pub fn allow(&self, known: &[&str]) -> Result<()> {
        match self.0.keys().find(|k| !known.contains(&k.as_str())) {
            Some(key) => Err(Error::invalid(format!("invalid filter '{key}'"))),
            None => Ok(()),
        }
    }

    /// The error for a value that the filter `key` cannot have.
    #[must_use]
    pub fn invalid_value(&self, key: &str) -> Error {
        let values: Vec<&str> = self.values(key).collect();
        Error::invalid(format!("invalid filter '{key}=[{}]'", values.join(" ")))
    }

    /// Whether there are no filters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the filter is given.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Values of a filter; none if it is not given.
    pub fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.get(key).into_iter().flatten().map(String::as_str)
    }

    /// Whether one of the values is exactly this; true if the filter is not given.
    #[must_use]
    pub fn exact(&self, key: &str, value: &str) -> bool {
        self.any(key, |wanted| wanted == value)
    }

    /// Whether one of the values is a beginning of this; true if the filter is not given.
    #[must_use]
    pub fn prefix(&self, key: &str, value: &str) -> bool {
        self.any(key, |wanted| value.starts_with(wanted))
    }

    /// Whether one of the values, read as a regular expression, is found in this (Docker's rule
    /// for names); true if the filter is not given.
    #[must_use]
    pub fn pattern(&self, key: &str, value: &str) -> bool {
        self.any(key, |wanted| {
            wanted == value || Regex::new(wanted).is_ok_and(|pattern| pattern.is_match(value))
        })
    }

    /// Whether the labels satisfy *all* values (`key` or `key=value`) of the filter.
    #[must_use]
    pub fn labels(&self, key: &str, labels: &BTreeMap<String, String>) -> bool {
        self.values(key).all(|wanted| has_label(labels, wanted))
    }

    /// A yes/no filter as `dangling`: none if it is not given.
    ///
    /// # Errors
    /// `invalid filter 'key=[…]'` unless all values say the same, in Docker's words for it.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>> {
        let mut found = None;
        for value in self.values(key) {
            let this = match value {
                "1" | "true" => true,
                "0" | "false" => false,
                _ => return Err(self.invalid_value(key)),
            };
            if found.is_some_and(|other| other != this) {
                return Err(self.invalid_value(key));
            }
            found = Some(this);
        }
        Ok(found)
    }

    fn any(&self, key: &str, matches: impl Fn(&str) -> bool) -> bool {
        self.0.get(key).is_none_or(|values| values.is_empty() || values.iter().any(|v| matches(v)))
    }
}

/// Whether the labels have `key`, or `key=value`.
#[must_use]
pub fn has_label(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|v| v == value),
        None => labels.contains_key(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let new = Filters::parse(r#"{"name":{"a":true,"b":true,"c":false}}"#).unwrap();
        let old = Filters::parse(r#"{"name":["a","b"]}"#).unwrap();
        assert_eq!(new, old);
        assert_eq!(new.values("name").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in ["x", "[]", r#"{"a":1}"#, r#"{"a":[1]}"#] {
            assert_eq!(Filters::parse(text).unwrap_err().to_string(), "invalid filter", "{text}");
        }
        assert!(Filters::parse("").unwrap().is_empty());
    }

    #[test]
    fn unknown_filters_are_named() {
        let filters = Filters::default().with("nonsense", "1");
        let error = filters.allow(&["name"]).unwrap_err();
        assert_eq!(error.to_string(), "invalid filter 'nonsense'");
    }

    #[test]
    fn names_match_as_patterns() {
        let filters = Filters::default().with("name", "^we.$");
        assert!(filters.pattern("name", "web"));
        assert!(!filters.pattern("name", "webs"));
        assert!(Filters::default().pattern("name", "anything"));
    }

    #[test]
    fn labels_must_all_match() {
        let labels = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        assert!(
            Filters::default().with("label", "a").with("label", "a=1").labels("label", &labels)
        );
        assert!(!Filters::default().with("label", "a").with("label", "b").labels("label", &labels));
    }

    #[test]
    fn booleans_are_strict() {
        assert_eq!(Filters::default().with("d", "true").boolean("d").unwrap(), Some(true));
        assert_eq!(Filters::default().boolean("d").unwrap(), None);
        let error = Filters::default().with("d", "maybe").boolean("d").unwrap_err();
        assert_eq!(error.to_string(), "invalid filter 'd=[maybe]'");
    }
}
