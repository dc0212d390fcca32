//! Links of the default bridge: one container named to another by its hosts file and environment.
//!
//! In: the records of the linking container and its targets, addresses of the targets. Out: lines
//! of a hosts file and environment variables; Docker's refusals. On user-defined networks links are
//! private names of the name service instead.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use hawser_model::Model;

use super::check::{NetworkMode, joined};
use super::etc::HostsLine;
use super::{Networks, sandbox_id};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::record::{Container, Status};
use crate::spec::HostConfig;

/// `name[:alias]`, as the user writes it; the alias is the name if there is none.
pub(super) fn parse(link: &str) -> (&str, &str) {
    let (target, alias) = link.split_once(':').unwrap_or((link, link));
    let base = |text: &'_ str| text.rfind('/').map_or(0, |at| at + 1);
    (target.trim_start_matches('/'), &alias[base(alias)..])
}

/// What is wrong with the form of a link, in Docker's words.
pub(super) fn fault(link: &str) -> Option<String> {
    match link.split(':').count() {
        _ if link.is_empty() => Some("empty string specified for links".to_owned()),
        1 | 2 => None,
        _ => Some(format!("bad format for links: {link}")),
    }
}

/// Links of the default bridge as (target, alias); none for a container that was made for a
/// user-defined network, or has left the default bridge.
pub(super) fn of_default_bridge(record: &Container) -> impl Iterator<Item = (&str, &str)> {
    let there = is_of_default_bridge(&record.host_config) && record.networks.contains_key("bridge");
    let links = record.host_config.links.iter().flatten().filter(move |_| there);
    links.map(|link| parse(link))
}

fn is_of_default_bridge(host: &HostConfig) -> bool {
    matches!(host.network_mode.as_str(), "" | "default" | "bridge")
}

/// The container that a link names; behind one that shares another's network, that other.
pub(super) fn target(engine: &Engine, name: &str) -> Result<Arc<Container>> {
    let missing = || Error::not_found(format!("No such container: {name}"));
    let named = engine.containers.find_kept(name).ok_or_else(missing)?.record();
    Ok(joined(engine, &named)?.unwrap_or(named))
}

/// At create: links must make sense, and the targets of those on the default bridge be there. One
/// that is named by the start of its id is named by its name from then on.
pub(super) fn check_targets(engine: &Engine, host: &mut HostConfig) -> Result<()> {
    if let Some(fault) = host.links.iter().flatten().find_map(|link| fault(link)) {
        return Err(Error::invalid(fault));
    }
    let there = is_of_default_bridge(host);
    for link in host.links.iter_mut().flatten().filter(|_| there) {
        let (name, alias) = parse(link);
        let missing = |e| Error::invalid(format!("could not get container for {name}: {e}"));
        let named = engine.containers.find(name).map_err(missing)?.record();
        let target = joined(engine, &named).map_err(missing)?;
        let target = target.as_ref().unwrap_or(&named);
        if NetworkMode::of(&target.host_config) == NetworkMode::Host {
            return Err(Error::invalid(
                "conflicting options: host type networking can't be used with links. This would \
                 result in undefined behavior",
            ));
        }
        if engine.containers.find_kept(name).is_none() {
            *link = format!("{}:{alias}", named.name);
        }
    }
    Ok(())
}

/// At start: targets must run, on the default bridge. One that was removed does not run.
pub(super) fn check_running(engine: &Engine, record: &Container) -> Result<()> {
    for (name, alias) in of_default_bridge(record) {
        let target = target(engine, name).ok();
        let name = target.as_ref().map_or(name, |target| &target.name);
        let text = match &target {
            Some(target) if !target.networks.contains_key("bridge") => {
                format!("Cannot link to /{name}, as it does not belong to the default network")
            }
            Some(target) if !matches!(target.state.status, Status::Created | Status::Exited) => {
                continue;
            }
            _ => {
                let own = &record.name;
                format!("Cannot link to a non running container: /{name} AS /{own}/{alias}")
            }
        };
        return Err(Error::new(Kind::System, text));
    }
    Ok(())
}

/// A link whose target can be reached.
pub(super) struct Linked {
    alias: String,
    target: Arc<Container>,
    addresses: Vec<IpAddr>,
}

/// A container's links on the default bridge whose targets have addresses there.
pub(super) fn linked(engine: &Engine, record: &Container, model: &Model) -> Vec<Linked> {
    let Ok(bridge) = model.resolve_network("bridge") else { return Vec::new() };
    let reached = |(name, alias): (&str, &str)| {
        let target = target(engine, name).ok()?;
        let endpoint = model.endpoint_between(sandbox_id(&target.id).ok()?, bridge.id)?;
        let addresses = endpoint.interface.as_ref()?.addresses().collect();
        Some(Linked { alias: alias.to_owned(), target, addresses })
    };
    of_default_bridge(record).filter_map(reached).collect()
}

impl Linked {
    /// The lines of the hosts file that name the target.
    pub(super) fn hosts_lines(&self) -> Vec<HostsLine> {
        let mut names = vec![self.alias.as_str()];
        for name in [self.target.config.hostname.as_str(), self.target.name.as_str()] {
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        let line = |address: &IpAddr| HostsLine { address: *address, names: names.join(" ") };
        self.addresses.iter().map(line).collect()
    }

    /// The variables that describe the target to `me`.
    fn env(&self, me: &Container) -> Vec<String> {
        let address = self.addresses.first();
        address.map(|address| env(&self.alias, me, &self.target, *address)).unwrap_or_default()
    }
}

impl Networks {
    /// The variables of a container's links (`NAME=value`), as they are now.
    pub(crate) fn linked_env(&self, engine: &Engine, record: &Container) -> Vec<String> {
        let linked = linked(engine, record, &self.writer.model());
        linked.iter().flat_map(|link| link.env(record)).collect()
    }

