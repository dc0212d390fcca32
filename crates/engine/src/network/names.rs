//! What a sandbox calls things: its files in `/etc`, and the name service that answers in it.
//!
//! In: the model after a change, and container records. Out: files written in place, zones and
//! views of the name service. All of it is derived: it can be written again at any time.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, MutexGuard, PoisonError};

use hawser_dns::{Alias, Dns, SocketFactory, Sockets, Upstream, View};
use hawser_hoststate::{NamespaceName, Ns};
use hawser_kernel::{ErrorKind, Kernel};
use hawser_model::{Endpoint, Model, NetworkId, SandboxId};

use super::resolv_conf::Server;
use super::resolver::{Asking, Asks, Service};
use super::{Networks, namespace_of, sandbox_id};
use crate::engine::{Engine, system};
use crate::error::Result;
use crate::record::{Container, ContainerId};

impl Networks {
    /// At a start: writes the files anew and starts the name service; gives the variables of links.
    pub(super) fn name_anew(&self, engine: &Engine, record: &Container) -> Result<Vec<String>> {
        self.forget_edits(engine, record)?;
        self.name(engine, record)?;
        Ok(self.linked_env(engine, record))
    }

    /// Makes what a sandbox is called, and whom it asks, what model and records say now.
    pub(super) fn name(&self, engine: &Engine, record: &Container) -> Result<()> {
        self.write_etc(engine, &record.id)?;
        let sandbox = sandbox_id(&record.id)?;
        self.publish_names(sandbox, &networks_of(&self.writer.model(), sandbox));
        self.answer_names(engine, &record.id)?;
        self.tell_linkers(engine, record);
        Ok(())
    }

    /// After a network has changed: files and name service of those on it whom it concerns follow.
    pub(super) fn follow(
        &self,
        engine: &Engine,
        network: NetworkId,
        concerns: impl Fn(&Model, &Endpoint) -> bool,
    ) {
        let model = self.writer.model();
        let endpoints = model.endpoints_of_network(network);
        for endpoint in endpoints.into_iter().filter(|endpoint| concerns(&model, endpoint)) {
            let id = endpoint.sandbox.to_string().parse();
            let Some(entry) = id.ok().and_then(|id| engine.containers.get(&id)) else { continue };
            self.name_after(engine, &entry.record());
        }
    }

    /// Makes names and files of a container follow a change that stands. What can't is told, and
    /// follows at the container's next start.
    pub(super) fn name_after(&self, engine: &Engine, record: &Container) {
        if let Err(error) = self.name(engine, record) {
            tracing::warn!(container = %record.id, %error, "its names do not follow its networks");
        }
    }

    /// Makes the name service know what a sandbox is called on these networks now, and those who
    /// link to it.
    pub(super) fn publish_names(&self, sandbox: SandboxId, networks: &BTreeSet<NetworkId>) {
        self.publish_each(networks, |model, id, key| {
            let names = hawser_plan::names(model, id, sandbox);
            self.dns.set_names(key, &sandbox.to_string(), names)
        });
    }

    /// Makes the name service know these networks, and who is on them now.
    pub(super) fn publish_zones(&self, networks: &BTreeSet<NetworkId>) {
        self.publish_each(networks, |_, _, _| false);
    }

    /// `done` tells whether it changed the zone with this key; if not, the zone is made as a whole.
    fn publish_each(
        &self,
        networks: &BTreeSet<NetworkId>,
        done: impl Fn(&Model, NetworkId, &str) -> bool,
    ) {
        // The model is read under the lock.
        let _one = self.publishing();
        let model = self.writer.model();
        for id in networks {
            let key = id.to_string();
            let endpoints = model.endpoints_of_network(*id);
            if endpoints.is_empty() {
                self.dns.remove_zone(&key);
            } else if !done(&model, *id, &key) {
                self.dns.set_zone(&key, hawser_plan::zone(&model, *id));
            }
            let linking = endpoints.into_iter().filter(|e| !e.links.is_empty());
            for sandbox in linking.map(|endpoint| endpoint.sandbox) {
                // It does nothing for a sandbox that is not served (yet).
                self.dns.set_view(&sandbox.to_string(), view(&model, sandbox));
            }
        }
    }

    /// Starts, changes or ends the name service in a sandbox, as its networks ask for.
    pub(super) fn answer_names(&self, engine: &Engine, id: &ContainerId) -> Result<()> {
        let sandbox = sandbox_id(id)?;
        // Record and model are read under the lock, as for zones.
        let mut answered = self.publishing();
        let Some(entry) = engine.containers.get(id) else { return Ok(()) };
        let model = self.writer.model();
        let chosen = Asking::of(&entry.record(), &engine.settings).choose(&model, sandbox);
        let (Some(service), Some(ns)) = (chosen.service, namespace_of(&model, sandbox)) else {
            answered.stop(&self.dns, sandbox);
            return Ok(());
        };
        let Some(sockets) = self.sockets(&ns)? else {
            answered.stop(&self.dns, sandbox);
            return Ok(());
        };
        let seen = (view(&model, sandbox), self.upstreams(&service, &ns));
        let answering = answered.answer(&self.dns, sandbox, sockets, seen);
        answering.map_err(|e| system("start the name service", e))
    }

