//! What a new container asks of its networks: the mode, and an endpoint for each network.
//!
//! In: the record that is being made and the request's `NetworkingConfig`. Out: the record with its
//! mode and networks filled in, or an error of kind Invalid in Docker's words. The networks need
//! not be there yet: they are looked up when the container starts.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use hawser_model::{MacAddr, Model};

use super::{Networks, ports};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::record::Container;
use crate::spec::{EndpointSettings, HostConfig, NetworkingConfig};

/// Where a container's network comes from (`HostConfig.NetworkMode`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NetworkMode {
    /// The host's.
    Host,
    /// Another container's, by name or id.
    Container(String),
    /// Networks; `none` is one of them.
    Networks,
}

impl NetworkMode {
    /// Reads the mode of a record.
    pub(crate) fn of(host_config: &HostConfig) -> Self {
        let mode = host_config.network_mode.as_str();
        match mode.strip_prefix("container:") {
            Some(target) => Self::Container(target.to_owned()),
            None if mode == "host" => Self::Host,
            None => Self::Networks,
        }
    }
}

impl Networks {
    /// At create: checks the mode and what is asked for on each network, and fills in
    /// `record.networks` and the network mode. Gives warnings for the client.
    pub(crate) fn check(
        &self,
        engine: &Engine,
        record: &mut Container,
        networking: NetworkingConfig,
    ) -> Result<Vec<String>> {
        normalize_mode(&mut record.host_config);
        let mode = NetworkMode::of(&record.host_config);
        let mut asked: BTreeMap<String, EndpointSettings> = BTreeMap::new();
        for (name, settings) in networking.endpoints_config {
            let settings = settings.unwrap_or_default();
            check_endpoint(&name, &settings)?;
            asked.insert(self.name_of(&name), settings);
        }
        ports::wanted(record, None)?;
        let mut warnings = Vec::new();
        match &mode {
            NetworkMode::Container(target) => {
                check_container_mode(engine, record, target, &asked)?;
            }
            NetworkMode::Host => {
                if !record.host_config.port_bindings.is_empty() {
                    warnings
                        .push("Published ports are discarded when using host network mode".into());
                }
                asked.insert("host".into(), asked.get("host").cloned().unwrap_or_default());
            }
            NetworkMode::Networks => self.primary(record, &mut asked),
        }
        record.networks = asked;
        Ok(warnings)
    }

    /// The network that the mode names is one of the container's, with the settings that older
    /// clients put elsewhere.
    fn primary(&self, record: &mut Container, asked: &mut BTreeMap<String, EndpointSettings>) {
        let name = self.name_of(&record.host_config.network_mode);
        let default = asked.remove("default");
        let settings = asked.entry(name).or_insert_with(|| default.unwrap_or_default());
        if settings.mac_address.is_empty() {
            settings.mac_address.clone_from(&record.config.mac_address);
        }
        record.config.mac_address.clear();
        let user_defined = !matches!(record.host_config.network_mode.as_str(), "bridge" | "none");
        if user_defined && settings.links.is_none() {
            settings.links.clone_from(&record.host_config.links);
        }
    }

    /// The name of a network that a user names, or the term itself if there is none yet.
    fn name_of(&self, term: &str) -> String {
        if term == "default" {
            return "bridge".to_owned();
        }
        match self.writer.model().resolve_network(term) {
            Ok(network) => network.name.to_string(),
            Err(_) => term.to_owned(),
        }
    }
}

fn normalize_mode(host_config: &mut HostConfig) {
    if matches!(host_config.network_mode.as_str(), "" | "default") {
        "bridge".clone_into(&mut host_config.network_mode);
    }
}

/// The settings of one endpoint make sense by themselves.
pub(super) fn check_endpoint(network: &str, settings: &EndpointSettings) -> Result<()> {
    let mut faults = Vec::new();
    if let Some(ipam) = &settings.ipam_config {
        let v4 = &ipam.ipv4_address;
        if !v4.is_empty() && v4.parse::<Ipv4Addr>().is_err() {
            faults.push(format!("invalid IPv4 address: {v4}"));
        }
        let v6 = &ipam.ipv6_address;
        if !v6.is_empty() && v6.parse::<Ipv6Addr>().is_err() {
            faults.push(format!("invalid IPv6 address: {v6}"));
        }
    }
    if !settings.mac_address.is_empty() && settings.mac_address.parse::<MacAddr>().is_err() {
        faults.push(format!("invalid MAC address {}", settings.mac_address));
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "invalid config for network {network}: invalid endpoint settings:\n* {}",
            faults.join("\n* ")
        ))),
    }
}

fn check_container_mode(
    engine: &Engine,
    record: &Container,
    target: &str,
    asked: &BTreeMap<String, EndpointSettings>,
) -> Result<()> {
    let conflict = |what: &str| Err(Error::invalid(format!("conflicting options: {what}")));
    let host = &record.host_config;
    if target.is_empty() {
        return Err(Error::invalid(
            "Invalid network mode: invalid container format container:<name|id>",
        ));
    }
    if host.links.as_ref().is_some_and(|links| !links.is_empty()) {
        return conflict(
            "container type network can't be used with links. This would result in undefined behavior",
        );
    }
    if !host.dns.is_empty() {
        return conflict("dns and the network mode");
    }
    if host.extra_hosts.as_ref().is_some_and(|hosts| !hosts.is_empty()) {
        return conflict("custom host-to-IP mapping and the network mode");
    }
    if !record.config.mac_address.is_empty() {
        return conflict("mac-address and the network mode");
    }
    if !host.port_bindings.is_empty() || host.publish_all_ports {
        return conflict("port publishing and the container type network mode");
    }
    if asked.keys().any(|name| !name.starts_with("container:")) {
        return conflict("networks and the container type network mode");
    }
    engine.containers.find(target).map(|_| ())
}

/// What the model says of a term, or none: for callers that only want to look.
pub(super) fn known<'m>(model: &'m Model, term: &str) -> Option<&'m hawser_model::Network> {
    model.resolve_network(term).ok().map(|n| &**n)
}
