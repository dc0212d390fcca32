//! The laws of the model, one error each. Where Docker has words for it they are Docker's.

use std::net::IpAddr;

use hawser_hoststate::{IfName, MacAddr, Transport};
use ipnet::IpNet;

use crate::id::{EndpointId, NetworkId, SandboxId};
use crate::network::PoolUsage;

/// What sort of failure it is, for the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request makes no sense.
    Invalid,
    /// It may not be done.
    Forbidden,
    /// What was named is not there.
    NotFound,
    /// It contradicts what is there.
    Conflict,
    /// Something has run out, or records contradict one another.
    System,
}

/// A law of the model would have been broken; the model is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message beside each variant says what it and its fields are")]
pub enum Error {
    // Networks
    #[error("invalid name: name is empty")]
    EmptyName,
    #[error("invalid name {0:?}: at most 1024 bytes, without control characters")]
    InvalidName(String),
    #[error("network with name {0} already exists")]
    NameTaken(String),
    #[error("operation is not permitted on predefined {0} network")]
    PredefinedName(String),
    #[error("{0} is a pre-defined network and cannot be removed")]
    PredefinedRemove(String),
    #[error("only one instance of \"{0}\" network is allowed")]
    OnlyOne(&'static str),
    #[error("plugin {0:?} not found")]
    UnknownDriver(String),
    #[error("unknown option {0:?} of the bridge driver")]
    UnknownOption(String),
    #[error("failed to parse {option} value: {value} ({why})")]
    InvalidOption { option: String, value: String, why: &'static str },
    #[error("option {0:?} of a network that is there can't be changed")]
    FixedOption(String),
    #[error("gateway mode 'isolated' can only be used for an internal network")]
    IsolatedNotInternal,
    #[error("network {0} not found")]
    NoSuchNetwork(String),
    #[error("network {term} is ambiguous ({count} matches found based on ID prefix)")]
    Ambiguous { term: String, count: usize },
    #[error(
        "error while removing network: network {network} has active endpoints ({})",
        active(endpoints)
    )]
    ActiveEndpoints { network: String, endpoints: Vec<(String, EndpointId)> },
    #[error(
        "cannot create network {id} ({name}): conflicts with network {other_id} ({other_name}): \
         networks have same bridge name"
    )]
    BridgeTaken { id: NetworkId, name: IfName, other_id: NetworkId, other_name: IfName },

    // Templates
    #[error(
        "configuration network can only contain network specific fields. Network operator fields \
         like [ ingress | internal | attachable | scope ] are not supported."
    )]
    TemplateOperator,
    #[error("a configuration network cannot depend on another configuration network")]
    TemplateOfTemplate,
    #[error(
        "user specified configurations are not supported if the network depends on a \
         configuration network"
    )]
    OwnSettings,
    #[error(
        "network driver options are not supported if the network depends on a configuration network"
    )]
    OwnOptions,
    #[error("configuration network {0:?} does not exist")]
    NoSuchTemplate(String),
    #[error("configuration network {0:?} is in use")]
    TemplateInUse(String),
    #[error("cannot create endpoint on configuration-only network")]
    TemplateConnect,

    // Pools
    #[error("invalid network config:\n{}", bullets(.0))]
    InvalidConfig(Vec<String>),
    #[error("invalid pool request: Pool overlaps with other one on this address space")]
    PoolOverlap { wanted: IpNet, other: IpNet },
    #[error("all predefined address pools have been fully subnetted")]
    NoMoreSubnets,
    #[error("invalid address pool: no default address pool can be cut into subnets of /{size}")]
    NoPoolOfSize { size: u8 },
    #[error("null ipam driver does not handle specific address pool requests")]
    NullIpam,
    #[error("failed to allocate gateway ({0}): Address already in use")]
    GatewayTaken(IpAddr),
    #[error("failed to allocate secondary ip address ({name}:{address}): Address already in use")]
    AuxiliaryTaken { name: String, address: IpAddr },
    #[error("IPv4 or IPv6 must be enabled")]
    NoFamily,

    // Endpoints
    #[error("invalid endpoint settings:\n{}", bullets(.0))]
    InvalidEndpoint(Vec<String>),
    #[error("endpoint with name {name} already exists in network {network}")]
    AlreadyConnected { name: String, network: String },
    #[error("container {sandbox} is not connected to network {network}")]
    NotConnected { sandbox: SandboxId, network: String },
    #[error("container cannot be disconnected from host network or connected to host network")]
    HostNetwork,
    #[error(
        "container sharing network namespace with another container or host cannot be connected to any other network"
    )]
    SharedNetwork,
    #[error(
        "container cannot be connected to multiple networks with one of the networks in private (none) mode"
    )]
    PrivateNetwork,
    #[error("Address already in use")]
    AddressInUse { address: IpAddr, holder: Option<EndpointId> },
    #[error(
        "no available IPv{family} addresses on this network's address pools: {network} ({id}){}",
        usage(pools)
    )]
    NoAddress { family: u8, network: String, id: NetworkId, pools: Vec<PoolUsage> },
    #[error("invalid link local IP address: {0}")]
    NotLinkLocal(IpAddr),
    #[error("MAC address {mac} is already in use on network {network}")]
    MacInUse { mac: MacAddr, network: String },
    #[error("MAC address {0} is not the address of one station")]
    MacNotUnicast(MacAddr),
    #[error("endpoint id {0} is already in use")]
    EndpointTaken(EndpointId),

    // Sandboxes
    #[error("sandbox {0} already exists")]
    SandboxTaken(SandboxId),
    #[error("sandbox {0} not found")]
    NoSuchSandbox(SandboxId),
    #[error("conflicting options: port publishing and the container type network mode")]
    PublishWithoutNetwork,
    #[error("invalid published port 0")]
    PortZero,
    #[error("Bind for {} failed: port is already allocated", socket(address, port))]
    PortInUse { address: IpAddr, transport: Transport, port: u16, holder: SandboxId },

    // Records
    #[error("records contradict one another: {0}")]
    Records(String),
}

