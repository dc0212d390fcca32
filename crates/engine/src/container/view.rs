//! What `inspect` and `ps` show of a container: its record and what is derived or live.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::network::NetworkView;
use crate::record::Container;

/// A container as it is shown.
#[derive(Clone, Debug)]
pub struct ContainerView {
    /// Its record.
    pub record: Arc<Container>,
    /// Its networks, ports and sandbox as they are now.
    pub network: NetworkView,
    /// Its files on the host.
    pub paths: ContainerPaths,
    /// Ids of its execs that have not ended.
    pub exec_ids: Vec<String>,
    /// The image as `ps` shows it: as the user named it, or its id if that name is another's now.
    pub image_name: String,
    /// Sizes, if asked for.
    pub size: Option<ContainerSize>,
    /// Health, if it has a check.
    pub health: Option<Health>,
}

/// Files of a container on the host; empty while there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerPaths {
    /// `/etc/hostname`.
    pub hostname: PathBuf,
    /// `/etc/hosts`.
    pub hosts: PathBuf,
    /// `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
    /// Log.
    pub log: PathBuf,
    /// overlayfs: the writable layer.
    pub upper: PathBuf,
    /// overlayfs: its work directory.
    pub work: PathBuf,
    /// overlayfs: the image's layers, the topmost first.
    pub lower: Vec<PathBuf>,
}

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerSize {
    /// What the container wrote.
    pub rw: u64,
    /// That and its image.
    pub root_fs: u64,
}

/// Result of a container's health checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// `starting`, `healthy` or `unhealthy`.
    pub status: String,
    /// Failures one after another.
    pub failing_streak: u32,
    /// The last results.
    pub log: Vec<HealthResult>,
}

/// One health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthResult {
    /// Begin.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
    /// Exit code.
    pub exit_code: i32,
    /// The first 4 KiB of output.
    pub output: String,
}
