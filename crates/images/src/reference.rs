//! Names of images, as people type them and as they are kept.
//!
//! In: text (`busybox`, `localhost:5000/a/b:1`, `x@sha256:…`). Out: a [`Reference`], or Docker's
//! message about what is wrong with it. It looks nothing up.
//!
//! The grammar is that of the distribution project's reference format; `busybox` is short for
//! `docker.io/library/busybox`, and is shown short again ("familiar").

use std::fmt;

use crate::error::{Error, Result};
use crate::id::Digest;

const DEFAULT_DOMAIN: &str = "docker.io";
const OFFICIAL: &str = "library/";
const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;

/// A name with its domain, and a tag, a digest, both or neither.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Reads a reference; a missing domain is Docker's.
    ///
    /// Errors: [`Error::InvalidReference`] in Docker's words.
    pub fn parse(text: &str) -> Result<Self> {
        if is_identifier(text) {
            let message = format!(
                "invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
            );
            return Err(Error::InvalidReference(message));
        }
        let (domain, rest) = split_domain(text);
        let remote = rest.split(':').next().unwrap_or_default();
        if remote.to_lowercase() != remote {
            let message =
                format!("invalid reference format: repository name ({remote}) must be lowercase");
            return Err(Error::InvalidReference(message));
        }
        let (rest, digest) = split_digest(&rest)?;
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag.to_owned())),
            None => (rest, None),
        };
        let good_tag = tag.as_deref().is_none_or(is_tag);
        if !is_domain(&domain) || !path.split('/').all(is_path_component) || !good_tag {
            return Err(malformed());
        }
        if domain.len() + 1 + path.len() > MAX_NAME {
            let message = "repository name must not be more than 255 characters";
            return Err(Error::InvalidReference(message.to_owned()));
        }
        Ok(Self { domain, path: path.to_owned(), tag, digest })
    }

    /// With the tag `latest` if it has neither tag nor digest.
    #[must_use]
    pub fn or_latest(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some("latest".to_owned());
        }
        self
    }

    /// With this tag in place of its own; its digest is dropped.
    ///
    /// Errors: [`Error::InvalidReference`] `invalid tag format`.
    pub fn with_tag(mut self, tag: &str) -> Result<Self> {
        if !is_tag(tag) {
            return Err(Error::InvalidReference("invalid tag format".to_owned()));
        }
        self.tag = Some(tag.to_owned());
        self.digest = None;
        Ok(self)
    }

    /// The same name with a digest and without a tag: what the index is asked for.
    #[must_use]
    pub(crate) fn without_tag(mut self) -> Self {
        self.tag = None;
        self
    }

    /// The same name with this digest and without a tag.
    #[must_use]
    pub fn with_digest(mut self, digest: Digest) -> Self {
        (self.tag, self.digest) = (None, Some(digest));
        self
    }

    /// The registry: `docker.io`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The repository at the registry: `library/busybox`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The name with its domain, without tag and digest: `docker.io/library/busybox`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The name as Docker shows it: `busybox`.
    pub fn familiar_name(&self) -> String {
        if self.domain != DEFAULT_DOMAIN {
            return self.name();
        }
        match self.path.strip_prefix(OFFICIAL) {
            Some(short) if !short.contains('/') => short.to_owned(),
            _ => self.path.clone(),
        }
    }

    /// The whole reference as Docker shows it: `busybox:latest`.
    pub fn familiar(&self) -> String {
        self.familiar_name() + &self.suffix()
    }

    fn suffix(&self) -> String {
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = self.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
        tag + &digest
    }
}

/// The whole reference with its domain: how it is kept.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.domain, self.path, self.suffix())
    }
}

/// 64 hexadecimal digits: an id, never a name.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn malformed() -> Error {
    Error::InvalidReference("invalid reference format".to_owned())
}

/// The domain is what stands before the first `/` if it looks like one.
fn split_domain(text: &str) -> (String, String) {
    let looks_like_one =
        |s: &str| s.contains(['.', ':']) || s == "localhost" || s.to_lowercase() != s;
    let (domain, rest) = match text.split_once('/') {
        Some((domain, rest)) if looks_like_one(domain) => (domain, rest),
        _ => (DEFAULT_DOMAIN, text),
    };
    let domain = if domain == "index.docker.io" { DEFAULT_DOMAIN } else { domain };
    let official = domain == DEFAULT_DOMAIN && !rest.contains('/');
    let rest = if official { format!("{OFFICIAL}{rest}") } else { rest.to_owned() };
    (domain.to_owned(), rest)
}

