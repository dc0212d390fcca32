//! Platforms: what an image runs on.
//!
//! In: `linux/arm64/v8`, as people type it and as indexes say it. Out: [`Platform`]s, and which of an
//! index's entries is meant. Names are Go's; what other systems call them is understood.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::manifest::architecture;

/// Operating system, architecture and, where there are several, its variant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// `amd64`, `arm64`, …
    #[serde(default)]
    pub architecture: String,
    /// `linux`.
    #[serde(default)]
    pub os: String,
    /// `v8` and the like.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
}

impl Platform {
    /// This machine's.
    pub fn here() -> Self {
        let architecture = architecture().to_owned();
        Self { architecture, os: "linux".to_owned(), variant: String::new() }
    }

    /// Reads `os[/architecture[/variant]]`, or an architecture alone.
    ///
    /// Errors: kind `InvalidParameter` for what is malformed or no Linux.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| Err(Error::InvalidReference(format!("\"{text}\": {why}")));
        let good = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let parts: Vec<String> = text.split('/').map(str::to_lowercase).collect();
        if parts.iter().any(|part| part.is_empty() || !part.chars().all(good)) {
            return refuse("unknown operating system or architecture: invalid argument");
        }
        let (os, architecture, variant) = match &parts[..] {
            [os] if os == "linux" => (os.as_str(), architecture(), ""),
            [architecture] => ("linux", architecture.as_str(), ""),
            [os, architecture] => (os.as_str(), architecture.as_str(), ""),
            [os, architecture, variant] => (os.as_str(), architecture.as_str(), variant.as_str()),
            _ => {
                return refuse("cannot parse platform specifier: want os[/architecture[/variant]]");
            }
        };
        if os != "linux" {
            return refuse("platform is not supported: only linux is");
        }
        let (architecture, _) = normal(architecture, "");
        Ok(Self { architecture, os: os.to_owned(), variant: variant.to_owned() })
    }

    /// Whether an image for this platform is what `wanted` asks for.
    pub(crate) fn serves(&self, wanted: &Self) -> bool {
        let ((own, own_variant), (architecture, variant)) = (self.normal(), wanted.normal());
        let variant_fits = variant.is_empty() || own_variant.is_empty() || own_variant == variant;
        self.os == wanted.os && own == architecture && variant_fits
    }

    fn normal(&self) -> (String, String) {
        normal(&self.architecture, &self.variant)
    }
}

/// One name for each; the variant that goes without saying is not said.
fn normal(architecture: &str, variant: &str) -> (String, String) {
    let architecture = match architecture {
        "x86_64" | "x86-64" => "amd64",
        "aarch64" => "arm64",
        "i386" => "386",
        "armhf" => "arm",
        other => other,
    };
    let variant = match (architecture, variant) {
        ("arm64", "v8" | "8") | ("amd64", "v1") => "",
        (_, variant) => variant,
    };
    (architecture.to_owned(), variant.to_owned())
}

/// `linux/arm/v7`
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_read_and_compared() {
        let parse = |text| Platform::parse(text).unwrap();
        assert_eq!(parse("linux"), Platform::here());
        assert_eq!(parse("aarch64").to_string(), "linux/arm64");
        assert_eq!(parse("Linux/ARM/v7").to_string(), "linux/arm/v7");
        for bad in ["", "linux/", "windows/amd64", "linux/a/b/c", "linux/a b"] {
            assert!(Platform::parse(bad).is_err(), "{bad:?}");
        }
        assert!(parse("linux/arm/v7").serves(&parse("linux/arm")));
        assert!(!parse("linux/arm/v6").serves(&parse("linux/arm/v7")));
        assert!(parse("linux/arm64").serves(&parse("linux/arm64/v8")));
        assert!(!parse("linux/arm64").serves(&parse("linux/amd64")));
    }
}
