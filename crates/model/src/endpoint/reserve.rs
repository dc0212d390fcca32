//! Fixed addresses of containers that may not run: no dynamic address is one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rpds::RedBlackTreeMapSync as Map;

use super::address;
use crate::id::SandboxId;
use crate::model::Model;
use crate::network::NetworkName;
use crate::spans::single;

/// Which addresses are kept, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reservations {
    sandboxes: Map<SandboxId, BTreeMap<NetworkName, BTreeSet<IpAddr>>>,
    addresses: Map<(NetworkName, IpAddr), BTreeSet<SandboxId>>,
}

impl Reservations {
    /// Whether an address is kept for anybody.
    pub fn holds(&self, network: &NetworkName, address: IpAddr) -> bool {
        self.addresses.contains_key(&(network.clone(), address))
    }

    /// All addresses kept on a network, in order.
    pub fn addresses(&self, network: &NetworkName) -> impl Iterator<Item = IpAddr> {
        let lowest = (network.clone(), IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let from = self.addresses.range(lowest.clone()..);
        from.map(|(key, _)| key).take_while(move |key| key.0 == lowest.0).map(|key| key.1)
    }

    /// Replaces what is kept for a sandbox on a network; gives what nobody has any more.
    fn replace(
        &mut self,
        sandbox: SandboxId,
        network: &NetworkName,
        addresses: BTreeSet<IpAddr>,
    ) -> BTreeSet<IpAddr> {
        let mut all = self.sandboxes.get(&sandbox).cloned().unwrap_or_default();
        let before = all.remove(network).unwrap_or_default();
        for address in &addresses {
            let key = (network.clone(), *address);
            let mut holders = self.addresses.get(&key).cloned().unwrap_or_default();
            holders.insert(sandbox);
            self.addresses.insert_mut(key, holders);
        }
        let free = |address: &IpAddr| self.end(sandbox, network, *address);
        let free = before.difference(&addresses).copied().filter(free).collect();
        if !addresses.is_empty() {
            all.insert(network.clone(), addresses);
        }
        match all.is_empty() {
            true => _ = self.sandboxes.remove_mut(&sandbox),
            false => self.sandboxes.insert_mut(sandbox, all),
        }
        free
    }

    /// Ends one reservation; whether it was the last of the address.
    fn end(&mut self, sandbox: SandboxId, network: &NetworkName, address: IpAddr) -> bool {
        let key = (network.clone(), address);
        let Some(holders) = self.addresses.get_mut(&key) else { return false };
        holders.remove(&sandbox);
        let last = holders.is_empty();
        if last {
            self.addresses.remove_mut(&key);
        }
        last
    }

    /// What is kept on one network is kept on another; for a network that changes its name.
    pub fn rename(&mut self, old: &NetworkName, new: &NetworkName) {
        let found = |kept: &BTreeMap<NetworkName, _>| kept.contains_key(old);
        let sandboxes: Vec<_> =
            self.sandboxes.iter().filter(|(_, kept)| found(kept)).map(|(id, _)| *id).collect();
        for sandbox in sandboxes {
            let kept = self.sandboxes.get(&sandbox);
            let mut addresses = kept.and_then(|kept| kept.get(old)).cloned().unwrap_or_default();
            let there = kept.and_then(|kept| kept.get(new)).cloned().unwrap_or_default();
            self.replace(sandbox, old, BTreeSet::new());
            addresses.extend(there);
            self.replace(sandbox, new, addresses);
        }
    }
}

impl Model {
    /// Keeps addresses of a network (which need not be there yet) for a sandbox (which need not
    /// run): dynamic addresses pass over them; who asks for one by name gets it. Replaces what was
    /// kept for the sandbox on the network; an empty set ends it. Reservations are not records:
    /// they follow from what the containers ask for, and are told again after a start. They follow
    /// a network that is renamed.
    pub fn reserve(
        &mut self,
        sandbox: SandboxId,
        network: &NetworkName,
        addresses: BTreeSet<IpAddr>,
    ) {
        let free = self.kept.replace(sandbox, network, addresses.clone());
        let id = self.names.get(network).copied();
        let record = id.and_then(|id| self.networks.get(&id)).cloned();
        let Some(record) = record.filter(|record| !record.config_only) else { return };
        let Some(attached) = self.attached.get_mut(&record.id).map(Arc::make_mut) else { return };
        addresses.iter().for_each(|address| attached.taken.insert(single(*address)));
        for address in free {
            let special = record.pool_of(address).is_some_and(|p| address::is_special(p, address));
            if !special && !attached.leases.contains_key(&address) {
                attached.taken.remove(single(address));
            }
        }
    }

    /// Ends all reservations of a sandbox.
    pub fn end_reservations(&mut self, sandbox: SandboxId) {
        let kept = self.kept.sandboxes.get(&sandbox).cloned().unwrap_or_default();
        kept.keys().for_each(|network| self.reserve(sandbox, network, BTreeSet::new()));
    }
}
