//! `ExecConfig`: a further process in a running container, as clients ask for it.

use serde::{Deserialize, Serialize};

use super::{nullable, words};

/// The body of `POST /containers/{id}/exec`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecConfig {
    /// Whether the client attaches to stdin.
    #[serde(default, deserialize_with = "nullable")]
    pub attach_stdin: bool,
    /// Whether the client attaches to stdout.
    #[serde(default, deserialize_with = "nullable")]
    pub attach_stdout: bool,
    /// Whether the client attaches to stderr.
    #[serde(default, deserialize_with = "nullable")]
    pub attach_stderr: bool,
    /// Height and width of the terminal.
    #[serde(default)]
    pub console_size: Option<[u16; 2]>,
    /// Keys that end the client's attachment.
    #[serde(default, deserialize_with = "nullable")]
    pub detach_keys: String,
    /// Whether there is a terminal.
    #[serde(default, deserialize_with = "nullable")]
    pub tty: bool,
    /// `NAME=value`, on top of the container's.
    #[serde(default)]
    pub env: Option<Vec<String>>,
    /// Command line.
    #[serde(default, deserialize_with = "words")]
    pub cmd: Option<Vec<String>>,
    /// All capabilities.
    #[serde(default, deserialize_with = "nullable")]
    pub privileged: bool,
    /// `user[:group]`; empty is the container's.
    #[serde(default, deserialize_with = "nullable")]
    pub user: String,
    /// Working directory; empty is the container's.
    #[serde(default, deserialize_with = "nullable")]
    pub working_dir: String,
}
