//! `network inspect`, and a container's place in its networks.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hawser_model::{Endpoint, Mode, Model, Network, Pool, Publication, Reach, Way};

use super::check::known;
use super::{Attached, NetworkDetails, NetworkView, Networks, law, namespace_of, sandbox_id};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::record::Container;
use crate::spec::{EndpointSettings, IpamConfig, PortBinding, PortMap};

impl Engine {
    /// One network, by id, name or unique id prefix, with who is on it and how full it is.
    ///
    /// # Errors
    /// NotFound; Invalid for an ambiguous prefix.
    pub fn network_inspect(&self, reference: &str) -> Result<NetworkDetails> {
        let model = self.networks.writer.model();
        let network = model.resolve_network(reference).map_err(ambiguous)?;
        let endpoints = model.endpoints_of_network(network.id);
        Ok(NetworkDetails {
            containers: endpoints.iter().map(|e| attached(&model, e)).collect(),
            usage: model.usage(network.id),
            ..details(&model, network)
        })
    }
}

impl Networks {
    /// A container's place in its networks, for `inspect` and `ps`.
    pub(crate) fn view(&self, record: &Container) -> NetworkView {
        let model = self.writer.model();
        let mut networks = record.networks.clone();
        for (name, settings) in &mut networks {
            if let Some(network) = known(&model, name) {
                settings.network_id = network.id.to_string();
            }
        }
        let Some((id, sandbox)) =
            sandbox_id(&record.id).ok().and_then(|id| Some((id, model.sandbox(id)?)))
        else {
            return NetworkView { networks, ..NetworkView::default() };
        };
        for endpoint in model.endpoints_of_sandbox(id) {
            let Some(network) = model.network(endpoint.network) else { continue };
            let settings = networks.entry(network.name.to_string()).or_default();
            fill(settings, network, endpoint, record);
        }
        let key = match sandbox.mode {
            Mode::Host => "/proc/1/ns/net".into(),
            _ => namespace_of(&model, id)
                .map(|ns| self.kernel.namespace_path(&ns))
                .unwrap_or_default(),
        };
        let ports = if sandbox.mode == Mode::Own {
            ports(record, &sandbox.publications, model.reach(id))
        } else {
            PortMap::new()
        };
        NetworkView { sandbox_id: id.to_string(), sandbox_key: key, ports, networks }
    }
}

/// What the endpoint actually has.
fn fill(
    settings: &mut EndpointSettings,
    network: &Network,
    endpoint: &Endpoint,
    record: &Container,
) {
    settings.network_id = network.id.to_string();
    settings.endpoint_id = endpoint.id.to_string();
    let Some(interface) = &endpoint.interface else { return };
    settings.mac_address = interface.mac.to_string();
    let gateway = |address: IpAddr| {
        let pool = network.pool_of(address).filter(|_| !network.internal);
        pool.and_then(Pool::router).map(|a| a.to_string()).unwrap_or_default()
    };
    if let Some(net) = interface.ipv4 {
        settings.ip_address = net.addr().to_string();
        settings.ip_prefix_len = net.prefix_len();
        settings.gateway = gateway(net.addr().into());
    }
    if let Some(net) = interface.ipv6 {
        settings.global_ipv6_address = net.addr().to_string();
        settings.global_ipv6_prefix_len = net.prefix_len();
        settings.ipv6_gateway = gateway(net.addr().into());
    }
    if !network.predefined {
        settings.dns_names = Some(dns_names(endpoint, record));
    }
}

/// Docker's other words for the same, where a network is only looked at.
fn ambiguous(error: hawser_model::Error) -> Error {
    match error {
        hawser_model::Error::Ambiguous { term, count } => Error::invalid(format!(
            "{count} matches found based on ID prefix: network {term} is ambiguous"
        )),
        other => law(other),
    }
}

fn dns_names(endpoint: &Endpoint, record: &Container) -> Vec<String> {
    let mut names = vec![record.name.clone()];
    let more = endpoint.aliases.iter().cloned();
    for name in more.chain([record.id.short().to_owned(), record.config.hostname.clone()]) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Exposed ports, with the host ports that lead to them; as in Docker without a host port where the
/// container's own address is the way, and with none at all where there is no way.
fn ports(record: &Container, publications: &[Publication], reach: Reach) -> PortMap {
    let exposed = record.config.exposed_ports.iter().flat_map(|ports| ports.keys());
    let mut map: PortMap = exposed.map(|port| (canonical(port), None)).collect();
    for p in publications {
        let key = format!("{}/{}", p.container_port, p.transport);
        let bindings = map.entry(key).or_default();
        let (host, port) = match reach.way(p.host) {
            Way::Host => (p.host.to_string(), p.host_port.to_string()),
            Way::Direct => (everywhere(p.host).to_string(), String::new()),
            Way::Nowhere => continue,
        };
        let binding = PortBinding { host_ip: host, host_port: port };
        let bindings = bindings.get_or_insert_default();
        if !bindings.contains(&binding) {
            bindings.push(binding);
        }
    }
    map
}

/// The address that stands for all of a family.
fn everywhere(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// `80` is `80/tcp`.
fn canonical(port: &str) -> String {
    if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") }
}

/// A network as it is shown in lists: without who is on it.
pub(super) fn details(model: &Model, network: &Network) -> NetworkDetails {
    let template = network.config_from.and_then(|id| model.network(id));
    NetworkDetails {
        id: network.id.to_string(),
        name: network.name.to_string(),
        created: network.created.clone(),
        scope: network.scope.as_str(),
        driver: network.driver.as_str(),
        enable_ipv4: network.ipv4,
        enable_ipv6: network.ipv6,
        internal: network.internal,
        attachable: network.attachable,
        config_only: network.config_only,
        config_from: template.map(|t| t.name.to_string()).unwrap_or_default(),
        ipam_driver: network.ipam_driver.as_str(),
        ipam_options: network.ipam_options.clone(),
        predefined: network.predefined,
        pools: network.pools.iter().map(pool).collect(),
        options: network.options.clone(),
        labels: network.labels.clone(),
        containers: BTreeMap::new(),
        usage: Vec::new(),
    }
}

fn pool(pool: &Pool) -> IpamConfig {
    let text = |a: Option<IpAddr>| a.map(|a| a.to_string()).unwrap_or_default();
    IpamConfig {
        subnet: pool.subnet.to_string(),
        ip_range: pool.ip_range.map(|r| r.to_string()).unwrap_or_default(),
        gateway: text(pool.gateway),
        auxiliary_addresses: pool
            .auxiliary
            .iter()
            .map(|(n, a)| (n.clone(), a.to_string()))
            .collect(),
    }
}

fn attached(model: &Model, endpoint: &Endpoint) -> (String, Attached) {
    let interface = endpoint.interface.as_ref();
    let name = model.sandbox(endpoint.sandbox).map(|s| s.name.clone());
    let attached = Attached {
        name: name.unwrap_or_default(),
        endpoint_id: endpoint.id.to_string(),
        mac_address: interface.map(|i| i.mac.to_string()).unwrap_or_default(),
        ipv4_address: interface.and_then(|i| i.ipv4).map(|n| n.to_string()).unwrap_or_default(),
        ipv6_address: interface.and_then(|i| i.ipv6).map(|n| n.to_string()).unwrap_or_default(),
    };
    (endpoint.sandbox.to_string(), attached)
}
