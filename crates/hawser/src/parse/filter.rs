//! `--filter`.

use std::collections::BTreeMap;

use serde_json::json;

use super::Invalid;

/// Parses a value of `--filter` into its key and value.
pub fn filter(text: &str) -> Result<(String, String), Invalid> {
    if text.is_empty() {
        return Ok((String::new(), String::new()));
    }
    match text.split_once('=') {
        Some((key, value)) => Ok((key.trim().to_lowercase(), value.trim().to_owned())),
        None => Err(Invalid::new("bad format of filter (expected name=value)")),
    }
}

/// The API's form of several filters; `None` if there are none.
pub fn to_query(filters: &[(String, String)]) -> Option<String> {
    let mut grouped: BTreeMap<&str, BTreeMap<&str, bool>> = BTreeMap::new();
    for (key, value) in filters.iter().filter(|(key, value)| !(key.is_empty() && value.is_empty()))
    {
        grouped.entry(key).or_default().insert(value, true);
    }
    (!grouped.is_empty()).then(|| json!(grouped).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_values_by_key() {
        let filters: Vec<_> =
            ["label=a=b", "Label=c", "name=x"].iter().map(|text| filter(text).unwrap()).collect();
        assert_eq!(
            to_query(&filters).unwrap(),
            r#"{"label":{"a=b":true,"c":true},"name":{"x":true}}"#
        );
        assert_eq!(to_query(&[]), None);
    }

    #[test]
    fn needs_an_equals_sign() {
        assert_eq!(
            filter("foo").unwrap_err().to_string(),
            "bad format of filter (expected name=value)"
        );
    }
}