fn split_digest(rest: &str) -> Result<(&str, Option<Digest>)> {
    let Some((name, digest)) = rest.split_once('@') else { return Ok((rest, None)) };
    let (algorithm, hex) = digest.split_once(':').ok_or_else(malformed)?;
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-_+.".contains(&b);
    let starts_well = algorithm.starts_with(|c: char| c.is_ascii_alphabetic());
    if !starts_well || !algorithm.bytes().all(good) || hex.len() < 32 {
        return Err(malformed());
    }
    if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(malformed());
    }
    if algorithm != "sha256" {
        return Err(Error::InvalidReference("unsupported digest algorithm".to_owned()));
    }
    let wrong_length = |_| Error::InvalidReference("invalid checksum digest length".to_owned());
    Ok((name, Some(digest.parse().map_err(wrong_length)?)))
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// `host`, `host.name`, `1.2.3.4`, `[::1]`, each with an optional `:port`.
fn is_domain(domain: &str) -> bool {
    let port_is_good = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    if let Some(bracketed) = domain.strip_prefix('[') {
        let Some((address, rest)) = bracketed.split_once(']') else { return false };
        let address_is_good =
            !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
        return address_is_good
            && (rest.is_empty() || rest.strip_prefix(':').is_some_and(port_is_good));
    }
    let (host, port) = domain.split_once(':').map_or((domain, None), |(h, p)| (h, Some(p)));
    port.is_none_or(port_is_good) && host.split('.').all(is_domain_component)
}

fn is_domain_component(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('-')
        && !part.ends_with('-')
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Lower-case letters and digits, with single `.`, `_`, `__` or any number of `-` between them.
fn is_path_component(part: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    let mut separator = String::new();
    for byte in part.bytes() {
        if !alphanumeric(byte) {
            separator.push(char::from(byte));
            continue;
        }
        if !is_separator(&separator) {
            return false;
        }
        separator.clear();
    }
    part.bytes().next().is_some_and(alphanumeric) && separator.is_empty()
}

fn is_separator(text: &str) -> bool {
    matches!(text, "" | "." | "_" | "__") || text.bytes().all(|b| b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn familiar(text: &str) -> String {
        Reference::parse(text).unwrap().familiar()
    }

    fn message(text: &str) -> String {
        Reference::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn familiar_names_are_long_inside() {
        let reference = Reference::parse("busybox").unwrap().or_latest();
        assert_eq!(reference.to_string(), "docker.io/library/busybox:latest");
        assert_eq!(reference.familiar(), "busybox:latest");
        for (typed, shown) in [
            ("docker.io/library/a:1", "a:1"),
            ("index.docker.io/a", "a"),
            ("user/a_b-c.d__e", "user/a_b-c.d__e"),
            ("localhost/a", "localhost/a"),
            ("localhost:5000/a/b:V1.0_x-y", "localhost:5000/a/b:V1.0_x-y"),
            ("[::1]:80/a", "[::1]:80/a"),
            ("Host.Example/a", "Host.Example/a"),
        ] {
            assert_eq!(familiar(typed), shown);
        }
        let digested = format!("a:t@sha256:{HEX}");
        assert_eq!(familiar(&digested), digested);
    }

    #[test]
    fn messages_are_dockers() {
        assert_eq!(
            message("Foo"),
            "invalid reference format: repository name (library/Foo) must be lowercase"
        );
        assert_eq!(
            message(HEX),
            format!("invalid repository name ({HEX}), cannot specify 64-byte hexadecimal strings")
        );
        let long = "a".repeat(250);
        assert_eq!(message(&long), "repository name must not be more than 255 characters");
        assert_eq!(message(&format!("a@md5:{HEX}")), "unsupported digest algorithm");
        assert_eq!(
            message("a@sha256:0123456789012345678901234567890123"),
            "invalid checksum digest length"
        );
        for bad in [
            "",
            ":",
            "a:",
            "a b",
            "a//b",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a:b:c",
            "a@",
            "a@sha256:zz",
            "../a",
            "a:-x",
            "a/b\0",
        ] {
            assert_eq!(message(bad), "invalid reference format", "{bad:?}");
        }
    }

    #[test]
    fn tags_can_be_given_apart() {
        let reference = Reference::parse("a").unwrap();
        assert_eq!(reference.clone().with_tag("2").unwrap().familiar(), "a:2");
        assert_eq!(reference.with_tag("a b").unwrap_err().to_string(), "invalid tag format");
    }
}
