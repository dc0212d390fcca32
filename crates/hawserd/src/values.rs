//! Values of options that are more than a word: address pools, runtimes, sizes.
//!
//! In: text of the command line, JSON of the file. Out: values that the settings are made of.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// A pool of addresses that networks are cut from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The whole, in CIDR form.
    pub base: String,
    /// Prefix length of each network.
    pub size: u8,
}

impl FromStr for Pool {
    type Err = String;

    /// Reads `base=172.30.0.0/16,size=24`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (mut base, mut size) = (None, None);
        for field in text.split(',') {
            match field.trim().split_once('=') {
                Some(("base", value)) => base = Some(value.to_owned()),
                Some(("size", value)) => {
                    size = Some(value.parse().map_err(|_| format!("invalid size {value:?}"))?);
                }
                _ => return Err(format!("unexpected {field:?}, want base=CIDR,size=LENGTH")),
            }
        }
        match (base, size) {
            (Some(base), Some(size)) => Ok(Self { base, size }),
            _ => Err("want base=CIDR,size=LENGTH".to_owned()),
        }
    }
}

/// An OCI runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Runtime {
    /// Program name or path.
    pub path: String,
    /// Arguments before the verb.
    #[serde(default)]
    pub runtime_args: Vec<String>,
}

/// Runtimes by name; on the command line one after another, in the file an object.
pub type Runtimes = Vec<(String, Runtime)>;

/// Reads `name=path`.
pub fn runtime(text: &str) -> Result<(String, Runtime), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), Runtime { path: path.to_owned(), runtime_args: Vec::new() }))
        }
        _ => Err("want NAME=PATH".to_owned()),
    }
}

/// Reads the file's object of runtimes (or the pairs that the command line gave).
pub fn runtimes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Runtimes, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Object(BTreeMap<String, Runtime>),
        Pairs(Runtimes),
    }
    Ok(match Form::deserialize(deserializer)? {
        Form::Object(object) => object.into_iter().collect(),
        Form::Pairs(pairs) => pairs,
    })
}

/// Reads one word or a list of words, as Docker's file has for some keys.
pub fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        One(String),
        More(Vec<String>),
    }
    Ok(match Form::deserialize(deserializer)? {
        Form::One(word) => vec![word],
        Form::More(words) => words,
    })
}

/// Reads a number of bytes with or without a unit (`64M`, `64MiB`, `67108864`).
pub fn bytes(text: &str) -> Result<i64, String> {
    let bad = || format!("invalid size {text:?}, want a number with b, k, m or g");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: i64 = digits.trim().parse().map_err(|_| bad())?;
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(bad()),
    };
    number.checked_mul(1 << shift).filter(|bytes| *bytes >= 0).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_read() {
        let pool: Pool = "base=172.30.0.0/16,size=24".parse().unwrap();
        assert_eq!(pool, Pool { base: "172.30.0.0/16".into(), size: 24 });
        for bad in ["", "base=1.0.0.0/8", "size=24", "base=1.0.0.0/8,size=x", "a=b,size=1"] {
            assert!(bad.parse::<Pool>().is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("64M"), Ok(64 << 20));
        assert_eq!(bytes("1 GiB"), Ok(1 << 30));
        assert_eq!(bytes("123"), Ok(123));
        for bad in ["", "M", "1x", "-1", "99999999999g"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }
}
