//! Every published port, and who can reach it.
//!
//! In: the model. Out: rows for people; what firewalls of others take away again is told beside them.

use hawser_hoststate::{At, Family};
use hawser_model::Sources;
use hawser_plan::Published;

use crate::engine::Engine;
use crate::error::Result;

/// A published port at one of the addresses that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedPort {
    /// Id of the container.
    pub container_id: String,
    /// Its name.
    pub container: String,
    /// Port inside.
    pub container_port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// Where it is reached: an address of the host, the unspecified one for all of its family, or
    /// the container's own. Empty if nothing leads there from outside.
    pub address: String,
    /// The port there.
    pub port: u16,
    /// Who may reach it: `any`, or `local` (the host itself), networks, `iface:NAME`.
    pub from: Vec<String>,
    /// Links that packets have to come in by; empty for any.
    pub by: Vec<String>,
    /// Whether the engine itself carries connections, those of `[::1]` at least.
    pub relayed: bool,
}

/// Published ports, and what others do to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishedPorts {
    /// In the order of the containers' names, then of ports.
    pub ports: Vec<PublishedPort>,
    /// What firewalls of others drop, in sentences.
    pub warnings: Vec<String>,
}

impl Engine {
    /// Published ports of all containers that run.
    ///
    /// # Errors
    /// System: the kernel does not say what firewalls of others do.
    pub async fn published_ports(&self) -> Result<PublishedPorts> {
        let writer = &self.networks.writer;
        let model = writer.model();
        let mut sandboxes: Vec<_> = model.sandboxes().collect();
        sandboxes.sort_by(|a, b| a.name.cmp(&b.name));
        let mut ports = Vec::new();
        for sandbox in sandboxes {
            let published = writer.published(&model, sandbox);
            let id = sandbox.id.to_string();
            ports.extend(published.iter().flat_map(|port| rows(&id, &sandbox.name, port)));
        }
        Ok(PublishedPorts { ports, warnings: self.networks.obstacles().await? })
    }
}

fn rows(id: &str, name: &str, port: &Published) -> Vec<PublishedPort> {
    let row = |address: String, number, from, by| PublishedPort {
        container_id: id.to_owned(),
        container: name.to_owned(),
        container_port: port.publication.container_port,
        protocol: port.publication.transport.to_string(),
        address,
        port: number,
        from,
        by,
        relayed: port.relayed,
    };
    if port.at.is_empty() {
        return vec![row(String::new(), port.publication.host_port, Vec::new(), Vec::new())];
    }
    let reached = port.at.iter().map(|reached| {
        let by = reached.by.iter().map(ToString::to_string).collect();
        row(address(reached.at), reached.port, from(reached.at, &port.from), by)
    });
    reached.collect()
}

fn address(at: At) -> String {
    match at {
        At::One(address) => address.to_string(),
        At::Every(Family::Ipv4) => "0.0.0.0".to_owned(),
        At::Every(Family::Ipv6) => "::".to_owned(),
    }
}

/// Loopback addresses are the host's own affair, whoever else may reach the port. A network of the
/// other family is no source there.
fn from(at: At, sources: &Sources) -> Vec<String> {
    let (loopback, v6) = match at {
        At::One(address) => (address.is_loopback(), address.is_ipv6()),
        At::Every(family) => (false, family == Family::Ipv6),
    };
    match sources {
        _ if loopback => vec!["local".to_owned()],
        Sources::Any => sources.words(),
        Sources::Only { nets, links } => {
            let nets = nets.iter().copied().filter(|net| net.addr().is_ipv6() == v6).collect();
            Sources::Only { nets, links: links.clone() }.words()
        }
    }
}