    /// The sockets that a sandbox's name server has on the host; `None` if there are none (any more):
    /// who changes that tells the name service afterwards.
    fn sockets(&self, ns: &NamespaceName) -> Result<Option<Sockets>> {
        match self.kernel.open_name_server(ns) {
            Ok((udp, tcp)) => Ok(Some(Sockets { udp, tcp })),
            Err(error) if error.kind == ErrorKind::NotFound => {
                tracing::debug!(sandbox = %ns, "it has no name server");
                Ok(None)
            }
            Err(error) => Err(system("open the name service in the sandbox", error)),
        }
    }

    /// Whom a name service asks. A server on a link that is not there can't be asked.
    fn upstreams(&self, service: &Service, ns: &NamespaceName) -> Vec<Upstream> {
        let sockets = SandboxSockets { kernel: Arc::clone(&self.kernel), ns: ns.clone() };
        let inside: Arc<dyn SocketFactory> = Arc::new(sockets);
        let upstream = |asks: &Asks| {
            let place = if asks.from_sandbox { Ns::Named(ns.clone()) } else { Ns::Host };
            let address = self.socket_address(&asks.server, &place)?;
            Some(Upstream { address, from: asks.from_sandbox.then(|| Arc::clone(&inside)) })
        };
        service.upstreams.iter().filter_map(upstream).collect()
    }

    /// Where a server is asked, with the link that a link-local address is of.
    pub(super) fn socket_address(&self, server: &Server, place: &Ns) -> Option<SocketAddr> {
        let IpAddr::V6(address) = server.address else {
            return Some(SocketAddr::new(server.address, DOMAIN));
        };
        let scope = match &server.zone {
            Some(zone) => self.index_of(place, zone)?,
            None if server.is_link_local() => return None,
            None => 0,
        };
        Some(SocketAddrV6::new(address, DOMAIN, 0, scope).into())
    }

    /// Index of the link that a zone names, in words or by its number.
    fn index_of(&self, place: &Ns, zone: &str) -> Option<u32> {
        let named = || {
            let found = self.kernel.link_index(place, &zone.parse().ok()?);
            found.inspect_err(|error| tracing::debug!(zone, %error, "no such link")).ok()?
        };
        zone.parse().ok().or_else(named)
    }

    /// Ends the name service of a sandbox that goes, or has gone.
    pub(super) fn unname(&self, sandbox: SandboxId) {
        self.publishing().stop(&self.dns, sandbox);
    }

    /// Of two that publish, the later one tells the later model.
    pub(super) fn publishing(&self) -> MutexGuard<'_, Answered> {
        self.publishing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Port for names, RFC 1035 4.2.
const DOMAIN: u16 = 53;

/// The sandboxes that are answered, each with what its name service was told last.
#[derive(Default)]
pub(super) struct Answered(HashMap<SandboxId, Told>);

/// What a name service was told.
#[derive(PartialEq, Eq)]
struct Told {
    /// Port of the socket that its questions come to.
    port: u16,
    /// Whom it asks, and whether from the sandbox.
    upstreams: Vec<(SocketAddr, bool)>,
}

impl Answered {
    /// Answers in a sandbox; where it is answered at these sockets already, with what it sees now.
    fn answer(
        &mut self,
        dns: &Dns,
        sandbox: SandboxId,
        sockets: Sockets,
        (view, upstreams): (View, Vec<Upstream>),
    ) -> io::Result<()> {
        let key = sandbox.to_string();
        let told = Told {
            port: sockets.udp.local_addr()?.port(),
            upstreams: upstreams.iter().map(|u| (u.address, u.from.is_some())).collect(),
        };
        match self.0.get(&sandbox).filter(|before| before.port == told.port) {
            None => dns.serve(&key, sockets, view, upstreams)?,
            Some(before) => {
                // It forgets what it knows of others.
                if *before != told {
                    dns.set_upstreams(&key, upstreams);
                }
                dns.set_view(&key, view);
            }
        }
        self.0.insert(sandbox, told);
        Ok(())
    }

    fn stop(&mut self, dns: &Dns, sandbox: SandboxId) {
        self.0.remove(&sandbox);
        dns.stop(&sandbox.to_string());
    }
}

pub(super) fn networks_of(model: &Model, sandbox: SandboxId) -> BTreeSet<NetworkId> {
    model.endpoints_of_sandbox(sandbox).iter().map(|e| e.network).collect()
}

/// What the name service of a sandbox knows itself.
fn view(model: &Model, id: SandboxId) -> View {
    let zones = hawser_plan::search_order(model, id);
    let aliases = hawser_plan::private_names(model, id).into_iter().map(|private| Alias {
        name: private.name,
        zone: private.network.to_string(),
        target: private.target,
    });
    View { aliases: aliases.collect(), zones: zones.iter().map(ToString::to_string).collect() }
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

    fn tcp(&self, upstream: SocketAddr) -> io::Result<OwnedFd> {
        self.kernel.tcp_socket(&self.ns, upstream.is_ipv6()).map_err(io::Error::other)
    }
}
