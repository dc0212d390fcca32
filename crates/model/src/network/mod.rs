//! Networks: what is stored of one, and what is asked for when one is made.
//!
//! In: [`NetworkSpec`]. Out: [`Network`] records in the model. `create`, `remove` and `resolve`
//! are the verbs; `pool` picks subnets, `options` reads driver options.

mod create;
mod name;
mod options;
mod pool;
mod remove;
mod resolve;
mod update;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hawser_hoststate::{IfName, MacAddr};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::id::NetworkId;
pub use name::NetworkName;
pub use options::{BridgeOptions, GatewayMode, ResolverOptions};
pub use pool::{DefaultPool, Surroundings, docker_pools};

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

/// One address pool of a network: a subnet and who may have which part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The subnet, host bits zero.
    pub subnet: IpNet,
    /// Part of the subnet that addresses are picked from; the whole subnet if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_range: Option<IpNet>,
    /// The network's own address in the subnet. None for networks that need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// Next hop of the default route, where it is not the gateway (`--default-gateway`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_hop: Option<IpAddr>,
    /// Addresses that others use, by name; never given to an endpoint.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub auxiliary: BTreeMap<String, IpAddr>,
    /// Whether the user gave the subnet: only then may a certain address be asked for.
    #[serde(default)]
    pub configured: bool,
}

/// A network as it is stored; `network/<id>` in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its identity.
    pub id: NetworkId,
    /// Its name, unique.
    pub name: NetworkName,
    /// When it was made: RFC 3339 text, given by the caller, not read here.
    pub created: String,
    /// What makes its data path.
    pub driver: Driver,
    /// How far it reaches.
    #[serde(default)]
    pub scope: Scope,
    /// Made by the engine itself (`bridge`, `host`, `none`): can't be removed, has no name
    /// service, and gives no address on demand.
    #[serde(default)]
    pub predefined: bool,
    /// Whether endpoints get IPv4 addresses.
    pub ipv4: bool,
    /// Whether endpoints get IPv6 addresses.
    pub ipv6: bool,
    /// No way to the outside.
    #[serde(default)]
    pub internal: bool,
    /// Standalone containers may join (kept for clients; it changes nothing on one host).
    #[serde(default)]
    pub attachable: bool,
    /// Routing mesh network (kept for clients).
    #[serde(default)]
    pub ingress: bool,
    /// Only a template for others (`--config-only`): its driver is `null`, it has no data path,
    /// nothing connects to it.
    #[serde(default)]
    pub config_only: bool,
    /// The template that pools, options and labels were taken from (`--config-from`); that one
    /// can't be removed while this network is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_from: Option<NetworkId>,
    /// Who manages its addresses.
    #[serde(default)]
    pub ipam_driver: IpamDriver,
    /// Options of the address management as given, for `inspect`.
    #[serde(default)]
    pub ipam_options: BTreeMap<String, String>,
    /// Address pools, in the order given; an endpoint gets one address of each family, from the
    /// first pool that has a free one.
    #[serde(default)]
    pub pools: Vec<Pool>,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Driver options as given, for `inspect`.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// What the options mean to the bridge driver.
    pub bridge: BridgeOptions,
    /// What the options mean to the name service.
    #[serde(default)]
    pub resolver: ResolverOptions,
}

impl Network {
    /// Whether it has a bridge link on this host.
    pub fn has_bridge(&self) -> bool {
        self.driver == Driver::Bridge
    }

    /// Name of the bridge link: the one asked for or `br-` and the first 12 digits of the id.
    pub fn bridge_name(&self) -> IfName {
        self.bridge.name.clone().unwrap_or_else(|| options::generated_name(self.id))
    }

    /// Hardware address of the gateway, made from the network's id.
    pub fn gateway_mac(&self) -> MacAddr {
        crate::endpoint::local_mac(&self.id.as_bytes()[26..])
    }

    /// The first pool of a family.
    pub fn pool(&self, v6: bool) -> Option<&Pool> {
        self.pools.iter().find(|pool| matches!(pool.subnet, IpNet::V6(_)) == v6)
    }

    /// The pool that an address is in.
    pub fn pool_of(&self, address: IpAddr) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.subnet.contains(&address))
    }
}

/// A pool asked for; what is left out is picked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolSpec {
    /// Subnet. The unspecified address with a prefix length (`0.0.0.0/26`, `::/80`) asks for the
    /// next free one of that size, as Docker 29 has it.
    pub subnet: Option<IpNet>,
    /// Part of it that addresses are picked from.
    pub ip_range: Option<IpNet>,
    /// Gateway.
    pub gateway: Option<IpAddr>,
    /// Next hop of the default route, if not the gateway.
    pub next_hop: Option<IpAddr>,
    /// Addresses used by others.
    pub auxiliary: BTreeMap<String, IpAddr>,
}

/// Changes of a network that is in use; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkChange {
    /// Labels to set, and to take away (`None`).
    pub labels: BTreeMap<String, Option<String>>,
    /// Driver options to set, and to take back to their default (`None`). Only those that can
    /// change under running containers: MTU, icc, masquerading, resolver options.
    pub options: BTreeMap<String, Option<String>>,
    /// Pools to add.
    pub pools: Vec<PoolSpec>,
}

/// How full a pool is; both saturate at 2^64 - 1 (Docker API 1.52, `SubnetStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUsage {
    /// The subnet.
    pub subnet: IpNet,
    /// Addresses of the subnet that are in use or reserved, special ones included.
    pub in_use: u64,
    /// Addresses of the range for dynamic ones that are free.
    pub dynamic_free: u64,
}

/// A network asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Its identity: fresh random bytes of the caller.
    pub id: NetworkId,
    /// Its name.
    pub name: NetworkName,
    /// Now, as RFC 3339 text.
    pub created: String,
    /// What makes its data path.
    pub driver: Driver,
    /// Made by the engine itself; users can't ask for it.
    pub predefined: bool,
    /// IPv4 addresses (Docker's default: yes).
    pub ipv4: bool,
    /// IPv6 addresses (Docker's default: no).
    pub ipv6: bool,
    /// No way to the outside.
    pub internal: bool,
    /// Kept for clients.
    pub attachable: bool,
    /// Kept for clients.
    pub ingress: bool,
    /// Only a template.
    pub config_only: bool,
    /// Name or id of the template to take pools, options and labels from.
    pub config_from: Option<String>,
    /// Who manages its addresses.
    pub ipam_driver: IpamDriver,
    /// Kept for clients.
    pub ipam_options: BTreeMap<String, String>,
    /// Pools; a family that is enabled and has none here gets one picked.
    pub pools: Vec<PoolSpec>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Driver options.
    pub options: BTreeMap<String, String>,
}

impl NetworkSpec {
    /// A plain IPv4 network of a driver; change the fields that differ.
    pub fn new(id: NetworkId, name: NetworkName, driver: Driver) -> Self {
        Self {
            id,
            name,
            created: String::new(),
            driver,
            predefined: false,
            ipv4: true,
            ipv6: false,
            internal: false,
            attachable: false,
            ingress: false,
            config_only: false,
            config_from: None,
            ipam_driver: IpamDriver::Default,
            ipam_options: BTreeMap::new(),
            pools: Vec::new(),
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
        }
    }
}
