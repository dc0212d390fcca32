//! Networks and endpoints as clients write and read them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::nullable;

/// Addresses asked for an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EndpointIpam {
    /// IPv4 address.
    #[serde(
        rename = "IPv4Address",
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub ipv4_address: String,
    /// IPv6 address.
    #[serde(
        rename = "IPv6Address",
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub ipv6_address: String,
    /// Link-local addresses.
    #[serde(rename = "LinkLocalIPs", default, skip_serializing_if = "Option::is_none")]
    pub link_local_ips: Option<Vec<String>>,
}

/// An endpoint: what the user asked for first, then what it has while it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EndpointSettings {
    /// Addresses asked for.
    #[serde(rename = "IPAMConfig", default)]
    pub ipam_config: Option<EndpointIpam>,
    /// Links, `name[:alias]`.
    #[serde(default)]
    pub links: Option<Vec<String>>,
    /// Aliases on this network.
    #[serde(default)]
    pub aliases: Option<Vec<String>>,
    /// MAC address: asked for, and the actual one while it runs.
    #[serde(default, deserialize_with = "nullable")]
    pub mac_address: String,
    /// Driver options.
    #[serde(default)]
    pub driver_opts: Option<BTreeMap<String, String>>,
    /// The highest gives the default gateway.
    #[serde(default, deserialize_with = "nullable")]
    pub gw_priority: i64,
    /// Id of the network.
    #[serde(rename = "NetworkID", default, deserialize_with = "nullable")]
    pub network_id: String,
    /// Id of the endpoint; empty if it does not run.
    #[serde(rename = "EndpointID", default, deserialize_with = "nullable")]
    pub endpoint_id: String,
    /// IPv4 gateway.
    #[serde(default, deserialize_with = "nullable")]
    pub gateway: String,
    /// IPv4 address.
    #[serde(rename = "IPAddress", default, deserialize_with = "nullable")]
    pub ip_address: String,
    /// IPv4 prefix length.
    #[serde(rename = "IPPrefixLen", default, deserialize_with = "nullable")]
    pub ip_prefix_len: u8,
    /// IPv6 gateway.
    #[serde(rename = "IPv6Gateway", default, deserialize_with = "nullable")]
    pub ipv6_gateway: String,
    /// IPv6 address.
    #[serde(rename = "GlobalIPv6Address", default, deserialize_with = "nullable")]
    pub global_ipv6_address: String,
    /// IPv6 prefix length.
    #[serde(rename = "GlobalIPv6PrefixLen", default, deserialize_with = "nullable")]
    pub global_ipv6_prefix_len: u8,
    /// Names that the name service answers.
    #[serde(rename = "DNSNames", default)]
    pub dns_names: Option<Vec<String>>,
}

/// Endpoints asked for with a container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkingConfig {
    /// Network name or id → settings.
    #[serde(default, deserialize_with = "nullable")]
    pub endpoints_config: BTreeMap<String, Option<EndpointSettings>>,
}

/// One address pool of a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IpamConfig {
    /// Subnet in CIDR form.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub subnet: String,
    /// Range in CIDR form that addresses are taken from.
    #[serde(
        rename = "IPRange",
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub ip_range: String,
    /// Gateway.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub gateway: String,
    /// Addresses used by others, by name.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub auxiliary_addresses: BTreeMap<String, String>,
}

/// Address management of a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ipam {
    /// `default` or `null`.
    #[serde(default, deserialize_with = "nullable")]
    pub driver: String,
    /// Driver options.
    #[serde(default)]
    pub options: Option<BTreeMap<String, String>>,
    /// Pools.
    #[serde(default, deserialize_with = "nullable")]
    pub config: Vec<IpamConfig>,
}

/// The body of `POST /networks/create`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkCreate {
    /// Name.
    #[serde(default, deserialize_with = "nullable")]
    pub name: String,
    /// Legacy, without effect: names are unique.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "std::ops::Not::not")]
    pub check_duplicate: bool,
    /// Driver; empty is `bridge`.
    #[serde(default, deserialize_with = "nullable")]
    pub driver: String,
    /// `local`, `global`, `swarm`; empty is the driver's.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// No way to the outside.
    #[serde(default, deserialize_with = "nullable")]
    pub internal: bool,
    /// Standalone containers may join (swarm).
    #[serde(default, deserialize_with = "nullable")]
    pub attachable: bool,
    /// Routing mesh (swarm).
    #[serde(default, deserialize_with = "nullable")]
    pub ingress: bool,
    /// Only a template for others.
    #[serde(default, deserialize_with = "nullable")]
    pub config_only: bool,
    /// Template, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_from: Option<BTreeMap<String, String>>,
    /// Address management.
    #[serde(rename = "IPAM", default)]
    pub ipam: Option<Ipam>,
    /// IPv4 addresses; default yes.
    #[serde(rename = "EnableIPv4", default, skip_serializing_if = "Option::is_none")]
    pub enable_ipv4: Option<bool>,
    /// IPv6 addresses; default no.
    #[serde(rename = "EnableIPv6", default, skip_serializing_if = "Option::is_none")]
    pub enable_ipv6: Option<bool>,
    /// Driver options.
    #[serde(default, deserialize_with = "nullable")]
    pub options: BTreeMap<String, String>,
    /// Labels.
    #[serde(default, deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
}
