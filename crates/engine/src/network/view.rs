//! What `inspect` and `ls` show of networks and of a container's place in them.
//!
//! In: the model. Out: plain values for the edge to print. Nothing here is stored.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hawser_model::PoolUsage;

use crate::spec::{EndpointSettings, IpamConfig, PortMap};

/// A container's place in its networks.
#[derive(Clone, Debug, Default)]
pub struct NetworkView {
    /// Id of the sandbox; empty while the container does not run.
    pub sandbox_id: String,
    /// File that pins its namespace; empty while the container does not run.
    pub sandbox_key: PathBuf,
    /// Exposed and published ports: `None` for one that is exposed only; empty while it does not run.
    pub ports: PortMap,
    /// Its endpoints by network name: what was asked for, and the actual values while it runs.
    pub networks: BTreeMap<String, EndpointSettings>,
}

/// A network.
#[derive(Clone, Debug, Default)]
pub struct NetworkDetails {
    /// Id, 64 hexadecimal digits.
    pub id: String,
    /// Name.
    pub name: String,
    /// When it was made (RFC 3339).
    pub created: String,
    /// `local`.
    pub scope: &'static str,
    /// `bridge`, `host` or `null`.
    pub driver: &'static str,
    /// Whether it has IPv4.
    pub enable_ipv4: bool,
    /// Whether it has IPv6.
    pub enable_ipv6: bool,
    /// No way to the outside.
    pub internal: bool,
    /// Standalone containers may join (swarm).
    pub attachable: bool,
    /// Only a template for others.
    pub config_only: bool,
    /// Name of the template that it was made from, or empty.
    pub config_from: String,
    /// `default` or `null`.
    pub ipam_driver: &'static str,
    /// Options of the address management as given.
    pub ipam_options: BTreeMap<String, String>,
    /// Made by the engine itself.
    pub predefined: bool,
    /// Address pools.
    pub pools: Vec<IpamConfig>,
    /// Driver options as given.
    pub options: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The running containers on it, by container id; only looked up for one network alone.
    pub containers: BTreeMap<String, Attached>,
    /// How full each pool is; only looked up for one network alone.
    pub usage: Vec<PoolUsage>,
}

/// A running container on a network.
#[derive(Clone, Debug, Default)]
pub struct Attached {
    /// Its name.
    pub name: String,
    /// Its endpoint.
    pub endpoint_id: String,
    /// Its hardware address.
    pub mac_address: String,
    /// Its IPv4 address with prefix length, or empty.
    pub ipv4_address: String,
    /// Its IPv6 address with prefix length, or empty.
    pub ipv6_address: String,
}

/// A network that was made.
#[derive(Clone, Debug)]
pub struct NetworkCreated {
    /// Its id.
    pub id: String,
    /// What the user should know; often empty.
    pub warning: String,
}
