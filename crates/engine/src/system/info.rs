//! `info`.

use chrono::{DateTime, Utc};

use crate::Engine;

/// How many containers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerCounts {
    /// In all.
    pub total: usize,
    /// Running (not paused).
    pub running: usize,
    /// Paused.
    pub paused: usize,
    /// All others.
    pub stopped: usize,
}

/// What `info` tells; settings are in [`Engine::settings`].
#[derive(Clone, Debug)]
pub struct Info {
    /// Random id of this engine, kept in its data root.
    pub id: String,
    /// Containers.
    pub containers: ContainerCounts,
    /// Images.
    pub images: usize,
    /// File system under the data root (`extfs`, `xfs`, …).
    pub backing_filesystem: String,
    /// `1` or `2`; a hybrid host counts as `1`.
    pub cgroup_version: &'static str,
    /// Kernel's version.
    pub kernel_version: String,
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// `12`.
    pub os_version: String,
    /// `x86_64`.
    pub architecture: &'static str,
    /// CPUs.
    pub cpus: usize,
    /// Memory in bytes.
    pub memory: u64,
    /// Name of the host.
    pub name: String,
    /// Now.
    pub system_time: DateTime<Utc>,
    /// Listeners to events.
    pub event_listeners: usize,
    /// Open files of the daemon.
    pub open_files: usize,
    /// Threads of the daemon.
    pub threads: usize,
    /// Version of the engine.
    pub server_version: &'static str,
    /// Security options in effect (`name=seccomp,profile=builtin`, `name=cgroupns`).
    pub security_options: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` of the daemon.
    pub proxies: [String; 3],
}

impl Engine {
    /// The engine and its host.
    pub async fn info(&self) -> Info {
        todo!()
    }
}
