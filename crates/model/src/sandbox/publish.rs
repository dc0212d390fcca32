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

    /// The sandbox that a host port leads to, if a publication on `address` would meet it.
    pub fn port_holder(
        &self,
        address: IpAddr,
        transport: Transport,
        port: u16,
    ) -> Option<SandboxId> {
        let holders = self.ports.get(&(transport, port))?;
        let holder = holders.iter().find(|(host, _)| meet(*host, address));
        holder.map(|(_, sandbox)| *sandbox)
    }

    pub(super) fn check_publications(&self, sandbox: &Sandbox) -> Result<(), Error> {
        if sandbox.mode != Mode::Own && !sandbox.publications.is_empty() {
            return Err(Error::PublishWithoutNetwork);
        }
        let mut own: BTreeMap<(Transport, u16), Vec<IpAddr>> = BTreeMap::new();
        for publication in &sandbox.publications {
            let Publication { transport, container_port, host: address, host_port: port } =
                *publication;
            if container_port == 0 || port == 0 {
                return Err(Error::PortZero);
            }
            let hosts = own.entry((transport, port)).or_default();
            let same = hosts.iter().any(|host| meet(*host, address)).then_some(sandbox.id);
            if let Some(holder) = same.or_else(|| self.port_holder(address, transport, port)) {
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
