//! Names of networks.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Name of a network: any text that is not empty or all white space, as in Docker, up to 1,024
/// bytes and without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NetworkName(String);

impl NetworkName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether Docker keeps the name for networks of the engine itself, or for modes of a
    /// container that are no networks.
    pub fn is_reserved(&self) -> bool {
        matches!(self.as_str(), "bridge" | "host" | "none" | "default")
    }
}

impl FromStr for NetworkName {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self, Error> {
        if s.trim().is_empty() {
            return Err(Error::EmptyName);
        }
        if s.len() > 1024 || s.contains(char::is_control) {
            return Err(Error::InvalidName(s.to_owned()));
        }
        Ok(Self(s.to_owned()))
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for NetworkName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for NetworkName {
    type Error = Error;
    fn try_from(s: String) -> Result<Self, Error> {
        s.parse()
    }
}

impl From<NetworkName> for String {
    fn from(name: NetworkName) -> String {
        name.0
    }
}
