//! Identities: 32 bytes, written as 64 lowercase hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text is not 64 lowercase hexadecimal digits.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid id {0:?}: 64 lowercase hexadecimal digits")]
pub struct InvalidId(pub String);

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn parse(s: &str) -> Option<[u8; 32]> {
    let good = s.len() == 64 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0u8; 32];
    for (i, byte) in bytes.iter_mut().enumerate().take_while(|_| good) {
        *byte = u8::from_str_radix(s.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    good.then_some(bytes)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 32]);

        impl $name {
            /// An id from 32 bytes (random ones, made by the caller).
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The first 12 digits, as lists and link names show them.
            pub fn short(&self) -> String {
                self.0[..6].iter().map(|byte| format!("{byte:02x}")).collect()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "("))?;
                hex(&self.0[..6], f)?;
                f.write_str("…)")
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(s: &str) -> Result<Self, InvalidId> {
                parse(s).map(Self).ok_or_else(|| InvalidId(s.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(s: String) -> Result<Self, InvalidId> {
                s.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

id! {
    /// Identity of a network.
    NetworkId
}
id! {
    /// Identity of a sandbox; it is the id of the container that the sandbox was made for.
    SandboxId
}
id! {
    /// Identity of an endpoint; its generated MAC address and host link name come from it.
    EndpointId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trip() {
        let text = "0123456789abcdef".repeat(4);
        let id: NetworkId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(id.short(), "0123456789ab");
        assert_eq!(serde_json::from_str::<NetworkId>(&format!("{text:?}")).unwrap(), id);
    }

    #[test]
    fn other_text_is_refused() {
        for bad in ["", "0", &"A".repeat(64), &"é".repeat(32), &"0".repeat(65)] {
            assert_eq!(bad.parse::<EndpointId>(), Err(InvalidId(bad.to_owned())));
        }
    }
}
