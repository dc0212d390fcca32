//! Networks: one writer of the model, and one file per verb.
//!
//! In: requests in the API's shapes, container records. Out: views, and for a container that
//! starts a sandbox to run in. Every change goes the same way (`change.rs`): model, plan, store,
//! kernel; a failure goes the same way back.

mod change;
mod check;
mod connect;
mod create;
mod disconnect;
mod dns;
mod etc;
mod existing;
mod explain;
mod firewall;
mod host_resolvers;
mod hosts;
mod inspect;
mod ipam;
mod join;
mod links;
mod list;
mod names;
mod obstacles;
mod ports;
mod predefined;
mod preview;
mod prune;
mod publish_from;
mod published;
mod records;
mod recover;
mod relays;
mod remove;
mod rename;
mod rename_container;
mod reserve;
mod resolv_conf;
mod resolver;
mod surroundings;
mod tell;
mod ula;
mod update;
mod view;

use std::net::IpAddr;
use std::sync::Arc;

use hawser_dns::Dns;
use hawser_hoststate::NamespaceName;
use hawser_kernel::Kernel;
use hawser_model::{DefaultPool, Mode, Model, SandboxId};
use hawser_store::Embedded;
use ipnet::IpNet;

use self::change::Writer;
pub(crate) use change::{Beside, Rewritten};
pub use dns::{
    Answer, Attempt, Author, Candidate, End, Explanation, Forwarding, NameAnswered, NameExplained,
    NoService, Reason, ResolvConf, Whose, kind_name,
};
pub use etc::EtcFiles;
pub use explain::Explained;
pub use hawser_model::PoolUsage;
pub use join::Joined;
pub(crate) use publish_from::is_ours as is_publish_from;
pub use published::{PublishedPort, PublishedPorts};
pub use view::{Attached, NetworkCreated, NetworkDetails, NetworkView};

use crate::engine::system;
use crate::error::{Error, Kind, Result};
use crate::record::ContainerId;
use crate::settings::Settings;

/// All networks of the engine.
pub struct Networks {
    writer: Arc<Writer>,
    kernel: Arc<Kernel>,
    pub(crate) dns: Dns,
    /// Held while the name service, or a file of a container, is told what the model says.
    publishing: std::sync::Mutex<names::Answered>,
    /// Written while a network gets another name, read by what goes from a name to a record that
    /// holds the name. Taken before the writer's turn, and after a container's lifecycle.
    naming: tokio::sync::RwLock<()>,
    pools: Vec<DefaultPool>,
    publish_address: Option<IpAddr>,
}

impl Networks {
    /// Reads the networks from the store; nothing is made yet.
    pub(crate) fn open(
        settings: &Settings,
        store: Arc<Embedded>,
        kernel: Arc<Kernel>,
        dns: Dns,
    ) -> Result<Self> {
        let pools = pools(settings, &store)?;
        let publish_from = settings.publish_policy.clone();
        let planned = hawser_plan::Settings { publish_from, ..hawser_plan::Settings::default() };
        let writer = Writer::open(store, Arc::clone(&kernel), planned)?;
        let publish_address = settings.publish_address;
        Ok(Self {
            writer: Arc::new(writer),
            kernel,
            dns,
            publishing: std::sync::Mutex::default(),
            naming: tokio::sync::RwLock::default(),
            pools,
            publish_address,
        })
    }

    /// How many networks and endpoints there are.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let model = self.writer.model();
        (model.networks().count(), model.endpoints().count())
    }

    /// Until it is dropped no network gets another name: for what goes from a name to a record that
    /// holds the name.
    pub(crate) async fn names_stay(&self) -> tokio::sync::RwLockReadGuard<'_, ()> {
        self.naming.read().await
    }
}

/// Where networks without a subnet are cut from: what the daemon was told, else Docker's pools; for
/// IPv6 the engine's own block unless it was told another.
fn pools(settings: &Settings, store: &Embedded) -> Result<Vec<DefaultPool>> {
    let told = settings.address_pools.iter();
    let mut pools: Vec<_> =
        told.map(|(base, size)| DefaultPool { base: *base, size: *size }).collect();
    if pools.is_empty() {
        pools = hawser_model::docker_pools();
    }
    if !pools.iter().any(|pool| matches!(pool.base, IpNet::V6(_))) {
        pools.push(ula::pool(store)?);
    }
    Ok(pools)
}

/// A sandbox has the id of its container.
fn sandbox_id(id: &ContainerId) -> Result<SandboxId> {
    id.as_str().parse().map_err(|e| system("name the sandbox", e))
}

/// The namespace that a sandbox lives in; `None` is the host's. With `container:` it is the other
/// sandbox's, as long as that is there.
fn namespace_of(model: &Model, id: SandboxId) -> Option<NamespaceName> {
    match model.sandbox(id)?.mode {
        Mode::Own => Some(hawser_plan::namespace(id)),
        Mode::Host => None,
        Mode::Shared(other) => namespace_of(model, other),
    }
}

/// A law of the model, as an error of the engine.
fn law(error: hawser_model::Error) -> Error {
    let kind = match error.kind() {
        hawser_model::Kind::Invalid => Kind::Invalid,
        hawser_model::Kind::Forbidden => Kind::Forbidden,
        hawser_model::Kind::NotFound => Kind::NotFound,
        hawser_model::Kind::Conflict => Kind::Conflict,
        hawser_model::Kind::System => Kind::System,
    };
    Error::new(kind, error.to_string())
}
