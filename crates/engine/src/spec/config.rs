//! `ContainerConfig`: what of a container does not depend on the host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Empty, nullable, words};

/// How to find out whether a container is healthy. Times are nanoseconds, 0 means inherit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", "…"]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Vec<String>>,
    /// Time between checks.
    #[serde(default, deserialize_with = "nullable")]
    pub interval: i64,
    /// Time after which a check has failed.
    #[serde(default, deserialize_with = "nullable")]
    pub timeout: i64,
    /// Time in which failures do not count.
    #[serde(default, deserialize_with = "nullable")]
    pub start_period: i64,
    /// Time between checks in the start period.
    #[serde(default, deserialize_with = "nullable")]
    pub start_interval: i64,
    /// Consecutive failures that mean unhealthy.
    #[serde(default, deserialize_with = "nullable")]
    pub retries: i64,
}

/// The portable part of a container (API: `ContainerConfig`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerConfig {
    /// Host name inside; the short id if empty.
    #[serde(default, deserialize_with = "nullable")]
    pub hostname: String,
    /// NIS domain name.
    #[serde(default, deserialize_with = "nullable")]
    pub domainname: String,
    /// `user[:group]`, names or numbers.
    #[serde(default, deserialize_with = "nullable")]
    pub user: String,
    /// Whether the client attaches to stdin.
    #[serde(default, deserialize_with = "nullable")]
    pub attach_stdin: bool,
    /// Whether the client attaches to stdout.
    #[serde(default, deserialize_with = "nullable")]
    pub attach_stdout: bool,
    /// Whether the client attaches to stderr.
    #[serde(default, deserialize_with = "nullable")]
    pub attach_stderr: bool,
    /// `port/protocol` keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed_ports: Option<BTreeMap<String, Empty>>,
    /// Whether there is a terminal.
    #[serde(default, deserialize_with = "nullable")]
    pub tty: bool,
    /// Whether stdin is open.
    #[serde(default, deserialize_with = "nullable")]
    pub open_stdin: bool,
    /// Whether stdin closes after the first attached client leaves.
    #[serde(default, deserialize_with = "nullable")]
    pub stdin_once: bool,
    /// `NAME=value`; `NAME` alone removes an inherited one.
    #[serde(default)]
    pub env: Option<Vec<String>>,
    /// Command, or the arguments of the entry point.
    #[serde(default, deserialize_with = "words")]
    pub cmd: Option<Vec<String>>,
    /// Health check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Image as the user named it.
    #[serde(default, deserialize_with = "nullable")]
    pub image: String,
    /// Paths that are anonymous volumes.
    #[serde(default)]
    pub volumes: Option<BTreeMap<String, Empty>>,
    /// Working directory.
    #[serde(default, deserialize_with = "nullable")]
    pub working_dir: String,
    /// Entry point.
    #[serde(default, deserialize_with = "words")]
    pub entrypoint: Option<Vec<String>>,
    /// No network at all (legacy).
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "std::ops::Not::not")]
    pub network_disabled: bool,
    /// MAC address (API before 1.44).
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub mac_address: String,
    /// Build triggers of the image.
    #[serde(default)]
    pub on_build: Option<Vec<String>>,
    /// Labels.
    #[serde(default, deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    /// Signal that asks it to stop.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
    /// Seconds before it is killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
    /// Shell of shell-form commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
}
