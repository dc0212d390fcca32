//! Adding and dropping records, and with them what is derived from them: the only place where the
//! indexes change. Checks nothing; the verbs do that before.

use std::sync::Arc;

use crate::endpoint::{Endpoint, address};
use crate::id::{EndpointId, NetworkId, SandboxId};
use crate::model::{Attachments, Model};
use crate::network::Network;
use crate::sandbox::Sandbox;
use crate::spans::{Spans, single, span};

impl Model {
    pub(crate) fn add_network(&mut self, network: Network) {
        let taken = self.taken_by_none(&network);
        let attached = Attachments { taken, ..Attachments::default() };
        self.attached.insert_mut(network.id, Arc::new(attached));
        self.enter(network);
    }

    pub(crate) fn drop_network(&mut self, id: NetworkId) {
        self.withdraw(id);
        self.attached.remove_mut(&id);
    }

    /// Puts a changed record in the place of the one with its id; endpoints stay.
    pub(crate) fn change_network(&mut self, network: Network) {
        let mut taken = self.taken_by_none(&network);
        self.withdraw(network.id);
        if let Some(attached) = self.attached.get_mut(&network.id).map(Arc::make_mut) {
            attached.leases.keys().for_each(|address| taken.insert(single(*address)));
            attached.taken = taken;
        }
        self.enter(network);
    }

    fn enter(&mut self, network: Network) {
        self.names.insert_mut(network.name.clone(), network.id);
        if network.has_bridge() {
            self.bridges.insert_mut(network.bridge_name(), network.id);
        }
        if !network.config_only {
            network.pools.iter().for_each(|pool| self.subnets.insert(span(pool.subnet)));
        }
        self.networks.insert_mut(network.id, Arc::new(network));
    }

    fn withdraw(&mut self, id: NetworkId) {
        let Some(network) = self.networks.get(&id).cloned() else { return };
        self.networks.remove_mut(&id);
        self.names.remove_mut(&network.name);
        if network.has_bridge() {
            self.bridges.remove_mut(&network.bridge_name());
        }
        if !network.config_only {
            network.pools.iter().for_each(|pool| self.subnets.remove(span(pool.subnet)));
        }
    }

    /// Special and reserved addresses of a network. A template gives no addresses, so that none is
    /// taken: its pools may even overlap.
    fn taken_by_none(&self, network: &Network) -> Spans {
        let mut taken = Spans::default();
        if network.config_only {
            return taken;
        }
        for pool in &network.pools {
            address::special(pool).for_each(|special| taken.insert(special));
        }
        for address in self.kept.addresses(&network.name) {
            taken.insert(single(address));
        }
        taken
    }

    pub(crate) fn add_sandbox(&mut self, sandbox: Sandbox) {
        for p in &sandbox.publications {
            let key = (p.transport, p.host_port);
            let mut holders = self.ports.get(&key).cloned().unwrap_or_default();
            holders.push((p.host, sandbox.id));
            holders.sort();
            self.ports.insert_mut(key, holders);
        }
        self.sandboxes.insert_mut(sandbox.id, Arc::new(sandbox));
    }

    pub(crate) fn drop_sandbox(&mut self, id: SandboxId) {
        let Some(sandbox) = self.sandboxes.get(&id).cloned() else { return };
        self.sandboxes.remove_mut(&id);
        for p in &sandbox.publications {
            let key = (p.transport, p.host_port);
            if let Some(holders) = self.ports.get_mut(&key) {
                holders.retain(|(_, holder)| *holder != id);
                if holders.is_empty() {
                    self.ports.remove_mut(&key);
                }
            }
        }
    }

    pub(crate) fn add_endpoint(&mut self, endpoint: Endpoint) {
        let id = endpoint.id;
        if let Some(attached) = self.attached.get_mut(&endpoint.network).map(Arc::make_mut) {
            attached.endpoints.insert_mut(id);
            if let Some(interface) = &endpoint.interface {
                for address in interface.all_addresses() {
                    attached.leases.insert_mut(address, id);
                    attached.taken.insert(single(address));
                }
                attached.macs.insert_mut(interface.mac);
                self.host_links.insert_mut(interface.host_link.clone());
            }
        }
        let mut joined = self.joined.get(&endpoint.sandbox).cloned().unwrap_or_default();
        joined.insert(id);
        self.joined.insert_mut(endpoint.sandbox, joined);
        self.endpoints.insert_mut(id, Arc::new(endpoint));
    }

    pub(crate) fn drop_endpoint(&mut self, id: EndpointId) {
        let Some(endpoint) = self.endpoints.get(&id).cloned() else { return };
        self.endpoints.remove_mut(&id);
        if let Some(attached) = self.attached.get_mut(&endpoint.network).map(Arc::make_mut) {
            attached.endpoints.remove_mut(&id);
            if let Some(interface) = &endpoint.interface {
                let name = self.networks.get(&endpoint.network).map(|network| &network.name);
                for address in interface.all_addresses() {
                    attached.leases.remove_mut(&address);
                    if !name.is_some_and(|name| self.kept.holds(name, address)) {
                        attached.taken.remove(single(address));
                    }
                }
                attached.macs.remove_mut(&interface.mac);
                self.host_links.remove_mut(&interface.host_link);
            }
        }
        if let Some(ids) = self.joined.get_mut(&endpoint.sandbox) {
            ids.remove(&id);
            if ids.is_empty() {
                self.joined.remove_mut(&endpoint.sandbox);
            }
        }
    }
}
