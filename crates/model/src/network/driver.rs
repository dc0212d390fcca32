//! What can make a network, how far it reaches, and who gives its addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What makes a network's data path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// A software bridge of this host.
    Bridge,
    /// The host's own namespace.
    Host,
    /// Loopback alone.
    Null,
}

impl Driver {
    /// The driver's name, as users write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Host => "host",
            Self::Null => "null",
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Driver {
    type Err = Error;
    /// An empty name is `bridge`, as in Docker's API.
    fn from_str(s: &str) -> Result<Self, Error> {
        match s {
            "" | "bridge" => Ok(Self::Bridge),
            "host" => Ok(Self::Host),
            "null" => Ok(Self::Null),
            _ => Err(Error::UnknownDriver(s.to_owned())),
        }
    }
}

/// How far a network reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One host.
    #[default]
    Local,
}

impl Scope {
    /// The word that users see.
    pub fn as_str(self) -> &'static str {
        "local"
    }
}

/// Who manages a network's addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpamDriver {
    /// The engine.
    #[default]
    Default,
    /// Nobody: endpoints have no address, and whoever runs in them may bring one (DHCP).
    Null,
}

impl IpamDriver {
    /// The driver's name, as users write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Null => "null",
        }
    }
}

impl FromStr for IpamDriver {
    type Err = Error;
    /// An empty name is `default`, as in Docker's API.
    fn from_str(s: &str) -> Result<Self, Error> {
        match s {
            "" | "default" => Ok(Self::Default),
            "null" => Ok(Self::Null),
            _ => Err(Error::UnknownDriver(s.to_owned())),
        }
    }
}
