//! Published ports: which host ports lead to a container, and who holds them.

use std::net::IpAddr;

use hawser_hoststate::Transport;
use serde::{Deserialize, Serialize};

use super::Sandbox;
use crate::error::Error;
use crate::id::SandboxId;
use crate::model::Model;

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

impl Publication {
    /// Whether a packet could be meant for both host sides.
    fn clashes(&self, other: &Self) -> bool {
        (self.transport, self.host_port) == (other.transport, other.host_port)
            && meet(self.host, other.host)
    }
}

/// Whether two host addresses are one, or one of them stands for all of the family.
fn meet(a: IpAddr, b: IpAddr) -> bool {
    a == b || (a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified()))
}

impl Model {
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
        for (i, publication) in sandbox.publications.iter().enumerate() {
            let Publication { transport, container_port, host: address, host_port: port } =
                *publication;
            if container_port == 0 || port == 0 {
                return Err(Error::PortZero);
            }
            let same = sandbox.publications[..i].iter().any(|p| p.clashes(publication));
            let own = same.then_some(sandbox.id);
            if let Some(holder) = own.or_else(|| self.port_holder(address, transport, port)) {
                return Err(Error::PortInUse { address, transport, port, holder });
            }
        }
        Ok(())
    }
}
