//! What the store keeps of a container: the spec it was made from and the state it is in.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::spec::{ContainerConfig, EndpointSettings, HostConfig};

/// Id of a container: 64 lowercase hexadecimal digits. Its sandbox has the same id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContainerId(String);

impl ContainerId {
    /// A fresh random id; never all digits in its short form, which would read as a number.
    pub fn random() -> Self {
        loop {
            let bytes: [u8; 32] = rand::random();
            let id: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            if !id[..12].bytes().all(|b| b.is_ascii_digit()) {
                return Self(id);
            }
        }
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for ContainerId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContainerId {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let good = s.len() == 64 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if good { Ok(Self(s.to_owned())) } else { Err(format!("invalid container id {s:?}")) }
    }
}

/// A container as it is stored; `container/<id>` in the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Container {
    /// Its identity.
    pub id: ContainerId,
    /// Its name, without a leading slash.
    pub name: String,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Id of the image (`sha256:…`).
    pub image: String,
    /// First word of the command line.
    pub path: String,
    /// The other words.
    pub args: Vec<String>,
    /// The merged configuration (image's and user's).
    pub config: ContainerConfig,
    /// The host part, defaults filled in.
    pub host_config: HostConfig,
    /// What was asked for on each network, by network name: kept while the container is stopped.
    pub networks: BTreeMap<String, EndpointSettings>,
    /// Mounts in effect.
    pub mounts: Vec<Mount>,
    /// State.
    pub state: State,
    /// How often the restart policy started it again.
    pub restart_count: u32,
}

/// A mount in effect, as `inspect` shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Mount {
    /// `bind`, `volume` or `tmpfs`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Name of the volume.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Path on the host.
    #[serde(default)]
    pub source: String,
    /// Path inside.
    pub destination: String,
    /// Driver of the volume.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub driver: String,
    /// Mode words as the user gave them.
    pub mode: String,
    /// Whether it is writable.
    #[serde(rename = "RW")]
    pub rw: bool,
    /// Propagation of a bind.
    pub propagation: String,
}

/// The phases of a container's life, as `ps` filters name them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Made, never started.
    #[default]
    Created,
    /// Its process runs.
    Running,
    /// Its processes are frozen.
    Paused,
    /// It exited and the restart policy will start it again.
    Restarting,
    /// It is being removed.
    Removing,
    /// Its process has ended.
    Exited,
    /// It could not be removed or recovered.
    Dead,
}

/// What became of the container's process.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Phase.
    pub status: Status,
    /// Process 1 of the container as the host sees it, while it runs.
    pub pid: Option<i32>,
    /// How the runtime finds it again after a restart of the daemon; there from its creation in the
    /// runtime until it has ended.
    #[serde(default)]
    pub handle: Option<hawser_runtime::Created>,
    /// Exit code of the last run (128 if it could not be started).
    pub exit_code: i32,
    /// Why it could not be started.
    pub error: String,
    /// Whether the kernel killed it for want of memory.
    pub oom_killed: bool,
    /// When it was last started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it last ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Stopped by a user, so `unless-stopped` must not start it again.
    pub stopped_by_user: bool,
}

impl State {
    /// Whether it has a process, frozen or not.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.status, Status::Running | Status::Paused)
    }
}
