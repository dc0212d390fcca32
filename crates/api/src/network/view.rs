//! A network as `inspect` and `ls` show it.
//!
//! In: the engine's view. Out: Docker's shape. Predefined networks without pools have `null`
//! where others have lists, as Docker writes them.

use std::collections::BTreeMap;

use hawser_engine::network::{Attached, NetworkDetails};
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
    config_from: ConfigFrom,
    config_only: bool,
    containers: BTreeMap<&'a str, Container<'a>>,
    options: &'a BTreeMap<String, String>,
    labels: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam<'a> {
    driver: &'static str,
    options: Option<BTreeMap<String, String>>,
    config: Option<&'a [IpamConfig]>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ConfigFrom {
    network: &'static str,
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
            config_from: ConfigFrom { network: "" },
            config_only: false,
            containers: containers.map(|(id, who)| (id.as_str(), Container::new(who))).collect(),
            options: &details.options,
            labels: &details.labels,
        }
    }
}

impl<'a> Ipam<'a> {
    fn new(details: &'a NetworkDetails) -> Self {
        let predefined = matches!(details.name.as_str(), "bridge" | "host" | "none");
        let without = details.driver != "bridge" && details.pools.is_empty();
        Self {
            driver: "default",
            options: (!predefined).then(BTreeMap::new),
            config: (!without).then_some(&details.pools[..]),
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
            NetworkDetails { name: "host".into(), driver: "host", ..NetworkDetails::default() };
        let json = serde_json::to_value(Network::new(&details)).unwrap();
        assert!(json["IPAM"]["Config"].is_null() && json["IPAM"]["Options"].is_null());
        assert_eq!(json["Containers"], serde_json::json!({}));
    }
}
