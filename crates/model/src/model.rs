//! The whole of it: records, and the indexes derived from them.
//!
//! A model is cheap to clone: the maps are shared until one is changed, and then only the maps
//! that change are copied. So an operation works on a clone, which is thrown away on failure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use hawser_hoststate::{IfName, MacAddr, Transport};

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::id::{EndpointId, NetworkId, SandboxId};
use crate::network::{Network, NetworkName};
use crate::sandbox::Sandbox;

/// The records that a model is made of and is saved as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Networks.
    pub networks: Vec<Network>,
    /// Sandboxes.
    pub sandboxes: Vec<Sandbox>,
    /// Endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// What an operation changed: the records to save or delete, and what to plan again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Networks.
    pub networks: BTreeSet<NetworkId>,
    /// Sandboxes.
    pub sandboxes: BTreeSet<SandboxId>,
    /// Endpoints.
    pub endpoints: BTreeSet<EndpointId>,
}

impl Touched {
    /// Adds what another operation touched.
    pub fn merge(&mut self, other: Self) {
        self.networks.extend(other.networks);
        self.sandboxes.extend(other.sandboxes);
        self.endpoints.extend(other.endpoints);
    }

    pub(crate) fn network(id: NetworkId) -> Self {
        Self { networks: BTreeSet::from([id]), ..Self::default() }
    }

    pub(crate) fn sandbox(id: SandboxId) -> Self {
        Self { sandboxes: BTreeSet::from([id]), ..Self::default() }
    }

    pub(crate) fn endpoint(endpoint: &Endpoint) -> Self {
        let endpoints = BTreeSet::from([endpoint.id]);
        Self { endpoints, ..Self::sandbox(endpoint.sandbox) }
    }
}

/// What hangs on one network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attachments {
    pub endpoints: BTreeSet<EndpointId>,
    pub leases: BTreeMap<IpAddr, EndpointId>,
    pub macs: BTreeSet<MacAddr>,
}

type Shared<K, V> = Arc<BTreeMap<K, V>>;

/// Networks, sandboxes, endpoints and the indexes over them. The laws hold at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub(crate) networks: Shared<NetworkId, Arc<Network>>,
    pub(crate) sandboxes: Shared<SandboxId, Arc<Sandbox>>,
    pub(crate) endpoints: Shared<EndpointId, Arc<Endpoint>>,
    pub(crate) names: Shared<NetworkName, NetworkId>,
    pub(crate) bridges: Shared<IfName, NetworkId>,
    pub(crate) attached: Shared<NetworkId, Arc<Attachments>>,
    pub(crate) joined: Shared<SandboxId, BTreeSet<EndpointId>>,
    pub(crate) host_links: Arc<BTreeSet<IfName>>,
    pub(crate) ports: Shared<(Transport, u16), Vec<(IpAddr, SandboxId)>>,
}

impl Model {
    /// A model from what was saved. Fails if the records break a law.
    pub fn from_records(records: Records) -> Result<Self, Error> {
        let mut model = Self::default();
        for network in records.networks {
            model.check_new_network(&network).map_err(contradiction)?;
            model.add_network(network);
        }
        for sandbox in records.sandboxes {
            model.check_new_sandbox(&sandbox).map_err(contradiction)?;
            model.add_sandbox(sandbox);
        }
        for endpoint in records.endpoints {
            model.check_new_endpoint(&endpoint).map_err(contradiction)?;
            model.add_endpoint(endpoint);
        }
        Ok(model)
    }

    /// What to save.
    pub fn records(&self) -> Records {
        Records {
            networks: self.networks.values().map(|n| Network::clone(n)).collect(),
            sandboxes: self.sandboxes.values().map(|s| Sandbox::clone(s)).collect(),
            endpoints: self.endpoints.values().map(|e| Endpoint::clone(e)).collect(),
        }
    }

    /// All networks in the order of their ids.
    pub fn networks(&self) -> impl Iterator<Item = &Arc<Network>> {
        self.networks.values()
    }

    /// All sandboxes in the order of their ids.
    pub fn sandboxes(&self) -> impl Iterator<Item = &Arc<Sandbox>> {
        self.sandboxes.values()
    }

