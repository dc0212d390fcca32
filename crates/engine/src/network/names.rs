//! What a sandbox calls things: its files in `/etc`, and the name service that answers in it.
//!
//! In: the model after a change, and container records. Out: files written in place, zones and
//! views of the name service. All of it is derived: it can be written again at any time.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, PoisonError};

use hawser_dns::{Alias, SocketFactory, Sockets, Upstream, View};
use hawser_hoststate::NamespaceName;
use hawser_kernel::Kernel;
use hawser_model::{Endpoint, Model, NetworkId, SandboxId};

use super::resolver::{self, Service};
use super::{Networks, namespace_of, sandbox_id};
use crate::engine::{Engine, blocking, system};
use crate::error::Result;
use crate::record::Container;

impl Networks {
    /// At a start: writes the files anew and starts the name service; gives the variables of links.
    pub(super) async fn name_anew(
        &self,
        engine: &Engine,
        record: &Container,
    ) -> Result<Vec<String>> {
        self.forget_edits(engine, record)?;
        self.name(engine, record).await?;
        Ok(self.linked_env(engine, record))
    }

    /// Makes what a sandbox is called, and whom it asks, what model and records say now.
    pub(super) async fn name(&self, engine: &Engine, record: &Container) -> Result<()> {
        self.write_etc(engine, &record.id)?;
        self.answer_names(engine, record).await?;
        self.tell_linkers(engine, record);
        Ok(())
    }

    /// After a network has changed: files and name service of those on it whom it concerns follow.
    pub(super) async fn follow(
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
            self.name_after(engine, &entry.record()).await;
        }
    }

    /// Makes names and files of a container follow a change that stands. What can't is told, and
    /// follows at the container's next start.
    pub(super) async fn name_after(&self, engine: &Engine, record: &Container) {
        if let Err(error) = self.name(engine, record).await {
            tracing::warn!(container = %record.id, %error, "its names do not follow its networks");
        }
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
                // It does nothing for a sandbox that is not served (yet).
                self.dns.set_view(&sandbox.to_string(), view(&model, sandbox));
            }
        }
    }

    /// Starts, changes or ends the name service in a sandbox, as its networks ask for.
    async fn answer_names(&self, engine: &Engine, record: &Container) -> Result<()> {
        let id = sandbox_id(&record.id)?;
        let key = id.to_string();
        self.publish_zones(&networks_of(&self.writer.model(), id));
        // Of two that find no service in a sandbox, one alone may open its sockets.
        let _alone = self.answering.lock().await;
        let sockets = match self.service(engine, record, id) {
            None => {
                // A later connect opens the same sockets again: they must be closed by then.
                self.dns.stop(&key).closed().await;
                return Ok(());
            }
            Some(_) if self.dns.serves(&key) => None,
            Some((ns, _)) => Some(self.sockets(ns).await?),
        };
        // The model is read (again) under the lock, as for zones.
        let _one = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((ns, service)) = self.service(engine, record, id) else { return Ok(()) };
        let upstreams = self.upstreams(service, &ns);
        let view = view(&self.writer.model(), id);
        match sockets {
            Some(sockets) => {
                let served = self.dns.serve(&key, sockets, view, upstreams);
                served.map_err(|e| system("start the name service", e))
            }
            None => {
                self.dns.set_upstreams(&key, upstreams);
                self.dns.set_view(&key, view);
                Ok(())
            }
        }
    }

    /// The name service that a sandbox has by now, and where; `None` if it has none.
    fn service(
        &self,
        engine: &Engine,
        record: &Container,
        id: SandboxId,
    ) -> Option<(NamespaceName, Service)> {
        let model = self.writer.model();
        let service = resolver::of_sandbox(record, &model, id, &engine.settings).service?;
        Some((namespace_of(&model, id)?, service))
    }

    async fn sockets(&self, ns: NamespaceName) -> Result<Sockets> {
        let kernel = Arc::clone(&self.kernel);
        blocking(move || {
            let address = SocketAddr::from((resolver::SERVER, 53));
            let udp = kernel.udp_socket(&ns, address);
            let tcp = kernel.tcp_listener(&ns, address);
            let fail = |e| system("open the name service in the sandbox", e);
            Ok(Sockets { udp: udp.map_err(fail)?, tcp: tcp.map_err(fail)? })
        })
        .await
    }

    fn upstreams(&self, service: Service, ns: &NamespaceName) -> Vec<Upstream> {
        let from = service.from_sandbox.then(|| {
            let sockets = SandboxSockets { kernel: Arc::clone(&self.kernel), ns: ns.clone() };
            Arc::new(sockets) as Arc<dyn SocketFactory>
        });
        let upstream =
            |address| Upstream { address: SocketAddr::new(address, 53), from: from.clone() };
        service.upstreams.into_iter().map(upstream).collect()
    }

    /// Ends the name service of a sandbox that is about to go.
    pub(super) fn unname(&self, sandbox: SandboxId) {
        self.dns.stop(&sandbox.to_string());
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
