//! Events of networks: who joined and left, what was made and removed.

use std::collections::BTreeMap;

use hawser_model::{Model, Network, SandboxId};

use super::{Networks, sandbox_id};
use crate::engine::Engine;
use crate::record::Container;

impl Networks {
    /// Tells that a container has joined all its networks.
    pub(super) fn tell_connected(&self, engine: &Engine, record: &Container) {
        if let Ok(id) = sandbox_id(&record.id) {
            self.tell_endpoints(engine, &self.writer.model(), id, "connect");
        }
    }

    /// Tells that a sandbox has left the networks that it had in `model`.
    pub(super) fn tell_disconnected(&self, engine: &Engine, model: &Model, id: SandboxId) {
        self.tell_endpoints(engine, model, id, "disconnect");
    }

    fn tell_endpoints(&self, engine: &Engine, model: &Model, id: SandboxId, action: &str) {
        for endpoint in model.endpoints_of_sandbox(id) {
            if let Some(network) = model.network(endpoint.network) {
                tell(engine, network, action, Some(id));
            }
        }
    }
}

/// Publishes one event of a network; `container` is who joined or left it.
pub(super) fn tell(engine: &Engine, network: &Network, action: &str, container: Option<SandboxId>) {
    let mut attributes = BTreeMap::from([
        ("name".to_owned(), network.name.to_string()),
        ("type".to_owned(), network.driver.to_string()),
    ]);
    if let Some(id) = container {
        attributes.insert("container".to_owned(), id.to_string());
    }
    engine.events.publish("network", action, network.id.to_string(), attributes);
}
