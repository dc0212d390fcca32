//! How a person would build by hand what the engine has built.
//!
//! In: the name or id of a container or a network. Out: the commands, in order, as
//! [`super::preview`] prints them: of a network its bridge, of a container its sandbox with the
//! endpoints (its networks are explained by themselves). Of a container that does not run: what its
//! start would make. It looks and changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use hawser_hoststate::{HostState, diff};
use hawser_model::{Mode, Model, Network, SandboxId, Touched};

use super::check::NetworkMode;
use super::{Networks, law, sandbox_id};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::record::Container;

/// What was explained, and how it is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// `container` or `network`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// One command a line; lines that begin with `#` say what no command does.
    pub commands: Vec<String>,
}

impl Engine {
    /// The commands that build what a container or a network has on the host. A container goes
    /// before a network of the same name, as with `inspect`.
    ///
    /// # Errors
    /// NotFound; Invalid for an ambiguous id prefix. Of a container that does not run also what its
    /// start would be refused for.
    pub async fn explain(self: &Arc<Self>, term: &str) -> Result<Explained> {
        match self.containers.find(term) {
            Ok(entry) => {
                let record = entry.record();
                let commands = self.networks.explain_container(self, &record).await?;
                Ok(Explained { kind: "container", name: record.name.clone(), commands })
            }
            Err(error) if error.kind() == Kind::NotFound => self.networks.explain_named(term),
            Err(error) => Err(error),
        }
    }
}

impl Networks {
    fn explain_named(&self, term: &str) -> Result<Explained> {
        let model = self.writer.model();
        let network = model.resolve_network(term).map_err(|error| match law(error) {
            error if error.kind() == Kind::NotFound => {
                Error::not_found(format!("No such container or network: {term}"))
            }
            error => error,
        })?;
        let commands = self.explain_network(&model, network);
        Ok(Explained { kind: "network", name: network.name.to_string(), commands })
    }

    fn explain_network(&self, model: &Model, network: &Network) -> Vec<String> {
        let id = BTreeSet::from([network.id]);
        let touched = Touched { networks: id, ..Touched::default() };
        let mut state = self.writer.planned(model, &touched);
        if state.is_empty() {
            return vec![format!("# network {} has nothing of its own on the host", network.name)];
        }
        state.extend(self.writer.planned_always().iter().map(|(_, object)| object.clone()));
        self.making(&state)
    }

    async fn explain_container(&self, engine: &Engine, record: &Container) -> Result<Vec<String>> {
        let id = sandbox_id(&record.id)?;
        let model = self.writer.model();
        let commands = match model.sandbox(id).map(|sandbox| sandbox.mode) {
            Some(Mode::Own) => self.explain_sandbox(&model, id),
            None if NetworkMode::of(&record.host_config) == NetworkMode::Networks => {
                self.plan_join(engine, record).await?
            }
            Some(_) | None => vec![whose(engine, record)],
        };
        Ok(commands)
    }

    fn explain_sandbox(&self, model: &Model, id: SandboxId) -> Vec<String> {
        let endpoints = model.endpoints_of_sandbox(id).iter().map(|endpoint| endpoint.id).collect();
        let sandboxes = BTreeSet::from([id]);
        let touched = Touched { sandboxes, endpoints, ..Touched::default() };
        self.making(&self.writer.planned(model, &touched))
    }

    /// The commands that make all of a state.
    fn making(&self, state: &HostState) -> Vec<String> {
        self.commands(&diff(&HostState::default(), state))
    }
}

/// Says whose network a container uses that has none of its own.
fn whose(engine: &Engine, record: &Container) -> String {
    match NetworkMode::of(&record.host_config) {
        NetworkMode::Container(owner) => {
            let found = engine.containers.find(&owner).map(|entry| entry.record().name.clone());
            let owner = found.unwrap_or(owner);
            format!("# {} uses the network of container {owner}: explain that", record.name)
        }
        _ => format!("# {} uses the host's network: nothing is made for it", record.name),
    }
}
