//! Published ports: which host ports lead to a container, and who holds them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use hawser_hoststate::Transport;
use serde::{Deserialize, Serialize};

use super::{Mode, Sandbox};
use crate::error::Error;
use crate::id::SandboxId;
use crate::model::{Model, Touched};
use crate::network::{GatewayMode, Sources};

/// A host port that leads to a port of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Publication {
    /// Protocol.
    pub transport: Transport,
    /// Port inside, not 0.
    pub container_port: u16,
    /// Host address; the unspecified one stands for all addresses of its family (only).
    pub host: IpAddr,
    /// Host port, not 0.
    pub host_port: u16,
}

/// Who may reach the published ports of a container, where it is the container's to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishFrom {
    /// All that is not below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<Sources>,
    /// By container port; the keys are those that Docker has for ports (`80/tcp`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ports: BTreeMap<String, Sources>,
}

impl PublishFrom {
    /// Whether the container says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Who may reach a port, if the container says so.
    pub fn of(&self, transport: Transport, container_port: u16) -> Option<&Sources> {
        self.ports.get(&format!("{container_port}/{transport}")).or(self.all.as_ref())
    }
}

/// How a published port is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// At the host's port, which is held for it.
    Host,
    /// At the container's own address alone (mode `routed`).
    Direct,
    /// Not at all: the sandbox has no way out, as on internal networks.
    Nowhere,
}

/// The modes of the networks that lead to a sandbox from outside, by family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    v4: Option<GatewayMode>,
    v6: Option<GatewayMode>,
}

impl Reach {
    /// How a port published on this host address is reached: by the endpoint of its family, else by
    /// that of the other one, which takes a port of the host.
    pub fn way(&self, host: IpAddr) -> Way {
        let (own, other) = if host.is_ipv4() { (self.v4, self.v6) } else { (self.v6, self.v4) };
        match (own, other) {
            (Some(GatewayMode::Routed), _) => Way::Direct,
            (Some(_), _) => Way::Host,
            (None, Some(GatewayMode::Routed) | None) => Way::Nowhere,
            (None, Some(_)) => Way::Host,
        }
    }
}

/// Whether a packet could be meant for both: two host addresses are one, or one of them stands for
/// all of the family.
fn meet(a: IpAddr, b: IpAddr) -> bool {
    a == b || (a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified()))
}

impl Model {
    /// Publishes these ports of a sandbox, and no others of it.
    pub fn publish(
        &mut self,
        id: SandboxId,
        publications: Vec<Publication>,
    ) -> Result<Touched, Error> {
        let old = Arc::clone(self.known_sandbox(id)?);
        let new = Sandbox { publications: in_order(publications), ..Sandbox::clone(&old) };
        self.drop_sandbox(id);
        let checked = self.check_publications(&new);
        self.add_sandbox(if checked.is_ok() { new } else { Sandbox::clone(&old) });
        checked.map(|()| Touched::sandbox(id))
    }

    /// How the published ports of a sandbox are reached.
    pub fn reach(&self, id: SandboxId) -> Reach {
        let network = |v6| self.network(self.gateway_endpoint(id, v6)?.network);
        Reach {
            v4: network(false).map(|network| network.bridge.gateway_mode(false)),
            v6: network(true).map(|network| network.bridge.gateway_mode(true)),
        }
    }

    /// The sandbox that has a host port, if one that is published on `address` would meet it.
    pub fn port_holder(
        &self,
        address: IpAddr,
        transport: Transport,
        port: u16,
    ) -> Option<SandboxId> {
        self.holder_beside(None, address, transport, port)
    }

    /// The same, where the ports of one sandbox don't count.
    fn holder_beside(
        &self,
        own: Option<SandboxId>,
        address: IpAddr,
        transport: Transport,
        port: u16,
    ) -> Option<SandboxId> {
        let mut holders = self.ports.get(&(transport, port))?.iter();
        let holds = |(host, sandbox): &&(IpAddr, SandboxId)| {
            Some(*sandbox) != own
                && meet(*host, address)
                && self.reach(*sandbox).way(*host) == Way::Host
        };
        holders.find(holds).map(|(_, sandbox)| *sandbox)
    }

    /// After a sandbox has got or lost an endpoint, which may be the one that its ports lead to: if
    /// others have the ports there, all is as it was.
    pub(crate) fn check_moved_ports(&mut self, before: &Self, id: SandboxId) -> Result<(), Error> {
        let checked = self.known_sandbox(id).and_then(|sandbox| self.check_publications(sandbox));
        if checked.is_err() {
            *self = before.clone();
        }
        checked
    }

    /// Whether a sandbox can have the host ports that its publications are to be reached at.
    pub(crate) fn check_publications(&self, sandbox: &Sandbox) -> Result<(), Error> {
        if sandbox.publications.is_empty() {
            return Ok(());
        }
        if sandbox.mode != Mode::Own {
            return Err(Error::PublishWithoutNetwork);
        }
        let mut seen: BTreeMap<(Transport, u16), Vec<IpAddr>> = BTreeMap::new();
        let reach = self.reach(sandbox.id);
        for publication in &sandbox.publications {
            let Publication { transport, container_port, host: address, host_port: port } =
                *publication;
            if container_port == 0 || port == 0 {
                return Err(Error::PortZero);
            }
            if reach.way(address) != Way::Host {
                continue;
            }
            let hosts = seen.entry((transport, port)).or_default();
            let own = hosts.iter().any(|host| meet(*host, address)).then_some(sandbox.id);
            let other = || self.holder_beside(Some(sandbox.id), address, transport, port);
            if let Some(holder) = own.or_else(other) {
                return Err(Error::PortInUse { address, transport, port, holder });
            }
            hosts.push(address);
        }
        Ok(())
    }
}

/// As they are kept: sorted, each once.
pub(super) fn in_order(mut publications: Vec<Publication>) -> Vec<Publication> {
    publications.sort();
    publications.dedup();
    publications
}
