//! Taking a network away.

use crate::error::Error;
use crate::id::NetworkId;
use crate::model::{Model, Touched};

impl Model {
    /// Takes a network away; refused while endpoints are on it or networks were
    /// made from it, and for the engine's own.
    pub fn remove_network(&mut self, id: NetworkId) -> Result<Touched, Error> {
        let network = self.known_network(id)?;
        if network.predefined {
            return Err(Error::PredefinedRemove(network.name.to_string()));
        }
        self.check_unused_template(network)?;
        let users = self.endpoints_of_network(id);
        if !users.is_empty() {
            let name = |sandbox| self.sandbox(sandbox).map(|s| s.name.clone()).unwrap_or_default();
            return Err(Error::ActiveEndpoints {
                network: network.name.to_string(),
                endpoints: users.iter().map(|e| (name(e.sandbox), e.id)).collect(),
            });
        }
        self.drop_network(id);
        Ok(Touched::network(id))
    }
}
