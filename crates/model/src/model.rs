//! The whole of it: records, and the indexes derived from them (kept true by `index`).
//!
//! A model is cheap to clone and its clones share what is the same in them: a change costs what it
//! changes, not what there is. So an operation works on a clone, which is thrown away on failure.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use hawser_hoststate::{IfName, MacAddr, Transport};
use rpds::{RedBlackTreeMapSync as Map, RedBlackTreeSetSync as Set};

use crate::endpoint::{Endpoint, Reservations};
use crate::error::Error;
use crate::id::{EndpointId, NetworkId, SandboxId};
use crate::network::{Network, NetworkName};
use crate::sandbox::Sandbox;
use crate::spans::Spans;

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
    pub endpoints: Set<EndpointId>,
    pub leases: Map<IpAddr, EndpointId>,
    pub macs: Set<MacAddr>,
    /// What is not given to endpoints that ask for no certain address: leases, reservations and
    /// the special addresses of the pools.
    pub taken: Spans,
}

/// Networks, sandboxes, endpoints and the indexes over them. The laws hold at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub(crate) networks: Map<NetworkId, Arc<Network>>,
    pub(crate) sandboxes: Map<SandboxId, Arc<Sandbox>>,
    pub(crate) endpoints: Map<EndpointId, Arc<Endpoint>>,
    pub(crate) names: Map<NetworkName, NetworkId>,
    pub(crate) bridges: Map<IfName, NetworkId>,
    /// All pools of all networks.
    pub(crate) subnets: Spans,
    /// Has every network.
    pub(crate) attached: Map<NetworkId, Arc<Attachments>>,
    pub(crate) joined: Map<SandboxId, BTreeSet<EndpointId>>,
    pub(crate) host_links: Set<IfName>,
    pub(crate) ports: Map<(Transport, u16), Vec<(IpAddr, SandboxId)>>,
    pub(crate) kept: Reservations,
}

impl Model {
    /// A model from what was saved. Fails if the records break a law.
    pub fn from_records(records: Records) -> Result<Self, Error> {
        let mut model = Self::default();
        // A network's template must be there before it.
        let (templates, others): (Vec<_>, Vec<_>) =
            records.networks.into_iter().partition(|network| network.config_only);
        for network in templates.into_iter().chain(others) {
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
        let ids = self.attached.get(&id).into_iter().flat_map(|a| a.endpoints.iter());
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
}

fn contradiction(law: Error) -> Error {
    Error::Records(law.to_string())
}
