//! The small words: names of links and namespaces, MAC addresses, transports.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Name of a link: 1 to 15 bytes, no `/`, no white space, not `.` or `..` (kernel: `dev_valid_name`),
/// and no `%`, which asks the kernel to choose a number (`dev_alloc_name`): no link is called so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IfName(String);

/// The text is not a link name that the kernel accepts.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid interface name {0:?}: 1 to 15 characters without '/', ':', '%' and white space")]
pub struct InvalidIfName(pub String);

impl IfName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IfName {
    type Err = InvalidIfName;
    fn from_str(s: &str) -> Result<Self, InvalidIfName> {
        let bad = |c: char| "/:%".contains(c) || c.is_whitespace() || c.is_control();
        if s.is_empty() || s.len() > 15 || s == "." || s == ".." || s.contains(bad) {
            return Err(InvalidIfName(s.to_owned()));
        }
        Ok(Self(s.to_owned()))
    }
}

/// Name of a network namespace: the file that pins it in the namespace directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamespaceName(String);

/// The text cannot name a namespace file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid namespace name {0:?}: 1 to 64 letters, digits, '-' or '_'")]
pub struct InvalidNamespace(pub String);

impl NamespaceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NamespaceName {
    type Err = InvalidNamespace;
    fn from_str(s: &str) -> Result<Self, InvalidNamespace> {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if s.is_empty() || s.len() > 64 || !s.chars().all(good) {
            return Err(InvalidNamespace(s.to_owned()));
        }
        Ok(Self(s.to_owned()))
    }
}

/// A namespace: the daemon's own or one it made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ns {
    /// The namespace that the daemon runs in.
    Host,
    /// A namespace that the engine made and pinned.
    Named(NamespaceName),
}

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddr(pub [u8; 6]);

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for MacAddr {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let bad =
            || format!("invalid MAC address {s:?}: six hexadecimal bytes, as 02:42:ac:11:00:02");
        let mut bytes = [0u8; 6];
        let mut parts = s.split([':', '-']);
        for byte in &mut bytes {
            let part = parts.next().filter(|p| p.len() == 2).ok_or_else(bad)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| bad())?;
        }
        if parts.next().is_some() { Err(bad()) } else { Ok(Self(bytes)) }
    }
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4, RFC 791.
    Ipv4,
    /// IPv6, RFC 8200.
    Ipv6,
}

impl fmt::Display for Family {
    /// The word that `nft` uses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        })
    }
}

/// A transport protocol with ports (IANA protocol numbers 6, 17, 132).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP, RFC 9293.
    Tcp,
    /// UDP, RFC 768.
    Udp,
    /// SCTP, RFC 9260.
    Sctp,
}

impl Transport {
    /// The word that `nft`, Docker and `/etc/services` use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }

    /// IANA protocol number.
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl TryFrom<String> for $name {
            type Error = <Self as FromStr>::Err;
            fn try_from(s: String) -> Result<Self, Self::Error> { s.parse() }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String { name.0 }
        }
    )*};
}
text!(IfName, NamespaceName);

impl TryFrom<String> for MacAddr {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl From<MacAddr> for String {
    fn from(mac: MacAddr) -> String {
        mac.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_names_are_those_that_links_can_have() {
        for name in ["eth0", "br-0123456789ab", "a.1", "é"] {
            assert!(name.parse::<IfName>().is_ok(), "{name}");
        }
        // The kernel makes br0 of the fifth, which nobody would find again.
        for name in ["", ".", "..", "a/b", "br%d", "a:1", "a b", "sixteen-letters-"] {
            assert!(name.parse::<IfName>().is_err(), "{name}");
        }
    }
}
