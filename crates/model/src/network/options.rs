//! Driver options of bridge networks, read once into types.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use hawser_hoststate::IfName;
use serde::{Deserialize, Serialize};

use super::resolver;
use super::sources::{SOURCES, Sources};
use crate::error::Error;
use crate::id::NetworkId;

const PREFIX: &str = "com.docker.network.bridge.";
pub(super) const MTU: &str = "com.docker.network.driver.mtu";
pub(super) const SOURCE_GUARD: &str = "hawser.source_guard";
pub(super) const PUBLISH_FROM: &str = "hawser.publish_from";
const NO_LINK_NAME: &str = "it is no name that an interface can have";

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
    /// Endpoints send under their own addresses alone, and no advertisements of routers, redirects
    /// or answers of DHCP servers (`hawser.source_guard`). Where nobody manages addresses
    /// (`--ipam-driver null`), it is the hardware address alone.
    pub source_guard: bool,
    /// Who may reach published ports, unless the container says so itself; by default what the
    /// engine was told for all (`hawser.publish_from`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_from: Option<Sources>,
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
            source_guard: true,
            publish_from: None,
        }
    }
}

impl BridgeOptions {
    /// Reads options; one of Docker's bridge driver or of hawser that does not exist or makes no
    /// sense is refused, anything else is somebody else's and passed over.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut parsed = Self::default();
        for (key, value) in options {
            parsed.set(key, value)?;
        }
        Ok(parsed)
    }

    /// How a family reaches the outside.
    pub fn gateway_mode(&self, v6: bool) -> GatewayMode {
        if v6 { self.gateway_mode_ipv6 } else { self.gateway_mode_ipv4 }
    }

    fn set(&mut self, key: &str, text: &str) -> Result<(), Error> {
        match key {
            MTU => self.mtu = mtu(key, text)?,
            "com.docker.network.container_iface_prefix" => {
                self.interface_prefix = prefix(key, text)?;
            }
            "com.docker.network.host_ipv4" => self.host_ipv4 = Some(source(key, text)?),
            "com.docker.network.host_ipv6" => self.host_ipv6 = Some(source(key, text)?),
            "hawser.bridge.existing" => self.existing = flag(key, text)?,
            SOURCE_GUARD => self.source_guard = flag(key, text)?,
            PUBLISH_FROM => self.publish_from = Some(value(key, text, SOURCES)?),
            _ if resolver::KEYS.contains(&key) => {}
            _ if key.starts_with("hawser.") => return Err(Error::UnknownOption(key.to_owned())),
            _ => {
                if let Some(name) = key.strip_prefix(PREFIX) {
                    self.set_bridge(name, key, text)?;
                }
            }
        }
        Ok(())
    }

    fn set_bridge(&mut self, name: &str, key: &str, text: &str) -> Result<(), Error> {
        match name {
            "name" if text.is_empty() => self.name = None,
            "name" => self.name = Some(value(key, text, NO_LINK_NAME)?),
            "default_bridge" => self.default_bridge = flag(key, text)?,
            "enable_icc" => self.icc = flag(key, text)?,
            "enable_ip_masquerade" => self.ip_masquerade = flag(key, text)?,
            "host_binding_ipv4" => self.host_binding = Some(value(key, text, "nil ip")?),
            "gateway_mode_ipv4" => self.gateway_mode_ipv4 = mode(key, text)?,
            "gateway_mode_ipv6" => self.gateway_mode_ipv6 = mode(key, text)?,
            "inhibit_ipv4" => self.inhibit_ipv4 = flag(key, text)?,
            "trusted_host_interfaces" => self.trusted_interfaces = links(key, text)?,
            _ => return Err(Error::UnknownOption(key.to_owned())),
        }
        Ok(())
    }
}

pub(super) fn invalid(key: &str, text: &str, why: &'static str) -> Error {
    Error::InvalidOption { option: key.to_owned(), value: text.to_owned(), why }
}

pub(super) fn value<T: FromStr>(key: &str, text: &str, why: &'static str) -> Result<T, Error> {
    text.parse().map_err(|_| invalid(key, text, why))
}

/// The words that Docker's own parser takes for a truth value.
fn flag(key: &str, text: &str) -> Result<bool, Error> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(invalid(key, text, "it is neither true nor false")),
    }
}

fn mode(key: &str, text: &str) -> Result<GatewayMode, Error> {
    match text {
        "nat" => Ok(GatewayMode::Nat),
        "nat-unprotected" => Ok(GatewayMode::NatUnprotected),
        "routed" => Ok(GatewayMode::Routed),
        "isolated" => Ok(GatewayMode::Isolated),
        _ => Err(invalid(key, text, "unknown gateway mode")),
    }
}

