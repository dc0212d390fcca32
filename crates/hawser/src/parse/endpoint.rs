//! `--network`, in its short form (a name) and its long form (`name=…,ip=…`).
//!
//! In: text. Out: an [`Attachment`], which becomes the API's endpoint settings. Whether the
//! addresses are of any use is the engine's to say.

use std::collections::BTreeMap;
use std::num::{IntErrorKind, ParseIntError};

use serde_json::{Map, Value, json};

use super::{Invalid, csv};

/// How a container is attached to one network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The network's name or id, or a mode (`host`, `none`, `container:…`).
    pub target: String,
    /// Other names of the container on this network.
    pub aliases: Vec<String>,
    /// Links to other containers.
    pub links: Vec<String>,
    /// An IPv4 address.
    pub ipv4: String,
    /// An IPv6 address.
    pub ipv6: String,
    /// Link-local addresses.
    pub link_local: Vec<String>,
    /// The MAC address.
    pub mac: String,
    /// Options for the network's driver.
    pub driver_options: BTreeMap<String, String>,
    /// Who gives the default gateway: the highest.
    pub gateway_priority: i64,
}

/// Parses a value of `--network`.
pub fn attachment(text: &str) -> Result<Attachment, Invalid> {
    let mut parsed = Attachment::default();
    if !is_long(text) {
        text.clone_into(&mut parsed.target);
        return Ok(parsed);
    }
    for field in csv(text)? {
        let lower = field.to_lowercase();
        let (key, value) = lower
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Invalid(format!("invalid field {field}")))?;
        parsed.set(key.trim(), value.trim())?;
    }
    if parsed.target.is_empty() {
        return Err(Invalid::new("network name/id is not specified"));
    }
    Ok(parsed)
}

/// A letter on both sides of an equals sign makes it the long form.
fn is_long(text: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices('=')
        .any(|(at, _)| text[..at].ends_with(word) && text[at + 1..].starts_with(word))
}

impl Attachment {
    fn set(&mut self, key: &str, value: &str) -> Result<(), Invalid> {
        match key {
            "name" => value.clone_into(&mut self.target),
            "alias" => self.aliases.push(value.to_owned()),
            "ip" => value.clone_into(&mut self.ipv4),
            "ip6" => value.clone_into(&mut self.ipv6),
            "mac-address" => value.clone_into(&mut self.mac),
            "link-local-ip" => self.link_local.push(value.to_owned()),
            "driver-opt" => {
                let (key, value) = driver_option(value)?;
                self.driver_options.insert(key, value);
            }
            "gw-priority" => {
                self.gateway_priority = priority(value)
                    .map_err(|why| Invalid(format!("invalid gw-priority ({value}): {why}")))?;
            }
            _ => return Err(Invalid(format!("invalid field key {key}"))),
        }
        Ok(())
    }

    /// The API's endpoint settings; empty if nothing is asked for.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut out = Map::new();
        let mut ipam = Map::new();
        for (key, address) in [("IPv4Address", &self.ipv4), ("IPv6Address", &self.ipv6)] {
            if !address.is_empty() {
                ipam.insert(key.to_owned(), address.as_str().into());
            }
        }
        if !self.link_local.is_empty() {
            ipam.insert("LinkLocalIPs".to_owned(), json!(self.link_local));
        }
        if !ipam.is_empty() {
            out.insert("IPAMConfig".to_owned(), ipam.into());
        }
        for (key, names) in [("Links", &self.links), ("Aliases", &self.aliases)] {
            if !names.is_empty() {
                out.insert(key.to_owned(), json!(names));
            }
        }
        if !self.mac.is_empty() {
            out.insert("MacAddress".to_owned(), self.mac.as_str().into());
        }
        if !self.driver_options.is_empty() {
            out.insert("DriverOpts".to_owned(), json!(self.driver_options));
        }
        if self.gateway_priority != 0 {
            out.insert("GwPriority".to_owned(), self.gateway_priority.into());
        }
        out
    }

    /// Whether the target is a network that somebody made, and not one of the fixed modes.
    pub fn is_user_defined(&self) -> bool {
        !matches!(self.target.as_str(), "" | "default" | "bridge" | "host" | "none")
            && !self.target.starts_with("container:")
    }
}

/// `KEY=VALUE` for a network's driver.
pub fn driver_option(text: &str) -> Result<(String, String), Invalid> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(Invalid::new("invalid key value pair format in driver options")),
    }
}

/// Unlike the flag of that name, the field knows no base but ten.
fn priority(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
        _ => "invalid syntax",
    })
}

/// Whether `text` is a MAC address (EUI-48, EUI-64 or of 20 bytes), with colons, hyphens or
/// dots.
pub fn mac(text: &str) -> Result<(), Invalid> {
    let hexadecimal = |parts: &[&str], digits: usize| {
        parts.iter().all(|part| part.len() == digits && part.chars().all(|c| c.is_ascii_hexdigit()))
    };
    let good = |separator: char, digits: usize| {
        let parts: Vec<&str> = text.split(separator).collect();
        matches!(parts.len() * digits, 12 | 16 | 40) && hexadecimal(&parts, digits)
    };
    if good(':', 2) || good('-', 2) || good('.', 4) {
        return Ok(());
    }
    Err(Invalid(format!("{text} is not a valid mac address")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_form_is_a_name() {
        let parsed = attachment("container:abc").unwrap();
        assert_eq!(parsed.target, "container:abc");
        assert!(!parsed.is_user_defined());
        assert!(parsed.to_json().is_empty());
        assert!(attachment("my_net").unwrap().is_user_defined());
    }

    #[test]
    fn long_form_has_everything() {
        let parsed = attachment(
            "name=n,ip=10.0.0.5,ip6=fd00::5,alias=a,alias=b,mac-address=02:42:ac:11:00:02,\
             driver-opt=k=v,gw-priority=3,link-local-ip=169.254.1.1",
        );
        assert_eq!(
            Value::Object(parsed.unwrap().to_json()),
            json!({
                "IPAMConfig": {"IPv4Address": "10.0.0.5", "IPv6Address": "fd00::5",
                               "LinkLocalIPs": ["169.254.1.1"]},
                "Aliases": ["a", "b"], "MacAddress": "02:42:ac:11:00:02",
                "DriverOpts": {"k": "v"}, "GwPriority": 3
            })
        );
    }

    #[test]
    fn errors_are_dockers() {
        let error = |text| attachment(text).unwrap_err().to_string();
        assert_eq!(error("name=bridge,foo=bar"), "invalid field key foo");
        assert_eq!(error("ip=1.2.3.4"), "network name/id is not specified");
        assert_eq!(error("name=a,b"), "invalid field b");
        assert_eq!(error("name=a,gw-priority=0x1"), "invalid gw-priority (0x1): invalid syntax");
        assert_eq!(mac("foo").unwrap_err().to_string(), "foo is not a valid mac address");
    }

    #[test]
    fn mac_addresses_have_one_separator() {
        for text in
            ["02:42:0a:09:00:03", "02-42-0A-09-00-03", "0242.0a09.0003", "02:42:0a:09:00:03:04:05"]
        {
            assert_eq!(mac(text), Ok(()), "{text}");
        }
        for text in ["", "02:42-0a:09:00:03", "02:42:0a:09:00", "0242:0a09:0003", "2:4:a:9:0:3"] {
            assert!(mac(text).is_err(), "{text}");
        }
    }
}
