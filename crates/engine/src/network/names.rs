//! What a sandbox calls things: its files in `/etc`, and the name service that answers in it.
//!
//! In: the model after a change, and container records. Out: files written in place, zones and
//! views of the name service. All of it is derived: it can be written again at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use hawser_dns::{Alias, SocketFactory, Sockets, Upstream, View};
use hawser_hoststate::NamespaceName;
use hawser_kernel::Kernel;
use hawser_model::{Mode, Model, NetworkId, SandboxId};

use super::check::NetworkMode;
use super::etc::{self, EtcFiles, HostsLine, Resolver};
use super::{Networks, links, namespace_of, sandbox_id};
use crate::engine::{Engine, blocking, system};
use crate::error::{Error, Result};
use crate::record::{Container, ContainerId};

/// Where every sandbox with a user-defined network asks, as in Docker.
const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(127, 0, 0, 11), 53);

impl Networks {
    /// Writes the files and starts the name service of a sandbox; gives the variables of links.
    pub(super) async fn name(&self, engine: &Engine, record: &Container) -> Result<Vec<String>> {
        let env = self.write_etc(engine, record)?;
        self.answer_names(engine, record).await?;
        self.tell_linkers(engine, record);
        Ok(env)
    }

    /// Makes the name service know who is on these networks now, and those who link to them.
    pub(super) fn publish_zones(&self, networks: &BTreeSet<NetworkId>) {
        // The model is read under the lock: of two that publish, the later one tells the later model.
        let _one = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let model = self.writer.model();
        for id in networks {
            match model.network(*id) {
                Some(_) => self.dns.set_zone(&id.to_string(), hawser_plan::zone(&model, *id)),
                None => self.dns.remove_zone(&id.to_string()),
            }
            let linking =
                model.endpoints_of_network(*id).into_iter().filter(|e| !e.links.is_empty());
            for sandbox in linking.map(|endpoint| endpoint.sandbox) {
                if let Some((_, view)) = view(&model, sandbox) {
                    // It does nothing for a sandbox that is not served (yet).
                    self.dns.set_view(&sandbox.to_string(), view);
                }
            }
        }
    }

    /// Starts, changes or ends the name service in a sandbox, as its networks ask for.
    pub(super) async fn answer_names(&self, engine: &Engine, record: &Container) -> Result<()> {
        let model = self.writer.model();
        let id = sandbox_id(&record.id)?;
        self.publish_zones(&networks_of(&model, id));
        let key = id.to_string();
        let Some((ns, view)) = view(&model, id) else {
            // A later connect opens the same sockets again: they must be closed by then.
            self.dns.stop(&key).closed().await;
            return Ok(());
        };
        if self.dns.serves(&key) {
            self.dns.set_view(&key, view);
            return Ok(());
        }
        let upstreams = self.upstreams(engine, record, &model, &ns);
        let kernel = Arc::clone(&self.kernel);
        let sockets = blocking(move || {
            let address = SocketAddr::from(SERVER);
            let udp = kernel.udp_socket(&ns, address);
            let tcp = kernel.tcp_listener(&ns, address);
            let fail = |e| system("open the name service in the sandbox", e);
            Ok(Sockets { udp: udp.map_err(fail)?, tcp: tcp.map_err(fail)? })
        });
        let fail = |e| system("start the name service", e);
        self.dns.serve(&key, sockets.await?, view, upstreams).map_err(fail)
    }

    /// Ends the name service of a sandbox that is about to go.
    pub(super) fn unname(&self, sandbox: SandboxId) {
        self.dns.stop(&sandbox.to_string());
    }

    /// Resolvers that questions are forwarded to: those of the container or the daemon, asked from
    /// the sandbox; else the host's, asked from the host. A sandbox without a way out gets none of
    /// the host's.
    fn upstreams(
        &self,
        engine: &Engine,
        record: &Container,
        model: &Model,
        ns: &NamespaceName,
    ) -> Vec<Upstream> {
        let explicit = own_servers(engine, record);
        if !explicit.is_empty() {
            let from = SandboxSockets { kernel: Arc::clone(&self.kernel), ns: ns.clone() };
            let from: Arc<dyn SocketFactory> = Arc::new(from);
            return upstream_list(explicit, &Some(from));
        }
        let way_out = sandbox_id(&record.id).is_ok_and(|id| {
            model.gateway_endpoint(id, false).or(model.gateway_endpoint(id, true)).is_some()
        });
        if way_out { upstream_list(&Resolver::of_host().servers, &None) } else { Vec::new() }
    }

