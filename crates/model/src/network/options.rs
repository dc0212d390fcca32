//! Driver options of bridge networks, read once into types.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use hawser_hoststate::IfName;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::id::NetworkId;

const PREFIX: &str = "com.docker.network.bridge.";

/// How endpoints of a bridge network reach the outside with one family, and are reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GatewayMode {
    /// Masquerading outwards, published ports inwards.
    #[default]
    Nat,
    /// The same, and container addresses are reached directly at every port.
    NatUnprotected,
    /// No address translation: container addresses are routed, published ports are open there.
    Routed,
    /// The host has no address on the bridge, containers have no gateway; internal networks only.
    Isolated,
}

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

/// Options of a bridge network. The defaults are Docker's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BridgeOptions {
    /// Name of the bridge link (`com.docker.network.bridge.name`).
    pub name: Option<IfName>,
    /// The engine's default bridge (`com.docker.network.bridge.default_bridge`).
    pub default_bridge: bool,
    /// Containers of the network reach one another (`….enable_icc`).
    pub icc: bool,
    /// Traffic to the outside takes the host's address (`….enable_ip_masquerade`).
    pub ip_masquerade: bool,
    /// Host address for ports published without one (`….host_binding_ipv4`).
    pub host_binding: Option<IpAddr>,
    /// Largest packet in bytes (`com.docker.network.driver.mtu`).
    pub mtu: Option<u32>,
    /// Prefix of interface names in containers (`com.docker.network.container_iface_prefix`).
    pub interface_prefix: Option<String>,
    /// IPv4 to and from the outside (`….gateway_mode_ipv4`).
    pub gateway_mode_ipv4: GatewayMode,
    /// IPv6 to and from the outside (`….gateway_mode_ipv6`).
    pub gateway_mode_ipv6: GatewayMode,
    /// The bridge gets no IPv4 address (`….inhibit_ipv4`).
    pub inhibit_ipv4: bool,
    /// Links of the host from which container addresses are reached directly
    /// (`….trusted_host_interfaces`, colons).
    pub trusted_interfaces: Vec<IfName>,
    /// Source address of masqueraded IPv4 traffic (`com.docker.network.host_ipv4`).
    pub host_ipv4: Option<Ipv4Addr>,
    /// Source address of masqueraded IPv6 traffic (`com.docker.network.host_ipv6`).
    pub host_ipv6: Option<Ipv6Addr>,
    /// The bridge is somebody else's: it is used and never made, changed or removed
    /// (`hawser.bridge.existing`; what `--bridge` of the daemon means).
    pub existing: bool,
}

impl Default for BridgeOptions {
    fn default() -> Self {
        Self {
            name: None,
            default_bridge: false,
            icc: true,
            ip_masquerade: true,
            host_binding: None,
            mtu: None,
            interface_prefix: None,
            gateway_mode_ipv4: GatewayMode::Nat,
            gateway_mode_ipv6: GatewayMode::Nat,
            inhibit_ipv4: false,
            trusted_interfaces: Vec::new(),
            host_ipv4: None,
            host_ipv6: None,
            existing: false,
        }
    }
}

impl BridgeOptions {
    /// Reads options; a bridge option that does not exist or makes no sense is refused, anything
    /// else is somebody else's and passed over.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut parsed = Self::default();
        for (key, value) in options {
            parsed.set(key, value)?;
        }
        Ok(parsed)
    }

    fn set(&mut self, key: &str, text: &str) -> Result<(), Error> {
        match key.strip_prefix(PREFIX) {
            Some("name") if text.is_empty() => self.name = None,
            Some("name") => self.name = Some(value(key, text)?),
            Some("default_bridge") => self.default_bridge = flag(key, text)?,
            Some("enable_icc") => self.icc = flag(key, text)?,
            Some("enable_ip_masquerade") => self.ip_masquerade = flag(key, text)?,
            Some("host_binding_ipv4") => self.host_binding = Some(value(key, text)?),
            Some(_) => return Err(Error::UnknownOption(key.to_owned())),
            None if key == "com.docker.network.driver.mtu" => self.mtu = Some(mtu(key, text)?),
            None if key == "hawser.bridge.existing" => self.existing = flag(key, text)?,
            None if key == "com.docker.network.container_iface_prefix" => {
                self.interface_prefix = Some(prefix(key, text)?);
            }
            None => {}
        }
        Ok(())
    }
}

fn invalid(key: &str, text: &str) -> Error {
    Error::InvalidOption { option: key.to_owned(), value: text.to_owned() }
}

fn value<T: FromStr>(key: &str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| invalid(key, text))
}

/// The words that Docker's own parser takes for a truth value.
fn flag(key: &str, text: &str) -> Result<bool, Error> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(invalid(key, text)),
    }
}

/// From 68 (RFC 791) to what the kernel takes for a bridge.
fn mtu(key: &str, text: &str) -> Result<u32, Error> {
    value(key, text).and_then(|mtu| match mtu {
        68..=65535 => Ok(mtu),
        _ => Err(invalid(key, text)),
    })
}

/// Leaves room for five digits, and can't be `lo`, which every sandbox has.
fn prefix(key: &str, text: &str) -> Result<String, Error> {
    let name: IfName = value(key, text)?;
    let good = text.len() <= 10 && text != "lo" && text.is_ascii();
    if good { Ok(name.as_str().to_owned()) } else { Err(invalid(key, text)) }
}

/// `br-` and the first 12 digits of the id, as Docker names its bridges.
pub(super) fn generated_name(id: NetworkId) -> IfName {
    let name = format!("br-{}", id.short());
    // 15 hexadecimal digits and dashes are a link name; there is nothing to report.
    name.parse().unwrap_or_else(|_| unreachable!("{name} is a link name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<BridgeOptions, Error> {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        BridgeOptions::parse(&pairs.collect())
    }

    #[test]
    fn options_become_types() {
        let options = parse(&[
            ("com.docker.network.bridge.name", "br0"),
            ("com.docker.network.bridge.enable_icc", "false"),
            ("com.docker.network.bridge.enable_ip_masquerade", "0"),
            ("com.docker.network.bridge.host_binding_ipv4", "127.0.0.1"),
            ("com.docker.network.driver.mtu", "1400"),
            ("com.docker.network.container_iface_prefix", "net"),
            ("com.example.label", "kept elsewhere"),
        ]);
        let options = options.unwrap();
        assert_eq!(options.name, Some("br0".parse().unwrap()));
        assert!(!options.icc && !options.ip_masquerade);
        assert_eq!(options.host_binding, Some(IpAddr::from([127, 0, 0, 1])));
        assert_eq!((options.mtu, options.interface_prefix.as_deref()), (Some(1400), Some("net")));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (key, text) in [
            ("com.docker.network.bridge.name", "a/b"),
            ("com.docker.network.bridge.enable_icc", "perhaps"),
            ("com.docker.network.bridge.host_binding_ipv4", "here"),
            ("com.docker.network.driver.mtu", "1"),
            ("com.docker.network.container_iface_prefix", "much-too-long-it-is"),
        ] {
            assert_eq!(parse(&[(key, text)]), Err(invalid(key, text)));
        }
        let unknown = "com.docker.network.bridge.enable_magic";
        assert_eq!(parse(&[(unknown, "1")]), Err(Error::UnknownOption(unknown.to_owned())));
    }
}