/// Docker passes over empty names between the colons.
fn links(key: &str, text: &str) -> Result<Vec<IfName>, Error> {
    let names = text.split(':').filter(|name| !name.is_empty());
    names.map(|name| value(key, name, NO_LINK_NAME)).collect()
}

/// A source address that answers can come back to.
fn source<T: FromStr + Into<IpAddr> + Copy>(key: &str, text: &str) -> Result<T, Error> {
    let address: T = value(key, text, "nil ip")?;
    match address.into() {
        ip if ip.is_unspecified() || ip.is_multicast() => {
            Err(invalid(key, text, "it is not the address of one host"))
        }
        _ => Ok(address),
    }
}

/// From 68 (RFC 791) to what the kernel takes for a bridge; 0 stands for the default, as in
/// Docker.
fn mtu(key: &str, text: &str) -> Result<Option<u32>, Error> {
    match value(key, text, "it is no number of bytes")? {
        0 => Ok(None),
        mtu @ 68..=65535 => Ok(Some(mtu)),
        _ => Err(invalid(key, text, "a packet has 68 to 65535 bytes")),
    }
}

/// Leaves room for five digits, and can't be `lo`, which every sandbox has.
fn prefix(key: &str, text: &str) -> Result<Option<String>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let name: IfName = value(key, text, NO_LINK_NAME)?;
    match text.len() <= 10 && text != "lo" && text.is_ascii() {
        true => Ok(Some(name.as_str().to_owned())),
        false => Err(invalid(key, text, "at most ten letters, and not lo")),
    }
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
            ("com.docker.network.bridge.gateway_mode_ipv4", "routed"),
            ("com.docker.network.bridge.gateway_mode_ipv6", "nat-unprotected"),
            ("com.docker.network.bridge.inhibit_ipv4", "T"),
            ("com.docker.network.bridge.trusted_host_interfaces", "eth0::vxlan.1:"),
            ("com.docker.network.driver.mtu", "1400"),
            ("com.docker.network.container_iface_prefix", "net"),
            ("com.docker.network.host_ipv4", "192.0.2.1"),
            ("com.docker.network.host_ipv6", "2001:db8::1"),
            ("hawser.source_guard", "false"),
            ("hawser.publish_from", "10.0.0.0/8,iface:wan0"),
            ("hawser.dns", "read elsewhere"),
            ("com.example.label", "kept elsewhere"),
        ]);
        let options = options.unwrap();
        let wanted = BridgeOptions {
            name: Some("br0".parse().unwrap()),
            icc: false,
            ip_masquerade: false,
            host_binding: Some(IpAddr::from([127, 0, 0, 1])),
            gateway_mode_ipv4: GatewayMode::Routed,
            gateway_mode_ipv6: GatewayMode::NatUnprotected,
            inhibit_ipv4: true,
            trusted_interfaces: vec!["eth0".parse().unwrap(), "vxlan.1".parse().unwrap()],
            mtu: Some(1400),
            interface_prefix: Some("net".to_owned()),
            host_ipv4: Some(Ipv4Addr::new(192, 0, 2, 1)),
            host_ipv6: Some("2001:db8::1".parse().unwrap()),
            source_guard: false,
            publish_from: Some("10.0.0.0/8,iface:wan0".parse().unwrap()),
            ..BridgeOptions::default()
        };
        assert_eq!(options, wanted);
        assert_eq!(parse(&[(MTU, "0")]), Ok(BridgeOptions::default()));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (key, text) in [
            ("com.docker.network.bridge.name", "a/b"),
            ("com.docker.network.bridge.enable_icc", "perhaps"),
            ("com.docker.network.bridge.host_binding_ipv4", "here"),
            ("com.docker.network.bridge.gateway_mode_ipv4", ""),
            ("com.docker.network.bridge.gateway_mode_ipv6", "NAT"),
            ("com.docker.network.bridge.inhibit_ipv4", ""),
            ("com.docker.network.bridge.trusted_host_interfaces", "a/b"),
            ("com.docker.network.host_ipv4", "2001:db8::1"),
            ("com.docker.network.host_ipv4", "0.0.0.0"),
            ("com.docker.network.host_ipv6", "192.0.2.1"),
            ("hawser.source_guard", "perhaps"),
            ("com.docker.network.driver.mtu", "1"),
            ("com.docker.network.driver.mtu", "-1"),
            ("com.docker.network.container_iface_prefix", "much-too-long-it-is"),
            ("com.docker.network.container_iface_prefix", "lo"),
        ] {
            let Err(Error::InvalidOption { option, value, .. }) = parse(&[(key, text)]) else {
                panic!("{key}={text} is taken");
            };
            assert_eq!((option.as_str(), value.as_str()), (key, text));
        }
        for unknown in ["com.docker.network.bridge.enable_magic", "hawser.magic"] {
            assert_eq!(parse(&[(unknown, "1")]), Err(Error::UnknownOption(unknown.to_owned())));
        }
    }
}