    /// Where the files of a container's sandbox are: with `container:`, the other container's.
    pub(super) fn etc_of(&self, engine: &Engine, record: &Container) -> Result<EtcFiles> {
        let mut owner: ContainerId = record.id.clone();
        let mut mode = NetworkMode::of(&record.host_config);
        // A chain of `container:` is followed; each link was there when its container was started,
        // so a circle can't be longer than the number of containers.
        for _ in 0..engine.containers.all().len() {
            let NetworkMode::Container(target) = &mode else { break };
            let target = engine.containers.find(target)?.record();
            owner = target.id.clone();
            mode = NetworkMode::of(&target.host_config);
        }
        Ok(EtcFiles::in_directory(&engine.settings.container_dir(&owner)))
    }

    fn write_etc(&self, engine: &Engine, record: &Container) -> Result<Vec<String>> {
        if matches!(NetworkMode::of(&record.host_config), NetworkMode::Container(_)) {
            return Ok(Vec::new());
        }
        let dir = engine.settings.container_dir(&record.id);
        let fail = |e: io::Error| system(&format!("write the files of {}", dir.display()), e);
        std::fs::create_dir_all(&dir).map_err(fail)?;
        let files = EtcFiles::in_directory(&dir);
        let (hosts, env) = self.hosts(engine, record)?;
        etc::write(&files.hosts, &hosts).map_err(fail)?;
        etc::write(&files.hostname, &format!("{}\n", full_hostname(record))).map_err(fail)?;
        let resolver = self.resolver(engine, record);
        etc::write_unless_edited(&files.resolv_conf, &resolver.text()).map_err(fail)?;
        Ok(env)
    }

    fn resolver(&self, engine: &Engine, record: &Container) -> Resolver {
        let (host, settings) = (&record.host_config, &engine.settings);
        let first = |a: &[String], b: &[String]| if a.is_empty() { b.to_vec() } else { a.to_vec() };
        let own = Resolver::of_host().overridden(
            &first(&host.dns, &settings.dns),
            &first(&host.dns_search, &settings.dns_search),
            &first(&host.dns_options, &settings.dns_options),
        );
        let model = self.writer.model();
        let id = sandbox_id(&record.id).ok();
        match NetworkMode::of(&record.host_config) {
            NetworkMode::Host => own,
            _ if id.and_then(|id| view(&model, id)).is_some() => own.internal(),
            _ if own_servers(engine, record).is_empty() => own.without_loopback(),
            _ => own,
        }
    }

    /// The hosts file, and the variables of links.
    fn hosts(&self, engine: &Engine, record: &Container) -> Result<(String, Vec<String>)> {
        let model = self.writer.model();
        let id = sandbox_id(&record.id)?;
        if NetworkMode::of(&record.host_config) == NetworkMode::Host {
            let text = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
            return Ok((text + &lines(&extra_hosts(engine, record, None)?), Vec::new()));
        }
        let mut all = Vec::new();
        let mut env = Vec::new();
        let own = own_names(record);
        let endpoints = model.endpoints_of_sandbox(id);
        let addresses =
            endpoints.iter().filter_map(|e| e.interface.as_ref()).flat_map(|i| i.addresses());
        all.extend(addresses.map(|address| HostsLine { address, names: own.clone() }));
        let gateway = model.gateway_endpoint(id, false).and_then(|e| gateway_of(&model, e.network));
        all.extend(extra_hosts(engine, record, gateway)?);
        for (alias, target, address) in self.linked(engine, record, &model)? {
            all.push(links::hosts_line(&alias, &target, address));
            env.extend(links::env(&alias, record, &target, address));
        }
        Ok((etc::hosts(&all), env))
    }

