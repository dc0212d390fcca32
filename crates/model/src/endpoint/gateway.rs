//! Which endpoint of a sandbox leads to the outside.

use std::cmp::Reverse;
use std::sync::Arc;

use super::Endpoint;
use crate::id::SandboxId;
use crate::model::Model;
use crate::network::{NetworkName, Pool};

/// Smaller comes first: higher priority, not internal, more gateways, name of the network.
type Order<'a> = (Reverse<i64>, bool, Reverse<usize>, Option<&'a NetworkName>);

impl Model {
    /// The endpoint that gives the sandbox its default gateway for a family, and takes its
    /// published ports: on a network with that family that is not internal.
    pub fn gateway_endpoint(&self, sandbox: SandboxId, v6: bool) -> Option<&Arc<Endpoint>> {
        let endpoints = self.endpoints_of_sandbox(sandbox);
        endpoints.into_iter().find(|endpoint| self.can_lead(endpoint, v6))
    }

    fn can_lead(&self, endpoint: &Endpoint, v6: bool) -> bool {
        let interface = endpoint.interface.as_ref();
        let address = interface.and_then(|i| i.address(v6));
        let network = self.network(endpoint.network).filter(|network| !network.internal);
        let hop = |address| network?.pool_of(address).and_then(Pool::router);
        address.and_then(hop).is_some()
    }

    /// Docker's order of endpoints.
    pub(crate) fn gateway_order(&self, endpoint: &Endpoint) -> Order<'_> {
        let network = self.network(endpoint.network);
        let internal = network.is_some_and(|network| network.internal);
        let gateways = [false, true].into_iter().filter(|v6| self.can_lead(endpoint, *v6)).count();
        let name = network.map(|network| &network.name);
        (Reverse(endpoint.gw_priority), internal, Reverse(gateways), name)
    }
}
