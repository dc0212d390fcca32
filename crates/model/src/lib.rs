//! The container network model: networks, sandboxes, endpoints, published ports and addresses,
//! and the laws between them.
//!
//! In: records ([`Network`], [`Sandbox`], [`Endpoint`]) and requests ([`NetworkSpec`],
//! [`SandboxSpec`], [`EndpointSpec`]). Out: a changed [`Model`] and what it [`Touched`], or an
//! [`Error`] and an unchanged model. Everything is deterministic: ids, times and what the host
//! already uses are passed in. No I/O, no JSON beyond the records' derives, nothing about how a
//! host is made to look so (that is `plan`). The words for MAC addresses, link names and
//! transports are those of `hoststate`, so that they exist once.

mod endpoint;
mod error;
mod id;
mod index;
mod model;
mod network;
mod sandbox;
mod spans;

pub use endpoint::{Endpoint, EndpointSpec, Interface};
pub use error::{Error, Kind};
pub use hawser_hoststate::{IfName, MacAddr, Transport};
pub use id::{EndpointId, InvalidId, NetworkId, SandboxId};
pub use model::{Model, Records, Touched};
pub use network::{
    BridgeOptions, DefaultPool, Driver, GatewayMode, IpamDriver, Network, NetworkChange,
    NetworkName, NetworkSpec, Pool, PoolSpec, PoolUsage, ResolverOptions, SOURCES, Scope, Sources,
    Surroundings, docker_pools,
};
pub use sandbox::{Mode, Publication, PublishFrom, Reach, Sandbox, SandboxSpec, Way};