    /// Targets of a container's links on the default bridge that have an address.
    ///
    /// # Errors
    /// A target is not there or does not run.
    fn linked(
        &self,
        engine: &Engine,
        record: &Container,
        model: &Model,
    ) -> Result<Vec<(String, Arc<Container>, IpAddr)>> {
        if !record.networks.contains_key("bridge") {
            return Ok(Vec::new());
        }
        let Ok(bridge) = model.resolve_network("bridge") else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for link in record.host_config.links.iter().flatten() {
            let (target, alias) = links::parse(link);
            let target = engine.containers.find(target)?.record();
            let endpoint = model.endpoint_between(sandbox_id(&target.id)?, bridge.id);
            let address = endpoint.and_then(|e| e.interface.as_ref()?.addresses().next());
            let Some(address) = address else {
                let text = format!(
                    "Cannot link to a non running container: /{} AS /{}/{alias}",
                    target.name, record.name
                );
                return Err(Error::conflict(text));
            };
            found.push((alias.to_owned(), target, address));
        }
        Ok(found)
    }

    /// Containers that link to this one see its new address.
    fn tell_linkers(&self, engine: &Engine, record: &Container) {
        let model = self.writer.model();
        for entry in engine.containers.all() {
            let other = entry.record();
            let names = |link: &String| {
                let target = links::parse(link).0;
                target == record.name
                    || (!target.is_empty() && record.id.as_str().starts_with(target))
            };
            let linked = other.host_config.links.iter().flatten().any(names);
            let runs = sandbox_id(&other.id).is_ok_and(|id| model.sandbox(id).is_some());
            if linked
                && runs
                && other.id != record.id
                && let Err(error) = self.write_etc(engine, &other)
            {
                tracing::warn!(container = %other.name, %error, "its hosts file could not follow a link");
            }
        }
    }

    /// Names of the containers that a container's links refer to, by what the links say. One that
    /// is not there yet is looked for under just that name, as in Docker.
    pub(super) fn link_targets(
        &self,
        engine: &Engine,
        record: &Container,
    ) -> BTreeMap<String, String> {
        let links = record.networks.values().flat_map(|e| e.links.iter().flatten());
        let targets = links.map(|link| links::parse(link).0);
        let name = |target| engine.containers.find(target).map(|entry| entry.record().name.clone());
        targets.filter_map(|target| Some((target.to_owned(), name(target).ok()?))).collect()
    }
}

fn own_servers<'a>(engine: &'a Engine, record: &'a Container) -> &'a [String] {
    if record.host_config.dns.is_empty() { &engine.settings.dns } else { &record.host_config.dns }
}

fn upstream_list(servers: &[String], from: &Option<Arc<dyn SocketFactory>>) -> Vec<Upstream> {
    let addresses = servers.iter().filter_map(|server| {
        let text = server.split('%').next().unwrap_or_default();
        text.parse::<IpAddr>().ok()
    });
    addresses.map(|a| Upstream { address: SocketAddr::new(a, 53), from: from.clone() }).collect()
}

pub(super) fn networks_of(model: &Model, sandbox: SandboxId) -> BTreeSet<NetworkId> {
    model.endpoints_of_sandbox(sandbox).iter().map(|e| e.network).collect()
}

/// What the name service answers in a sandbox; `None` if it has none: only a namespace of its own
/// with a user-defined network has one.
fn view(model: &Model, id: SandboxId) -> Option<(NamespaceName, View)> {
    let sandbox = model.sandbox(id).filter(|s| s.mode == Mode::Own)?;
    let zones = hawser_plan::search_order(model, id);
    let zones: Vec<String> = zones.iter().map(ToString::to_string).collect();
    let ns = namespace_of(model, sandbox.id)?;
    let aliases = hawser_plan::private_names(model, id).into_iter().map(|private| Alias {
        name: private.name,
        zone: private.network.to_string(),
        target: private.target,
    });
    (!zones.is_empty()).then(|| (ns, View { aliases: aliases.collect(), zones }))
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

fn lines(all: &[HostsLine]) -> String {
    all.iter().map(|l| format!("{}\t{}\n", l.address, l.names)).collect()
}

/// Sockets that leave from a sandbox.
struct SandboxSockets {
    kernel: Arc<Kernel>,
    ns: NamespaceName,
}

impl SocketFactory for SandboxSockets {
    fn udp(&self, upstream: SocketAddr) -> io::Result<UdpSocket> {
        let any: IpAddr = match upstream {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        self.kernel.udp_socket(&self.ns, SocketAddr::new(any, 0)).map_err(io::Error::other)
    }

    fn tcp(&self, upstream: SocketAddr) -> io::Result<TcpStream> {
        let connect = move || TcpStream::connect_timeout(&upstream, Duration::from_secs(2));
        self.kernel.in_namespace(&self.ns, connect).map_err(io::Error::other)?
    }
}
