//! `NetworkSettings` of `inspect` and the `Ports` of `ps`.
//!
//! In: a container's place in its networks. Out: Docker's shapes, the fields of the default
//! bridge at the top included, which clients before networks had names still read.

use std::collections::BTreeMap;

use hawser_engine::network::NetworkView;
use hawser_engine::spec::{EndpointSettings, PortMap};
use serde::Serialize;

/// `NetworkSettings` of `inspect`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkSettings<'a> {
    bridge: &'static str,
    #[serde(rename = "SandboxID")]
    sandbox_id: &'a str,
    sandbox_key: String,
    ports: &'a PortMap,
    hairpin_mode: bool,
    #[serde(rename = "LinkLocalIPv6Address")]
    link_local_ipv6_address: &'static str,
    #[serde(rename = "LinkLocalIPv6PrefixLen")]
    link_local_ipv6_prefix_len: u8,
    #[serde(rename = "SecondaryIPAddresses")]
    secondary_ip_addresses: Option<()>,
    #[serde(rename = "SecondaryIPv6Addresses")]
    secondary_ipv6_addresses: Option<()>,
    #[serde(flatten)]
    default: Legacy<'a>,
    networks: &'a BTreeMap<String, EndpointSettings>,
}

/// The endpoint on the default bridge, or empty values.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Legacy<'a> {
    #[serde(rename = "EndpointID")]
    endpoint_id: &'a str,
    gateway: &'a str,
    #[serde(rename = "GlobalIPv6Address")]
    global_ipv6_address: &'a str,
    #[serde(rename = "GlobalIPv6PrefixLen")]
    global_ipv6_prefix_len: u8,
    #[serde(rename = "IPAddress")]
    ip_address: &'a str,
    #[serde(rename = "IPPrefixLen")]
    ip_prefix_len: u8,
    #[serde(rename = "IPv6Gateway")]
    ipv6_gateway: &'a str,
    mac_address: &'a str,
}

impl<'a> NetworkSettings<'a> {
    pub fn new(network: &'a NetworkView) -> Self {
        Self {
            bridge: "",
            sandbox_id: &network.sandbox_id,
            sandbox_key: network.sandbox_key.display().to_string(),
            ports: &network.ports,
            hairpin_mode: false,
            link_local_ipv6_address: "",
            link_local_ipv6_prefix_len: 0,
            secondary_ip_addresses: None,
            secondary_ipv6_addresses: None,
            default: network.networks.get("bridge").map(Legacy::new).unwrap_or_default(),
            networks: &network.networks,
        }
    }
}

impl<'a> Legacy<'a> {
    fn new(endpoint: &'a EndpointSettings) -> Self {
        Self {
            endpoint_id: &endpoint.endpoint_id,
            gateway: &endpoint.gateway,
            global_ipv6_address: &endpoint.global_ipv6_address,
            global_ipv6_prefix_len: endpoint.global_ipv6_prefix_len,
            ip_address: &endpoint.ip_address,
            ip_prefix_len: endpoint.ip_prefix_len,
            ipv6_gateway: &endpoint.ipv6_gateway,
            mac_address: &endpoint.mac_address,
        }
    }
}

/// One of the `Ports` of `ps`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Port<'a> {
    #[serde(rename = "IP", skip_serializing_if = "str::is_empty")]
    ip: &'a str,
    private_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_port: Option<u16>,
    #[serde(rename = "Type")]
    kind: &'a str,
}

/// The ports of `ps`: each binding, and what is exposed only.
pub fn ports(map: &PortMap) -> Vec<Port<'_>> {
    let mut ports = Vec::new();
    for (key, bindings) in map {
        let (number, kind) = key.split_once('/').unwrap_or((key, "tcp"));
        let Ok(private_port) = number.parse() else { continue };
        match bindings.as_deref() {
            None | Some([]) => {
                ports.push(Port { ip: "", private_port, public_port: None, kind });
            }
            Some(bindings) => ports.extend(bindings.iter().map(|binding| Port {
                ip: &binding.host_ip,
                private_port,
                public_port: binding.host_port.parse().ok(),
                kind,
            })),
        }
    }
    ports
}

#[cfg(test)]
mod tests {
    use hawser_engine::spec::PortBinding;

    use super::*;

    #[test]
    fn the_default_bridge_is_repeated_at_the_top() {
        let endpoint = EndpointSettings {
            ip_address: "172.17.0.2".into(),
            ip_prefix_len: 16,
            gateway: "172.17.0.1".into(),
            ..EndpointSettings::default()
        };
        let mut view = NetworkView { sandbox_id: "abc".into(), ..NetworkView::default() };
        view.networks.insert("bridge".into(), endpoint);
        let json = serde_json::to_value(NetworkSettings::new(&view)).unwrap();
        assert_eq!(json["IPAddress"], "172.17.0.2");
        assert_eq!(json["IPPrefixLen"], 16);
        assert_eq!(json["Networks"]["bridge"]["Gateway"], "172.17.0.1");
        assert_eq!(json["SandboxID"], "abc");
        assert!(json["SecondaryIPAddresses"].is_null());
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys[..4], ["Bridge", "SandboxID", "SandboxKey", "Ports"]);
    }

    #[test]
    fn ports_are_listed_by_binding() {
        let binding = PortBinding { host_ip: "0.0.0.0".into(), host_port: "8080".into() };
        let map = PortMap::from([("80/tcp".into(), Some(vec![binding])), ("53/udp".into(), None)]);
        let json = serde_json::to_string(&ports(&map)).unwrap();
        assert_eq!(
            json,
            "[{\"PrivatePort\":53,\"Type\":\"udp\"},{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\
             \"PublicPort\":8080,\"Type\":\"tcp\"}]"
        );
    }
}