    /// Names of the containers that a container's links refer to, by what the links say. One that
    /// is not there yet is looked for under just that name, as in Docker.
    pub(super) fn link_targets(
        &self,
        engine: &Engine,
        record: &Container,
    ) -> BTreeMap<String, String> {
        let links = record.networks.values().flat_map(|e| e.links.iter().flatten());
        let targets = links.map(|link| parse(link).0);
        let name = |target| Some(engine.containers.find_kept(target)?.record().name.clone());
        let named = targets.filter_map(|target| Some((target.to_owned(), name(target)?)));
        // On the default bridge, who shares another's network is reached there.
        let owners = of_default_bridge(record).map(|(link, _)| link);
        let owner = |link| Some((String::from(link), target(engine, link).ok()?.name.clone()));
        named.chain(owners.filter_map(owner)).collect()
    }
}

/// The variables that describe a target: `ALIAS_NAME`, `ALIAS_PORT…` for each exposed port and
/// each run of them, and `ALIAS_ENV_…` for what the target's own environment says.
fn env(alias: &str, me: &Container, target: &Container, address: IpAddr) -> Vec<String> {
    let upper: String = alias.to_uppercase().replace('-', "_");
    let mut vars = Vec::new();
    let ports = exposed(target);
    if let Some((port, protocol)) = ports.first() {
        vars.push(format!("{upper}_PORT={protocol}://{address}:{port}"));
    }
    for (port, protocol) in &ports {
        let prefix = format!("{upper}_PORT_{port}_{}", protocol.to_uppercase());
        vars.push(format!("{prefix}={protocol}://{address}:{port}"));
        vars.push(format!("{prefix}_ADDR={address}"));
        vars.push(format!("{prefix}_PORT={port}"));
        vars.push(format!("{prefix}_PROTO={protocol}"));
    }
    let follows = |a: &(u16, &str), b: &(u16, &str)| a.1 == b.1 && a.0.checked_add(1) == Some(b.0);
    for run in ports.chunk_by(follows).filter(|run| run.len() > 1) {
        let ((start, protocol), (end, _)) = (run[0], run[run.len() - 1]);
        let prefix = format!("{upper}_PORT_{start}_{}", protocol.to_uppercase());
        vars.push(format!("{prefix}_START={protocol}://{address}:{start}"));
        vars.push(format!("{prefix}_PORT_START={start}"));
        vars.push(format!("{prefix}_END={protocol}://{address}:{end}"));
        vars.push(format!("{prefix}_PORT_END={end}"));
    }
    vars.push(format!("{upper}_NAME=/{}/{alias}", me.name));
    let own = target.config.env.iter().flatten();
    // HOME and PATH are the image's business and would only confuse.
    let told = own.filter(|v| !v.starts_with("HOME=") && !v.starts_with("PATH="));
    vars.extend(told.filter(|v| v.contains('=')).map(|v| format!("{upper}_ENV_{v}")));
    vars
}

/// Exposed ports, those of TCP first.
fn exposed(target: &Container) -> Vec<(u16, &str)> {
    let keys = target.config.exposed_ports.iter().flat_map(|ports| ports.keys());
    let ports = keys.filter_map(|key| {
        let (port, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
        Some((port.parse().ok()?, protocol))
    });
    let mut ports: Vec<_> = ports.collect();
    ports.sort_unstable_by_key(|(port, protocol)| (Reverse(*protocol == "tcp"), *protocol, *port));
    ports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::record;

    #[test]
    fn an_alias_is_the_name_if_none_is_given() {
        assert_eq!(parse("db"), ("db", "db"));
        assert_eq!(parse("/db:/web/data"), ("db", "data"));
        assert!(fault("db").or(fault("/db:/web/data")).is_none());
        assert_eq!(fault("").unwrap(), "empty string specified for links");
        assert_eq!(fault("a:b:c").unwrap(), "bad format for links: a:b:c");
    }

    #[test]
    fn links_belong_to_containers_of_the_default_bridge() {
        let mut it = record("web");
        it.host_config.links = Some(vec!["db:data".into()]);
        it.host_config.network_mode = "bridge".into();
        assert_eq!(of_default_bridge(&it).count(), 0, "not on it");
        it.networks.insert("bridge".into(), Default::default());
        assert_eq!(of_default_bridge(&it).collect::<Vec<_>>(), [("db", "data")]);
        it.host_config.network_mode = "net1".into();
        assert_eq!(of_default_bridge(&it).count(), 0, "made for another");
    }

    #[test]
    fn ports_are_told_one_by_one_and_as_runs() {
        let mut target = record("db");
        let ports = ["81/tcp", "53/udp", "80/tcp", "90/tcp"];
        let ports = ports.map(|port| (port.to_owned(), Default::default()));
        target.config.exposed_ports = Some(ports.into());
        target.config.env = Some(vec!["PATH=/bin".into(), "A=1".into(), "B".into()]);
        let vars = env("the-db", &record("web"), &target, [10, 0, 0, 2].into());
        assert_eq!(vars[0], "THE_DB_PORT=tcp://10.0.0.2:80");
        assert_eq!(vars[13], "THE_DB_PORT_53_UDP=udp://10.0.0.2:53");
        assert_eq!(
            vars[17..],
            [
                "THE_DB_PORT_80_TCP_START=tcp://10.0.0.2:80",
                "THE_DB_PORT_80_TCP_PORT_START=80",
                "THE_DB_PORT_80_TCP_END=tcp://10.0.0.2:81",
                "THE_DB_PORT_80_TCP_PORT_END=81",
                "THE_DB_NAME=/web/the-db",
                "THE_DB_ENV_A=1",
            ]
        );
    }
}
