//! A network as `inspect` and `ls` show it.
//!
//! In: the engine's view. Out: Docker's shape. Predefined networks without pools have `null`
//! where others have lists, as Docker writes them.

use std::collections::BTreeMap;

use hawser_engine::network::{Attached, NetworkDetails, PoolUsage};
use hawser_engine::spec::IpamConfig;
use serde::Serialize;

use crate::time;

/// A network.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Network<'a> {
    name: &'a str,
    id: &'a str,
    created: String,
    scope: &'a str,
    driver: &'a str,
    #[serde(rename = "EnableIPv4")]
    enable_ipv4: bool,
    #[serde(rename = "EnableIPv6")]
    enable_ipv6: bool,
    #[serde(rename = "IPAM")]
    ipam: Ipam<'a>,
    internal: bool,
    attachable: bool,
    ingress: bool,
    config_from: ConfigFrom<'a>,
    config_only: bool,
    containers: BTreeMap<&'a str, Container<'a>>,
    options: &'a BTreeMap<String, String>,
    labels: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam<'a> {
    driver: &'static str,
    options: Option<&'a BTreeMap<String, String>>,
    config: Option<&'a [IpamConfig]>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ConfigFrom<'a> {
    network: &'a str,
}

/// What the network is like now (API 1.52).
#[derive(Serialize)]
struct Status {
    #[serde(rename = "IPAM")]
    ipam: IpamStatus,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IpamStatus {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    subnets: BTreeMap<String, Usage>,
}

#[derive(Serialize)]
struct Usage {
    #[serde(rename = "IPsInUse")]
    in_use: u64,
    #[serde(rename = "DynamicIPsAvailable")]
    dynamic_free: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Container<'a> {
    name: &'a str,
    #[serde(rename = "EndpointID")]
    endpoint_id: &'a str,
    mac_address: &'a str,
    #[serde(rename = "IPv4Address")]
    ipv4_address: &'a str,
    #[serde(rename = "IPv6Address")]
    ipv6_address: &'a str,
}

impl<'a> Network<'a> {
    /// The network in Docker's shape, with what only `inspect` shows.
    pub fn inspected(details: &'a NetworkDetails) -> Self {
        Self { status: Some(Status::new(&details.usage)), ..Self::new(details) }
    }

    /// The network in Docker's shape.
    pub fn new(details: &'a NetworkDetails) -> Self {
        let containers = details.containers.iter();
        Self {
            name: &details.name,
            id: &details.id,
            created: time::in_utc(&details.created),
            scope: details.scope,
            driver: details.driver,
            enable_ipv4: details.enable_ipv4,
            enable_ipv6: details.enable_ipv6,
            ipam: Ipam::new(details),
            internal: details.internal,
            attachable: details.attachable,
            ingress: false,
            config_from: ConfigFrom { network: &details.config_from },
            config_only: details.config_only,
            containers: containers.map(|(id, who)| (id.as_str(), Container::new(who))).collect(),
            options: &details.options,
            labels: &details.labels,
            status: None,
        }
    }
}

impl Status {
    fn new(usage: &[PoolUsage]) -> Self {
        let figures = |pool: &PoolUsage| {
            let (in_use, dynamic_free) = (pool.in_use, pool.dynamic_free);
            (pool.subnet.to_string(), Usage { in_use, dynamic_free })
        };
        Self { ipam: IpamStatus { subnets: usage.iter().map(figures).collect() } }
    }
}

impl<'a> Ipam<'a> {
    fn new(details: &'a NetworkDetails) -> Self {
        Self {
            driver: details.ipam_driver,
            options: (!details.predefined).then_some(&details.ipam_options),
            config: (!details.pools.is_empty()).then_some(&details.pools[..]),
        }
    }
}

impl<'a> Container<'a> {
    fn new(who: &'a Attached) -> Self {
        Self {
            name: &who.name,
            endpoint_id: &who.endpoint_id,
            mac_address: &who.mac_address,
            ipv4_address: &who.ipv4_address,
            ipv6_address: &who.ipv6_address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_dockers() {
        let details = NetworkDetails {
            id: "n1".into(),
            name: "front".into(),
            created: "2023-11-14T22:13:20Z".into(),
            scope: "local",
            driver: "bridge",
            ipam_driver: "default",
            enable_ipv4: true,
            pools: vec![IpamConfig {
                subnet: "172.18.0.0/16".into(),
                gateway: "172.18.0.1".into(),
                ..IpamConfig::default()
            }],
            containers: BTreeMap::from([(
                "c1".to_owned(),
                Attached { name: "web".into(), ..Attached::default() },
            )]),
            ..NetworkDetails::default()
        };
        let json = serde_json::to_string(&Network::new(&details)).unwrap();
        assert_eq!(
            json,
            "{\"Name\":\"front\",\"Id\":\"n1\",\"Created\":\"2023-11-14T22:13:20Z\",\
             \"Scope\":\"local\",\"Driver\":\"bridge\",\"EnableIPv4\":true,\"EnableIPv6\":false,\
             \"IPAM\":{\"Driver\":\"default\",\"Options\":{},\"Config\":[{\"Subnet\":\
             \"172.18.0.0/16\",\"Gateway\":\"172.18.0.1\"}]},\"Internal\":false,\
             \"Attachable\":false,\"Ingress\":false,\"ConfigFrom\":{\"Network\":\"\"},\
             \"ConfigOnly\":false,\"Containers\":{\"c1\":{\"Name\":\"web\",\"EndpointID\":\"\",\
             \"MacAddress\":\"\",\"IPv4Address\":\"\",\"IPv6Address\":\"\"}},\"Options\":{},\
             \"Labels\":{}}"
        );
    }

    #[test]
    fn networks_without_pools_have_null() {
        let details =
            NetworkDetails { name: "host".into(), predefined: true, ..NetworkDetails::default() };
        let json = serde_json::to_value(Network::new(&details)).unwrap();
        assert!(json["IPAM"]["Config"].is_null() && json["IPAM"]["Options"].is_null());
        assert_eq!(json["Containers"], serde_json::json!({}));
        assert!(json.get("Status").is_none());
        let json = serde_json::to_value(Network::inspected(&details)).unwrap();
        assert_eq!(json["Status"], serde_json::json!({"IPAM": {}}));
    }

    #[test]
    fn templates_and_usage_are_shown() {
        let usage = PoolUsage {
            subnet: "172.18.0.0/16".parse().unwrap(),
            ip_range: None,
            in_use: 5,
            dynamic_free: 65531,
        };
        let details = NetworkDetails {
            config_from: "plain".into(),
            ipam_driver: "null",
            ipam_options: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
            usage: vec![usage],
            ..NetworkDetails::default()
        };
        let json = serde_json::to_value(Network::inspected(&details)).unwrap();
        assert_eq!(json["ConfigFrom"]["Network"], "plain");
        assert_eq!(
            json["IPAM"],
            serde_json::json!({"Driver": "null", "Options": {"a": "b"}, "Config": null})
        );
        let figures = serde_json::json!({"IPsInUse": 5, "DynamicIPsAvailable": 65531});
        assert_eq!(json["Status"]["IPAM"]["Subnets"]["172.18.0.0/16"], figures);
    }
}