impl Error {
    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::EmptyName
            | Self::InvalidName(_)
            | Self::UnknownOption(_)
            | Self::InvalidOption { .. }
            | Self::FixedOption(_)
            | Self::IsolatedNotInternal
            | Self::NoPoolOfSize { .. }
            | Self::NullIpam
            | Self::NotLinkLocal(_)
            | Self::Ambiguous { .. }
            | Self::InvalidConfig(_)
            | Self::NoMoreSubnets
            | Self::NoFamily
            | Self::InvalidEndpoint(_)
            | Self::MacNotUnicast(_)
            | Self::HostNetwork
            | Self::SharedNetwork
            | Self::PrivateNetwork
            | Self::PublishWithoutNetwork
            | Self::PortZero => Kind::Invalid,
            Self::PredefinedName(_)
            | Self::PredefinedRemove(_)
            | Self::OnlyOne(_)
            | Self::ActiveEndpoints { .. }
            | Self::BridgeTaken { .. }
            | Self::TemplateOperator
            | Self::TemplateOfTemplate
            | Self::OwnSettings
            | Self::OwnOptions
            | Self::TemplateInUse(_)
            | Self::TemplateConnect
            | Self::PoolOverlap { .. }
            | Self::AlreadyConnected { .. }
            | Self::AddressInUse { .. } => Kind::Forbidden,
            Self::UnknownDriver(_)
            | Self::NoSuchNetwork(_)
            | Self::NoSuchTemplate(_)
            | Self::NoSuchSandbox(_) => Kind::NotFound,
            Self::NameTaken(_)
            | Self::MacInUse { .. }
            | Self::SandboxTaken(_)
            | Self::EndpointTaken(_) => Kind::Conflict,
            Self::NotConnected { .. }
            | Self::NoAddress { .. }
            | Self::GatewayTaken(_)
            | Self::AuxiliaryTaken { .. }
            | Self::PortInUse { .. }
            | Self::Records(_) => Kind::System,
        }
    }
}

/// Docker lists several faults of one request as bullets.
fn bullets(faults: &[String]) -> String {
    faults.iter().map(|fault| format!("* {fault}")).collect::<Vec<_>>().join("\n")
}

fn active(endpoints: &[(String, EndpointId)]) -> String {
    let one = |(name, id): &(String, EndpointId)| format!("name:{name:?} id:\"{}\"", id.short());
    endpoints.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How full each pool is.
fn usage(pools: &[PoolUsage]) -> String {
    let one = |pool: &PoolUsage| {
        let range = pool.ip_range.map(|range| format!(", all of {range} among them"));
        format!("{} of {} are in use{}", pool.in_use, pool.subnet, range.unwrap_or_default())
    };
    match pools {
        [] => String::new(),
        _ => format!(": {}", pools.iter().map(one).collect::<Vec<_>>().join("; ")),
    }
}

fn socket(address: &IpAddr, port: &u16) -> String {
    std::net::SocketAddr::new(*address, *port).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_dockers() {
        let id = EndpointId::from_bytes([0xab; 32]);
        let error = Error::ActiveEndpoints {
            network: "net".to_owned(),
            endpoints: vec![("c1".to_owned(), id), ("c2".to_owned(), id)],
        };
        assert_eq!(
            error.to_string(),
            "error while removing network: network net has active endpoints \
             (name:\"c1\" id:\"abababababab\", name:\"c2\" id:\"abababababab\")"
        );
        let error = Error::InvalidEndpoint(vec!["one".to_owned(), "two".to_owned()]);
        assert_eq!(error.to_string(), "invalid endpoint settings:\n* one\n* two");
        let holder = SandboxId::from_bytes([1; 32]);
        let address = IpAddr::from([0, 0, 0, 0]);
        let error = Error::PortInUse { address, transport: Transport::Tcp, port: 80, holder };
        assert_eq!(error.to_string(), "Bind for 0.0.0.0:80 failed: port is already allocated");
    }
}
