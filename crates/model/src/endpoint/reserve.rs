//! Fixed addresses of containers that don't run: no dynamic address is one of them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::id::{NetworkId, SandboxId};
use crate::model::Model;
use crate::network::{NetworkName, PoolUsage};

impl Model {
    /// Keeps addresses of a network (which need not be there yet) for a sandbox (which need not
    /// run): dynamic addresses pass over them; who asks for one by name gets it. Replaces what was
    /// kept for the sandbox on the network; an empty set ends it. Reservations are not records:
    /// they follow from what the containers ask for, and are told again after a start.
    pub fn reserve(
        &mut self,
        sandbox: SandboxId,
        network: &NetworkName,
        addresses: BTreeSet<IpAddr>,
    ) {
        todo!("{sandbox} {network} {addresses:?}")
    }

    /// Ends all reservations of a sandbox.
    pub fn end_reservations(&mut self, sandbox: SandboxId) {
        todo!("{sandbox}")
    }

    /// How full the pools of a network are.
    pub fn usage(&self, network: NetworkId) -> Vec<PoolUsage> {
        todo!("{network}")
    }
}
