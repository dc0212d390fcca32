//! Driver options of ours for the name service, read once into types.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::options::{invalid, value};
use crate::error::Error;

/// Driver options that are read here.
pub(super) const KEYS: [&str; 3] = ["hawser.dns", "hawser.dns_search", "hawser.dns_opt"];

/// What a network's containers get from its name service, read from driver options of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResolverOptions {
    /// Where unknown names are asked, instead of the host's resolvers (`hawser.dns`, commas).
    pub servers: Vec<IpAddr>,
    /// Search domains (`hawser.dns_search`, commas).
    pub search: Vec<String>,
    /// Options of resolv.conf (`hawser.dns_opt`, commas).
    pub options: Vec<String>,
}

impl ResolverOptions {
    /// Reads the options of a network; others are passed over.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, Error> {
        let [servers, search, words] = KEYS.map(|key| (key, items(options, key)));
        let server = |text: &&str| value::<IpAddr>(servers.0, text, "it is no address");
        let server = |text: &str| match server(&text)? {
            address if address.is_unspecified() || address.is_multicast() => {
                Err(invalid(servers.0, text, "it is not the address of one host"))
            }
            address => Ok(address),
        };
        Ok(Self {
            servers: servers.1.into_iter().map(server).collect::<Result<_, _>>()?,
            search: search.1.into_iter().map(|s| word(search.0, s)).collect::<Result<_, _>>()?,
            options: words.1.into_iter().map(|s| word(words.0, s)).collect::<Result<_, _>>()?,
        })
    }
}

/// The items of a list; an empty text is an empty list.
fn items<'a>(options: &'a BTreeMap<String, String>, key: &str) -> Vec<&'a str> {
    let text = options.get(key).map(|text| text.as_str()).filter(|text| !text.is_empty());
    text.into_iter().flat_map(|text| text.split(',')).collect()
}

/// What can stand in a line of resolv.conf.
fn word(key: &str, text: &str) -> Result<String, Error> {
    let bad = |c: char| c.is_whitespace() || c.is_control();
    match text {
        "" => Err(invalid(key, text, "an item is empty")),
        _ if text.len() > 255 || text.contains(bad) => Err(invalid(key, text, "it is no word")),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<ResolverOptions, Error> {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        ResolverOptions::parse(&pairs.collect())
    }

    #[test]
    fn lists_become_types() {
        let options = parse(&[
            ("hawser.dns", "10.0.0.53,fd00::53"),
            ("hawser.dns_search", "corp.example,."),
            ("hawser.dns_opt", "ndots:2"),
            ("com.example", "passed over"),
        ]);
        let options = options.unwrap();
        assert_eq!(options.servers.len(), 2);
        assert_eq!(options.search, ["corp.example", "."]);
        assert_eq!(options.options, ["ndots:2"]);
        assert_eq!(parse(&[("hawser.dns", "")]), Ok(ResolverOptions::default()));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (key, text, item) in [
            ("hawser.dns", "10.0.0.53,here", "here"),
            ("hawser.dns", "10.0.0.53,", ""),
            ("hawser.dns", "0.0.0.0", "0.0.0.0"),
            ("hawser.dns_search", "a b", "a b"),
            ("hawser.dns_opt", "ndots:1\nnameserver", "ndots:1\nnameserver"),
            ("hawser.dns_opt", ",", ""),
        ] {
            let Err(Error::InvalidOption { option, value, .. }) = parse(&[(key, text)]) else {
                panic!("{key}={text} is taken");
            };
            assert_eq!((option.as_str(), value.as_str()), (key, item));
        }
    }
}
