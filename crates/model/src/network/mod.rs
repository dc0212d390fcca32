//! Networks: what is stored of one, and what is asked for when one is made.
//!
//! In: [`NetworkSpec`], [`NetworkChange`]. Out: [`Network`] records in the model. `create`,
//! `update`, `remove` and `resolve` are the verbs; `template` knows what comes from another
//! network, `options`, `resolver` and `sources` read driver options, `check` judges pools and `pool` picks
//! subnets.

mod check;
mod create;
mod driver;
mod name;
mod options;
mod pool;
mod pools;
mod remove;
mod resolve;
mod resolver;
mod sources;
mod spec;
mod template;
mod update;

use std::collections::BTreeMap;
use std::net::IpAddr;

use hawser_hoststate::{IfName, MacAddr};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::id::NetworkId;
pub use driver::{Driver, IpamDriver, Scope};
pub use name::NetworkName;
pub use options::{BridgeOptions, GatewayMode};
pub use pool::{DefaultPool, Surroundings, docker_pools};
pub use resolver::ResolverOptions;
pub use sources::{SOURCES, Sources};
pub use spec::{NetworkChange, NetworkSpec, PoolSpec, PoolUsage};

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

impl Pool {
    /// Who leads to the outside: the next hop that was asked for, else the gateway.
    pub fn router(&self) -> Option<IpAddr> {
        self.next_hop.or(self.gateway)
    }
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