    /// All endpoints in the order of their ids.
    pub fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.values()
    }

    /// The network of an id.
    pub fn network(&self, id: NetworkId) -> Option<&Arc<Network>> {
        self.networks.get(&id)
    }

    /// The sandbox of an id.
    pub fn sandbox(&self, id: SandboxId) -> Option<&Arc<Sandbox>> {
        self.sandboxes.get(&id)
    }

    /// The endpoint of an id.
    pub fn endpoint(&self, id: EndpointId) -> Option<&Arc<Endpoint>> {
        self.endpoints.get(&id)
    }

    /// Endpoints of a network, in the order of their addresses (then of their ids).
    pub fn endpoints_of_network(&self, id: NetworkId) -> Vec<&Arc<Endpoint>> {
        let ids = self.attached.get(&id).into_iter().flat_map(|a| &a.endpoints);
        let mut endpoints: Vec<_> = ids.filter_map(|id| self.endpoints.get(id)).collect();
        endpoints.sort_by_key(|e| e.interface.as_ref().and_then(|i| i.addresses().next()));
        endpoints
    }

    /// Endpoints of a sandbox, in the order in which they lead to the outside.
    pub fn endpoints_of_sandbox(&self, id: SandboxId) -> Vec<&Arc<Endpoint>> {
        let ids = self.joined.get(&id).into_iter().flatten();
        let mut endpoints: Vec<_> = ids.filter_map(|id| self.endpoints.get(id)).collect();
        endpoints.sort_by(|a, b| self.gateway_order(a).cmp(&self.gateway_order(b)));
        endpoints
    }

    /// The endpoint of a sandbox on a network.
    pub fn endpoint_between(
        &self,
        sandbox: SandboxId,
        network: NetworkId,
    ) -> Option<&Arc<Endpoint>> {
        let ids = self.joined.get(&sandbox)?;
        ids.iter().filter_map(|id| self.endpoints.get(id)).find(|e| e.network == network)
    }

    /// Who has an address on a network.
    pub fn lease(&self, network: NetworkId, address: IpAddr) -> Option<EndpointId> {
        self.attached.get(&network)?.leases.get(&address).copied()
    }

    pub(crate) fn known_network(&self, id: NetworkId) -> Result<&Arc<Network>, Error> {
        self.networks.get(&id).ok_or_else(|| Error::NoSuchNetwork(id.to_string()))
    }

    pub(crate) fn known_sandbox(&self, id: SandboxId) -> Result<&Arc<Sandbox>, Error> {
        self.sandboxes.get(&id).ok_or(Error::NoSuchSandbox(id))
    }

    pub(crate) fn add_network(&mut self, network: Network) {
        let id = network.id;
        Arc::make_mut(&mut self.names).insert(network.name.clone(), id);
        if network.has_bridge() {
            Arc::make_mut(&mut self.bridges).insert(network.bridge_name(), id);
        }
        Arc::make_mut(&mut self.networks).insert(id, Arc::new(network));
    }

    pub(crate) fn drop_network(&mut self, id: NetworkId) {
        if let Some(network) = Arc::make_mut(&mut self.networks).remove(&id) {
            Arc::make_mut(&mut self.names).remove(&network.name);
            if network.has_bridge() {
                Arc::make_mut(&mut self.bridges).remove(&network.bridge_name());
            }
        }
    }

    pub(crate) fn add_sandbox(&mut self, sandbox: Sandbox) {
        let ports = Arc::make_mut(&mut self.ports);
        for p in &sandbox.publications {
            ports.entry((p.transport, p.host_port)).or_default().push((p.host, sandbox.id));
            ports.entry((p.transport, p.host_port)).and_modify(|holders| holders.sort());
        }
        Arc::make_mut(&mut self.sandboxes).insert(sandbox.id, Arc::new(sandbox));
    }

    pub(crate) fn drop_sandbox(&mut self, id: SandboxId) {
        let Some(sandbox) = Arc::make_mut(&mut self.sandboxes).remove(&id) else { return };
        let ports = Arc::make_mut(&mut self.ports);
        for p in &sandbox.publications {
            let key = (p.transport, p.host_port);
            if let Some(holders) = ports.get_mut(&key) {
                holders.retain(|(_, holder)| *holder != id);
                if holders.is_empty() {
                    ports.remove(&key);
                }
            }
        }
    }

    pub(crate) fn add_endpoint(&mut self, endpoint: Endpoint) {
        let id = endpoint.id;
        let attached = Arc::make_mut(&mut self.attached).entry(endpoint.network).or_default();
        let attached = Arc::make_mut(attached);
        attached.endpoints.insert(id);
        if let Some(interface) = &endpoint.interface {
            attached.leases.extend(interface.addresses().map(|address| (address, id)));
            attached.macs.insert(interface.mac);
            Arc::make_mut(&mut self.host_links).insert(interface.host_link.clone());
        }
        Arc::make_mut(&mut self.joined).entry(endpoint.sandbox).or_default().insert(id);
        Arc::make_mut(&mut self.endpoints).insert(id, Arc::new(endpoint));
    }

    pub(crate) fn drop_endpoint(&mut self, id: EndpointId) {
        let Some(endpoint) = Arc::make_mut(&mut self.endpoints).remove(&id) else { return };
        let all = Arc::make_mut(&mut self.attached);
        if let Some(attached) = all.get_mut(&endpoint.network).map(Arc::make_mut) {
            attached.endpoints.remove(&id);
            if let Some(interface) = &endpoint.interface {
                interface.addresses().for_each(|address| _ = attached.leases.remove(&address));
                attached.macs.remove(&interface.mac);
                Arc::make_mut(&mut self.host_links).remove(&interface.host_link);
            }
            if attached.endpoints.is_empty() {
                all.remove(&endpoint.network);
            }
        }
        let joined = Arc::make_mut(&mut self.joined);
        if let Some(ids) = joined.get_mut(&endpoint.sandbox) {
            ids.remove(&id);
            if ids.is_empty() {
                joined.remove(&endpoint.sandbox);
            }
        }
    }
}

fn contradiction(law: Error) -> Error {
    Error::Records(law.to_string())
}
