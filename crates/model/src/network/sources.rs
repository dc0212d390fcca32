//! Who may reach published ports (`hawser.publish_from`, `--publish-policy`).
//!
//! In: a text as users write it. Out: [`Sources`], which say the same in one way: networks that
//! overlap are one. The host itself is never kept out: it reaches containers without ports, too.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;
use std::str::FromStr;

use hawser_hoststate::IfName;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// What a text of [`Sources`] may hold.
pub const SOURCES: &str =
    "want any, local, or a list with commas of addresses, networks (CIDR) and iface:NAME";

/// Who may reach a published port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Sources {
    /// Everybody.
    #[default]
    Any,
    /// The host itself, and these. Nets don't overlap.
    Only {
        /// Who sends from these networks.
        nets: Vec<IpNet>,
        /// What comes in by these links of the host.
        links: BTreeSet<IfName>,
    },
}

impl FromStr for Sources {
    type Err = &'static str;

    /// `any`, or a list with commas: `local`, addresses, networks, `iface:NAME`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let (mut nets, mut links) = (Vec::new(), BTreeSet::new());
        for item in text.split(',').map(str::trim) {
            match item.strip_prefix("iface:") {
                Some(name) => _ = links.insert(name.parse().map_err(|_| SOURCES)?),
                None if item == "local" => {}
                None => nets.push(net(item).ok_or(SOURCES)?),
            }
        }
        Ok(Self::Only { nets: IpNet::aggregate(&nets), links })
    }
}

/// An address or a network; IPv4 in IPv6's clothes is no source that a packet has.
fn net(text: &str) -> Option<IpNet> {
    let net = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let mapped = matches!(net.addr(), IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some());
    (!mapped).then_some(net.trunc())
}

impl Sources {
    /// Each of them as it can be written.
    pub fn words(&self) -> Vec<String> {
        let Self::Only { nets, links } = self else { return vec!["any".to_owned()] };
        let nets = nets.iter().map(ToString::to_string);
        let links = links.iter().map(|name| format!("iface:{name}"));
        std::iter::once("local".to_owned()).chain(nets).chain(links).collect()
    }
}

impl Display for Sources {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(","))
    }
}

impl From<Sources> for String {
    fn from(sources: Sources) -> Self {
        sources.to_string()
    }
}

impl TryFrom<String> for Sources {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_one_meaning() {
        for (text, meaning) in [
            ("any", "any"),
            ("local", "local"),
            ("10.0.0.7", "local,10.0.0.7/32"),
            ("10.1.0.0/16, 10.0.0.0/8,local", "local,10.0.0.0/8"),
            ("10.0.0.0/9,10.128.0.0/9", "local,10.0.0.0/8"),
            ("fd00::7/64,iface:wan0,iface:eth1", "local,fd00::/64,iface:eth1,iface:wan0"),
        ] {
            let sources: Sources = text.parse().unwrap();
            assert_eq!(sources.to_string(), meaning);
            assert_eq!(meaning.parse(), Ok(sources));
        }
    }

    #[test]
    fn what_is_no_source_is_refused() {
        for text in
            ["", ",", "any,local", "10.0.0.0/33", "eth0", "iface:", "iface:a/b", "::ffff:10.0.0.1"]
        {
            assert_eq!(text.parse::<Sources>(), Err(SOURCES), "{text}");
        }
    }
}
