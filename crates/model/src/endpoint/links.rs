//! Who links to whom, where neighbours don't reach one another otherwise.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Endpoint;
use crate::id::{EndpointId, SandboxId};
use crate::model::Model;

impl Model {
    /// The endpoints that an endpoint links to, on networks without icc. Only a container's own
    /// name counts: anybody may take any alias.
    pub fn linked(&self, endpoint: &Endpoint) -> Vec<&Arc<Endpoint>> {
        if endpoint.links.is_empty() || !self.is_without_icc(endpoint) {
            return Vec::new();
        }
        let named: BTreeSet<&str> = endpoint.links.values().map(String::as_str).collect();
        let is_named = |other: &&Arc<Endpoint>| {
            let sandbox = self.sandbox(other.sandbox);
            other.id != endpoint.id && sandbox.is_some_and(|s| named.contains(s.name.as_str()))
        };
        self.endpoints_of_network(endpoint.network).into_iter().filter(is_named).collect()
    }

    /// The endpoints that link to a sandbox, on networks without icc: what they reach changes with it.
    pub(crate) fn linkers(&self, id: SandboxId) -> BTreeSet<EndpointId> {
        let Some(sandbox) = self.sandbox(id) else { return BTreeSet::new() };
        let own = self.endpoints_of_sandbox(id).into_iter().filter(|e| self.is_without_icc(e));
        let neighbours = own.flat_map(|endpoint| self.endpoints_of_network(endpoint.network));
        let linking = neighbours.filter(|e| e.links.values().any(|name| *name == sandbox.name));
        linking.map(|endpoint| endpoint.id).collect()
    }

    fn is_without_icc(&self, endpoint: &Endpoint) -> bool {
        self.network(endpoint.network).is_some_and(|network| !network.bridge.icc)
    }
}
