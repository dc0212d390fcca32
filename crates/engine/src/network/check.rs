//! What a new container asks of its networks: the mode, and an endpoint for each network.
//!
//! In: the record that is being made and the request's `NetworkingConfig`. Out: the record with its
//! mode and networks filled in, or an error of kind Invalid in Docker's words. The networks need
//! not be there yet: they are looked up when the container starts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use hawser_model::{MacAddr, Model, Network};

use super::{Networks, join, law, links, ports, publish_from, sandbox_id};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::record::{Container, ContainerId};
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

/// The container whose namespace another one joins, however many are between; `None` for one with
/// a namespace of its own, or the host's.
pub(crate) fn joined(engine: &Engine, record: &Container) -> Result<Option<Arc<Container>>> {
    let mut found: Option<Arc<Container>> = None;
    let mut seen = BTreeSet::new();
    loop {
        let at = found.as_deref().unwrap_or(record);
        match NetworkMode::of(&at.host_config) {
            // Names can be led in a circle by renaming.
            NetworkMode::Container(other) if seen.insert(at.id.clone()) => {
                found = Some(engine.containers.find(&other)?.record());
            }
            _ => return Ok(found),
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
        let mut asked = self.each_asked(&record.id, networking)?;
        ports::wanted(record)?;
        publish_from::read(&record.config.labels)?;
        check_mac(record, &asked)?;
        let mut warnings = Vec::new();
        match &mode {
            NetworkMode::Container(target) => {
                check_container_mode(engine, record, target, &asked)?;
                asked.clear();
            }
            NetworkMode::Host => {
                if !record.host_config.port_bindings.is_empty() {
                    warnings
                        .push("Published ports are discarded when using host network mode".into());
                }
                asked.entry("host".into()).or_default();
            }
            NetworkMode::Networks => {
                links::check_targets(engine, &mut record.host_config)?;
                self.primary(record, &mut asked);
            }
        }
        check_together(&mode, &asked)?;
        record.networks = asked;
        Ok(warnings)
    }

    /// What is asked for on each network, by its name.
    fn each_asked(
        &self,
        container: &ContainerId,
        networking: NetworkingConfig,
    ) -> Result<BTreeMap<String, EndpointSettings>> {
        let mut asked = BTreeMap::new();
        for (name, settings) in networking.endpoints_config {
            let mut settings = settings.unwrap_or_default();
            let checked = self.check_asked(container, &name, &mut settings);
            checked
                .map_err(|e| Error::invalid(format!("invalid config for network {name}: {e}")))?;
            if asked.insert(self.name_of(&name), settings).is_some() {
                let text = format!("network {name} is asked for twice, under different names");
                return Err(Error::invalid(text));
            }
        }
        Ok(asked)
    }

    /// What is asked for on one network, which need not be there yet.
    fn check_asked(
        &self,
        container: &ContainerId,
        name: &str,
        settings: &mut EndpointSettings,
    ) -> Result<()> {
        check_endpoint(settings)?;
        let model = self.writer.model();
        let Some(network) = known(&model, &self.name_of(name)) else { return Ok(()) };
        let spec = join::endpoint(sandbox_id(container)?, network.id, settings, &BTreeMap::new())?;
        model.check_endpoint(&spec).map_err(law)
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

/// Where there is no interface of the container's own, there is none to have this address. Docker
/// says so to clients that give it for the whole container (API before 1.44), and passes it over when
/// it is given for an endpoint; a setting that does nothing helps nobody.
fn check_mac(record: &Container, asked: &BTreeMap<String, EndpointSettings>) -> Result<()> {
    let own = NetworkMode::of(&record.host_config) == NetworkMode::Networks
        && record.host_config.network_mode != "none";
    let given = !record.config.mac_address.is_empty()
        || asked.values().any(|settings| !settings.mac_address.is_empty());
    if given && !own {
        return Err(Error::invalid("conflicting options: mac-address and the network mode"));
    }
    Ok(())
}

/// Networks that exclude one another, in Docker's words (which says so only at the start).
fn check_together(mode: &NetworkMode, asked: &BTreeMap<String, EndpointSettings>) -> Result<()> {
    let several = asked.len() > 1;
    let refused = match mode {
        NetworkMode::Host if several => hawser_model::Error::SharedNetwork,
        NetworkMode::Networks if asked.contains_key("host") => hawser_model::Error::HostNetwork,
        NetworkMode::Networks if several && asked.contains_key("none") => {
            hawser_model::Error::PrivateNetwork
        }
        _ => return Ok(()),
    };
    Err(law(refused))
}

fn normalize_mode(host_config: &mut HostConfig) {
    if matches!(host_config.network_mode.as_str(), "" | "default") {
        "bridge".clone_into(&mut host_config.network_mode);
    }
}

/// What is wrong with what is asked for on one network, in Docker's words, if nothing is known of
/// the network; addresses are made canonical.
///
/// # Errors
/// Invalid, with all faults at once.
pub(super) fn check_endpoint(settings: &mut EndpointSettings) -> Result<()> {
    let mut faults = Vec::new();
    if let Some(ipam) = &mut settings.ipam_config {
        canonical(&mut ipam.ipv4_address, false, "IPv4", &mut faults);
        canonical(&mut ipam.ipv6_address, true, "IPv6", &mut faults);
        for text in ipam.link_local_ips.iter_mut().flatten() {
            let v6 = text.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_ipv6());
            canonical(text, v6, "link-local IP", &mut faults);
        }
    }
    faults.extend(settings.links.iter().flatten().filter_map(|link| links::fault(link)));
    if !faults.is_empty() {
        return Err(law(hawser_model::Error::InvalidEndpoint(faults)));
    }
    if !settings.mac_address.is_empty() && settings.mac_address.parse::<MacAddr>().is_err() {
        return Err(Error::invalid(format!("invalid MAC address {}", settings.mac_address)));
    }
    Ok(())
}

/// An IPv4 address may be written as an IPv6 one that stands for it.
fn canonical(text: &mut String, v6: bool, what: &str, faults: &mut Vec<String>) {
    if text.is_empty() {
        return;
    }
    let read = text.parse().map(|address: IpAddr| address.to_canonical());
    match read {
        Ok(address) if address.is_ipv6() == v6 && !address.is_unspecified() => {
            *text = address.to_string();
        }
        _ => faults.push(format!("invalid {what} address: {text}")),
    }
}

/// Under which key a container's record holds a network: its name, or what the user called it
/// before it was there.
pub(super) fn key_of(model: &Model, record: &Container, network: &Network) -> Option<String> {
    let is_it = |key: &&String| known(model, key).is_some_and(|found| found.id == network.id);
    let name = network.name.as_str();
    let named = record.networks.contains_key(name).then(|| name.to_owned());
    named.or_else(|| record.networks.keys().find(is_it).cloned())
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
    if asked.keys().any(|name| !name.starts_with("container:")) {
        return conflict("networks and the container type network mode");
    }
    engine.containers.find(target).map(|_| ())
}

/// What the model says of a term, or none: for callers that only want to look.
pub(super) fn known<'m>(model: &'m Model, term: &str) -> Option<&'m Network> {
    model.resolve_network(term).ok().map(|n| &**n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::EndpointIpam;

    fn asked(v4: &str, v6: &str, local: &[&str]) -> EndpointSettings {
        let local = local.iter().map(|text| (*text).to_owned()).collect();
        let ipam_config = Some(EndpointIpam {
            ipv4_address: v4.into(),
            ipv6_address: v6.into(),
            link_local_ips: Some(local),
        });
        EndpointSettings { ipam_config, ..EndpointSettings::default() }
    }

    #[test]
    fn addresses_are_made_canonical() {
        let mut settings = asked("::ffff:10.7.0.9", "FD00:0::9", &["169.254.3.4", "fe80:0::1"]);
        check_endpoint(&mut settings).unwrap();
        assert_eq!(settings, asked("10.7.0.9", "fd00::9", &["169.254.3.4", "fe80::1"]));
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let mut settings = asked("fd00::9", "10.7.0.9", &["here", "0.0.0.0"]);
        let error = check_endpoint(&mut settings).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid endpoint settings:\n* invalid IPv4 address: fd00::9\n* invalid IPv6 address: \
             10.7.0.9\n* invalid link-local IP address: here\n* invalid link-local IP address: \
             0.0.0.0"
        );
        let mut settings = EndpointSettings { mac_address: "zz".into(), ..Default::default() };
        let error = check_endpoint(&mut settings).unwrap_err();
        assert_eq!(error.to_string(), "invalid MAC address zz");
    }

    #[test]
    fn some_networks_exclude_others() {
        let refused = |mode, names: &[&str]| {
            let asked = names.iter().map(|name| ((*name).to_owned(), EndpointSettings::default()));
            check_together(&mode, &asked.collect()).map_err(|e| e.to_string())
        };
        let words = |error: hawser_model::Error| Err(error.to_string());
        assert_eq!(refused(NetworkMode::Networks, &["a", "b"]), Ok(()));
        assert_eq!(refused(NetworkMode::Networks, &["none"]), Ok(()));
        assert_eq!(refused(NetworkMode::Host, &["host"]), Ok(()));
        let private = words(hawser_model::Error::PrivateNetwork);
        assert_eq!(refused(NetworkMode::Networks, &["a", "none"]), private);
        let host = words(hawser_model::Error::HostNetwork);
        assert_eq!(refused(NetworkMode::Networks, &["a", "host"]), host);
        let shared = words(hawser_model::Error::SharedNetwork);
        assert_eq!(refused(NetworkMode::Host, &["a", "host"]), shared);
    }
}
