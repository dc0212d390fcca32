//! Making, changing and removing sandboxes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::publish::in_order;
use super::{Mode, Sandbox, SandboxSpec};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::id::{EndpointId, SandboxId};
use crate::model::{Model, Touched};

impl Model {
    /// Makes a sandbox, with its ports allocated.
    pub fn create_sandbox(&mut self, spec: SandboxSpec) -> Result<Touched, Error> {
        if let Mode::Shared(other) = spec.mode {
            self.known_sandbox(other)?;
        }
        let sandbox = Sandbox {
            id: spec.id,
            name: spec.name,
            hostname: spec.hostname,
            mode: spec.mode,
            publications: in_order(spec.publications),
            publish_from: spec.publish_from,
            exposed: spec.exposed,
            sysctls: spec.sysctls,
            next_interface: 0,
            asks_host: false,
        };
        self.check_new_sandbox(&sandbox)?;
        self.add_sandbox(sandbox);
        Ok(Touched::sandbox(spec.id))
    }

    /// Takes a sandbox away, and its endpoints with it. Sandboxes that share it lose the network
    /// with it and keep their records, as Docker's containers do.
    pub fn remove_sandbox(&mut self, id: SandboxId) -> Result<Touched, Error> {
        self.known_sandbox(id)?;
        let mut touched = Touched::sandbox(id);
        let own = self.joined.get(&id).cloned().unwrap_or_default();
        touched.endpoints = self.linkers(id);
        for endpoint in own {
            self.drop_endpoint(endpoint);
            touched.endpoints.insert(endpoint);
        }
        self.drop_sandbox(id);
        Ok(touched)
    }

    /// Gives a sandbox the container's new name; links to it go on naming it.
    pub fn rename_sandbox(&mut self, id: SandboxId, name: &str) -> Result<Touched, Error> {
        let sandbox = Arc::clone(self.known_sandbox(id)?);
        let renamed = Sandbox { name: name.to_owned(), ..Sandbox::clone(&sandbox) };
        self.sandboxes.insert_mut(id, Arc::new(renamed));
        let mut touched = Touched::sandbox(id);
        touched.endpoints = self.relink(&sandbox.name, name);
        Ok(touched)
    }

    /// Whether names are answered in a sandbox on networks without names.
    pub fn set_asks_host(&mut self, id: SandboxId, asks_host: bool) -> Result<Touched, Error> {
        let sandbox = Sandbox::clone(self.known_sandbox(id)?);
        self.sandboxes.insert_mut(id, Arc::new(Sandbox { asks_host, ..sandbox }));
        Ok(Touched::sandbox(id))
    }

    fn relink(&mut self, old: &str, new: &str) -> BTreeSet<EndpointId> {
        let linking = self.endpoints.values().filter(|e| e.links.values().any(|to| to == old));
        let linking: Vec<_> = linking.map(Arc::clone).collect();
        for endpoint in &linking {
            let mut relinked = Endpoint::clone(endpoint);
            relinked.links.values_mut().filter(|to| *to == old).for_each(|to| new.clone_into(to));
            self.endpoints.insert_mut(endpoint.id, Arc::new(relinked));
        }
        linking.iter().map(|endpoint| endpoint.id).collect()
    }

    pub(crate) fn check_new_sandbox(&self, sandbox: &Sandbox) -> Result<(), Error> {
        if self.sandboxes.contains_key(&sandbox.id) {
            return Err(Error::SandboxTaken(sandbox.id));
        }
        self.check_publications(sandbox)
    }
}
