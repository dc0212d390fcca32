//! What is asked for when a network is made or changed, and how its pools are told.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Driver, IpamDriver, NetworkName};
use crate::id::NetworkId;

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
    /// change under running containers: MTU, icc, masquerading, source guard, resolver
    /// options.
    pub options: BTreeMap<String, Option<String>>,
    /// Pools to add.
    pub pools: Vec<PoolSpec>,
}

/// How full a pool is; both saturate at 2^64 - 1 (Docker API 1.52, `SubnetStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUsage {
    /// The subnet.
    pub subnet: IpNet,
    /// Part of it that dynamic addresses come from, if not the whole.
    pub ip_range: Option<IpNet>,
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
