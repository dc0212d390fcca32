//! Networks: one writer of the model, and one file per verb.
//!
//! In: requests in the API's shapes, container records. Out: views, and for a container that
//! starts a sandbox to run in. Every change goes the same way (`change.rs`): model, plan, store,
//! kernel; a failure goes the same way back.

mod etc;
mod view;

use std::os::fd::OwnedFd;
use std::sync::Arc;

use hawser_dns::Dns;
use hawser_kernel::Kernel;
use hawser_store::Embedded;

pub use etc::EtcFiles;
pub use view::{Attached, NetworkCreated, NetworkDetails, NetworkView};

use crate::engine::Engine;
use crate::error::Result;
use crate::filters::Filters;
use crate::record::{Container, ContainerId};
use crate::settings::Settings;
use crate::spec::{EndpointSettings, NetworkCreate, NetworkingConfig};

/// All networks of the engine.
pub struct Networks {}

/// What a container that starts needs of its networks.
#[derive(Debug)]
pub struct Joined {
    /// The namespace to run in; `None` is the host's.
    pub netns: Option<OwnedFd>,
    /// Files to bind over the container's own.
    pub etc: EtcFiles,
    /// Environment variables of links (`NAME=value`).
    pub env: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Networks {
    pub(crate) fn open(_settings: &Settings, _store: Arc<Embedded>, _kernel: Arc<Kernel>, _dns: Dns) -> Result<Self> {
        todo!()
    }

    pub(crate) async fn recover(&self, _settings: &Settings) -> Result<()> {
        todo!()
    }

    /// At create: checks the mode and what is asked for on each network, and fills in
    /// `record.networks` and `record.host_config.network_mode`. Gives warnings for the client.
    pub(crate) fn check(&self, _engine: &Engine, _record: &mut Container, _networking: NetworkingConfig) -> Result<Vec<String>> {
        todo!()
    }

    /// At start: makes the sandbox with its endpoints and publishes the ports. An error leaves
    /// nothing behind.
    pub(crate) async fn join(&self, _engine: &Engine, _record: &Container) -> Result<Joined> {
        todo!()
    }

    /// When the process has ended, or could not be started. Nothing if it has left already.
    pub(crate) async fn leave(&self, _engine: &Engine, _id: &ContainerId) -> Result<()> {
        todo!()
    }

    /// A container's place in its networks, for `inspect` and `ps`.
    pub(crate) fn view(&self, _record: &Container) -> NetworkView {
        todo!()
    }

    /// After a container has got another name (in the record).
    pub(crate) async fn rename(&self, _record: &Container) -> Result<()> {
        todo!()
    }
}

impl Engine {
    /// Makes a network.
    pub async fn network_create(&self, _request: NetworkCreate) -> Result<NetworkCreated> {
        todo!()
    }

    /// All networks that the filters let through, ordered by name.
    pub fn network_list(&self, _filters: &Filters) -> Result<Vec<NetworkDetails>> {
        todo!()
    }

    /// One network, by id, name or unique id prefix.
    pub fn network_inspect(&self, _reference: &str) -> Result<NetworkDetails> {
        todo!()
    }

    /// Connects a container, running or not.
    pub async fn network_connect(self: &Arc<Self>, _network: &str, _container: &str, _settings: EndpointSettings) -> Result<()> {
        todo!()
    }

    /// Disconnects a container, running or not.
    pub async fn network_disconnect(self: &Arc<Self>, _network: &str, _container: &str, _force: bool) -> Result<()> {
        todo!()
    }

    /// Removes a network.
    pub async fn network_remove(&self, _reference: &str) -> Result<()> {
        todo!()
    }

    /// Removes unused networks; gives their names.
    pub async fn network_prune(&self, _filters: &Filters) -> Result<Vec<String>> {
        todo!()
    }
}
