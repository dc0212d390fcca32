//! What a container finds in its files of `/etc`: its own names, those it was given, its links.
//!
//! In: a container's record and the model. Out: the files written in place. They are derived: they
//! can be written again at any time, and are whenever something changes.

use std::io;
use std::net::IpAddr;

use hawser_model::{Model, NetworkId};

use super::check::{NetworkMode, joined};
use super::etc::{self, EtcFiles, HostsLine};
use super::resolv_conf::RESOLV_CONF;
use super::resolver::Asking;
use super::{Networks, links, sandbox_id};
use crate::engine::{Engine, system};
use crate::error::{Error, Result};
use crate::record::{Container, ContainerId};

impl Networks {
    /// Where the files of a container's sandbox are: with `container:`, the other container's.
    pub(crate) fn etc_of(&self, engine: &Engine, record: &Container) -> Result<EtcFiles> {
        let joined = joined(engine, record)?;
        let owner = joined.as_ref().map_or(&record.id, |owner| &owner.id);
        Ok(EtcFiles::in_directory(&engine.settings.container_dir(owner)))
    }

    /// Makes the next hosts file a whole one: what a user did to it is over with the start.
    pub(super) fn forget_edits(&self, engine: &Engine, record: &Container) -> Result<()> {
        let files = EtcFiles::in_directory(&engine.settings.container_dir(&record.id));
        etc::forget_hosts(&files.hosts).map_err(|e| system("forget a hosts file", e))
    }

    /// Writes the files as model and records say now.
    pub(super) fn write_etc(&self, engine: &Engine, id: &ContainerId) -> Result<()> {
        // Model and record are read under the lock: of two that write, the later one writes the
        // later state.
        let _one = self.publishing();
        let Some(entry) = engine.containers.get(id) else { return Ok(()) };
        let (record, model) = (entry.record(), self.writer.model());
        if matches!(NetworkMode::of(&record.host_config), NetworkMode::Container(_)) {
            return Ok(());
        }
        let dir = engine.settings.container_dir(id);
        let fail = |e: io::Error| system(&format!("write the files of {}", dir.display()), e);
        std::fs::create_dir_all(&dir).map_err(fail)?;
        let files = EtcFiles::in_directory(&dir);
        etc::write_hosts(&files.hosts, &hosts(engine, &record, &model)?).map_err(fail)?;
        etc::write(&files.hostname, &format!("{}\n", record.config.hostname)).map_err(fail)?;
        let sandbox = sandbox_id(id)?;
        let chosen = Asking::of(&record, &engine.settings).choose(&model, sandbox);
        let text = match chosen.is_hosts {
            true => std::fs::read_to_string(RESOLV_CONF).unwrap_or_default(),
            false => chosen.file.text(),
        };
        etc::write_unless_edited(&files.resolv_conf, &text).map_err(fail)
    }

    /// Containers that link to this one on the default bridge see its new address.
    pub(super) fn tell_linkers(&self, engine: &Engine, record: &Container) {
        let model = self.writer.model();
        for entry in engine.containers.all() {
            let other = entry.record();
            let mut targets = links::of_default_bridge(&other)
                .filter_map(|(target, _)| links::target(engine, target).ok());
            let runs = || sandbox_id(&other.id).is_ok_and(|id| model.sandbox(id).is_some());
            if targets.any(|target| target.id == record.id)
                && runs()
                && let Err(error) = self.write_etc(engine, &other.id)
            {
                tracing::warn!(container = %other.name, %error, "its hosts file could not follow a link");
            }
        }
    }
}

/// The hosts file, in Docker's order: what was given with `--add-host`, links, the container
/// itself. With the host's namespace it is the host's file, unless something was given.
fn hosts(engine: &Engine, record: &Container, model: &Model) -> Result<String> {
    let id = sandbox_id(&record.id)?;
    let gateway = model.gateway_endpoint(id, false).and_then(|e| gateway_of(model, e.network));
    let mut all = extra_hosts(engine, record, gateway)?;
    if NetworkMode::of(&record.host_config) == NetworkMode::Host && all.is_empty() {
        return Ok(std::fs::read_to_string("/etc/hosts").unwrap_or_default());
    }
    let linked = links::linked(engine, record, model);
    all.extend(linked.iter().flat_map(links::Linked::hosts_lines));
    let names = own_names(record);
    let endpoints = model.endpoints_of_sandbox(id);
    let addresses =
        endpoints.iter().filter_map(|e| e.interface.as_ref()).flat_map(|i| i.addresses());
    all.extend(addresses.map(|address| HostsLine { address, names: names.clone() }));
    let disabled = record.host_config.sysctls.get("net.ipv6.conf.all.disable_ipv6");
    Ok(etc::hosts(&all, disabled.is_none_or(|value| value == "0")))
}

fn gateway_of(model: &Model, network: NetworkId) -> Option<IpAddr> {
    model.network(network)?.pool(false)?.gateway
}

fn full_hostname(record: &Container) -> String {
    let config = &record.config;
    match config.domainname.as_str() {
        "" => config.hostname.clone(),
        domain => format!("{}.{domain}", config.hostname),
    }
}

/// The container's own names: with a domain first, then without.
fn own_names(record: &Container) -> String {
    let full = full_hostname(record);
    let short = full.split('.').next().unwrap_or_default();
    if short == full { full } else { format!("{full} {short}") }
}

/// `--add-host name:address`; `host-gateway` is the host as the container sees it.
fn extra_hosts(
    engine: &Engine,
    record: &Container,
    gateway: Option<IpAddr>,
) -> Result<Vec<HostsLine>> {
    let given = record.host_config.extra_hosts.iter().flatten();
    let read = given.filter_map(|line| {
        let (name, address) = line.split_once([':', '='])?;
        let address = address.trim_start_matches('[').trim_end_matches(']');
        Some(match address {
            "host-gateway" => engine
                .settings
                .host_gateway
                .or(gateway)
                .map(|a| (name, a))
                .ok_or_else(|| Error::invalid("unable to derive the IP value for host-gateway")),
            _ => address.parse().map(|a| (name, a)).map_err(|_| {
                Error::invalid(format!("invalid IP address in add-host: \"{address}\""))
            }),
        })
    });
    read.map(|r| r.map(|(name, address)| HostsLine { address, names: name.to_owned() })).collect()
}
