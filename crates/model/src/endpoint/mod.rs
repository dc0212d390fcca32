//! Endpoints: the attachment of a sandbox to a network.
//!
//! In: [`EndpointSpec`]. Out: [`Endpoint`] records. `connect`, `disconnect` and `reserve` are the
//! verbs; `request` says what may be asked for, `address` and `interface` give what was not,
//! `gateway` says which endpoint leads to the outside, `links` who links to whom, `usage` how full
//! the pools are.

pub(crate) mod address;
mod connect;
mod disconnect;
mod gateway;
mod interface;
mod links;
mod request;
mod reserve;
mod usage;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hawser_hoststate::{IfName, MacAddr};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::id::{EndpointId, NetworkId, SandboxId};
pub(crate) use reserve::Reservations;

/// What an endpoint has on the wire. Endpoints of `host` and `null` networks have none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Name in the sandbox (`eth0`).
    pub name: IfName,
    /// Name of the host's end.
    pub host_link: IfName,
    /// Hardware address, unique on the network.
    pub mac: MacAddr,
    /// IPv4 address with the subnet's prefix length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<Ipv4Net>,
    /// IPv6 address with the subnet's prefix length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Ipv6Net>,
    /// Link-local addresses asked for (`--link-local-ip`): /16 (RFC 3927) or /64 (RFC 4291).
    /// They are of this wire alone: no name, no published port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link_local: Vec<IpNet>,
    /// Settings of the interface that the user asked for: full names below `net.`, value
    /// (`com.docker.network.endpoint.sysctls`, with the interface's name for `IFNAME`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sysctls: BTreeMap<String, String>,
}

impl Interface {
    /// The addresses leased from the network's pools, IPv4 first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let v4 = self.ipv4.map(|net| IpAddr::V4(net.addr()));
        v4.into_iter().chain(self.ipv6.map(|net| IpAddr::V6(net.addr())))
    }

    /// The leased address of one family.
    pub fn address(&self, v6: bool) -> Option<IpAddr> {
        self.addresses().find(|address| address.is_ipv6() == v6)
    }

    /// Also the link-local ones: what nobody else on the network may have.
    pub fn all_addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses().chain(self.link_local.iter().map(IpNet::addr))
    }
}

/// An endpoint as it is stored; `endpoint/<id>` in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its identity.
    pub id: EndpointId,
    /// The network.
    pub network: NetworkId,
    /// The sandbox.
    pub sandbox: SandboxId,
    /// Its end of the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<Interface>,
    /// Further names on this network.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Names that only this endpoint's sandbox knows, and the name on this network that each stands
    /// for (`--link`). Whoever has that name is found by it, also one that comes later.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// The highest gives the sandbox its default gateway.
    #[serde(default)]
    pub gw_priority: i64,
    /// Driver options as given, for `inspect`.
    #[serde(default)]
    pub driver_opts: BTreeMap<String, String>,
}

impl Endpoint {
    /// Hardware address of the host's end of the wire, made from the endpoint's id. Its first
    /// byte is as high as can be: a bridge without an address of its own takes the lowest one.
    pub fn host_mac(&self) -> MacAddr {
        let MacAddr(mut mac) = local_mac(&self.id.as_bytes()[26..]);
        mac[0] = 0xfe;
        MacAddr(mac)
    }
}

/// An endpoint asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSpec {
    /// Its identity: fresh random bytes of the caller.
    pub id: EndpointId,
    /// The network.
    pub network: NetworkId,
    /// The sandbox.
    pub sandbox: SandboxId,
    /// A certain IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// A certain IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
    /// Further addresses, link-local ones.
    pub link_local: Vec<IpAddr>,
    /// A certain hardware address.
    pub mac: Option<MacAddr>,
    /// Further names on this network.
    pub aliases: Vec<String>,
    /// Private names, and the name on the network that each stands for.
    pub links: BTreeMap<String, String>,
    /// The highest gives the default gateway.
    pub gw_priority: i64,
    /// Driver options.
    pub driver_opts: BTreeMap<String, String>,
}

impl EndpointSpec {
    /// An endpoint with everything picked; change the fields that differ.
    pub fn new(id: EndpointId, network: NetworkId, sandbox: SandboxId) -> Self {
        Self {
            id,
            network,
            sandbox,
            ipv4: None,
            ipv6: None,
            link_local: Vec::new(),
            mac: None,
            aliases: Vec::new(),
            links: BTreeMap::new(),
            gw_priority: 0,
            driver_opts: BTreeMap::new(),
        }
    }
}

/// A unicast, locally administered hardware address from six (or fewer) bytes.
pub(crate) fn local_mac(bytes: &[u8]) -> MacAddr {
    let mut mac = [0u8; 6];
    for (to, from) in mac.iter_mut().zip(bytes) {
        *to = *from;
    }
    mac[0] = (mac[0] & 0xfc) | 0x02;
    MacAddr(mac)
}
