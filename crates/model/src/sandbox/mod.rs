//! Sandboxes: the network side of a running container.
//!
//! In: [`SandboxSpec`] when a container starts. Out: [`Sandbox`] records; they live as long as
//! the container runs, what the user asked for lives with the container and is not kept here.

mod create;
mod publish;

use std::collections::BTreeMap;

use hawser_hoststate::Transport;
use serde::{Deserialize, Serialize};

use crate::id::SandboxId;
pub use publish::{Publication, PublishFrom, Reach, Way};

/// Whose network a sandbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A namespace of its own.
    Own,
    /// The host's namespace.
    Host,
    /// The namespace of another sandbox, which may be gone by now.
    Shared(SandboxId),
}

/// A sandbox as it is stored; `sandbox/<id>` in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Its identity: the container's.
    pub id: SandboxId,
    /// The container's name, which the name service answers.
    pub name: String,
    /// The host name inside, which the name service answers too.
    #[serde(default)]
    pub hostname: String,
    /// Whose network it is.
    pub mode: Mode,
    /// Host ports that lead to the container, through the endpoint that gives its default
    /// gateway (so they move with it on `disconnect`).
    #[serde(default)]
    pub publications: Vec<Publication>,
    /// Who may reach them.
    #[serde(default, skip_serializing_if = "PublishFrom::is_empty")]
    pub publish_from: PublishFrom,
    /// Ports that containers which link to this one reach, where they reach nothing else of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposed: Vec<(Transport, u16)>,
    /// Settings inside that the user asked for: `net.…` name, value.
    #[serde(default)]
    pub sysctls: BTreeMap<String, String>,
    /// Number of the next interface: names are never used twice in the life of a sandbox, since
    /// the last owner of a name may still be on its way out.
    #[serde(default)]
    pub next_interface: u32,
    /// Names are answered in it although none of its networks has any: the host's resolvers are
    /// where only the host reaches them.
    #[serde(default)]
    pub asks_host: bool,
}

/// A sandbox asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxSpec {
    /// Its identity: the container's.
    pub id: SandboxId,
    /// The container's name.
    pub name: String,
    /// The host name inside.
    pub hostname: String,
    /// Whose network it is.
    pub mode: Mode,
    /// Host ports; host port 0 is not allowed here (the caller picks ephemeral ones first).
    pub publications: Vec<Publication>,
    /// Who may reach them.
    pub publish_from: PublishFrom,
    /// Ports that containers which link to this one reach.
    pub exposed: Vec<(Transport, u16)>,
    /// Settings inside.
    pub sysctls: BTreeMap<String, String>,
}

impl SandboxSpec {
    /// A sandbox with a namespace of its own and nothing published; change what differs.
    pub fn new(id: SandboxId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            hostname: id.short(),
            mode: Mode::Own,
            publications: Vec::new(),
            publish_from: PublishFrom::default(),
            exposed: Vec::new(),
            sysctls: BTreeMap::new(),
        }
    }
}
