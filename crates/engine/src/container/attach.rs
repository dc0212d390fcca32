//! `attach`.

use std::sync::Arc;

use super::Attachment;
use crate::Engine;
use crate::error::Result;

/// What to attach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachOptions {
    /// Input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// What comes.
    pub stream: bool,
    /// Before that, what was logged.
    pub logs: bool,
    /// Keys that detach (`ctrl-p,ctrl-q` if none).
    pub detach_keys: Option<String>,
}

impl Engine {
    /// Joins a container's streams. Before its start this is valid as well: the streams join when
    /// it starts, before the first byte.
    ///
    /// # Errors
    /// NotFound, Invalid for keys that are none, Conflict if it is paused or restarting.
    pub async fn container_attach(self: &Arc<Self>, reference: &str, options: AttachOptions) -> Result<Attachment> {
        let _ = (reference, options);
        todo!()
    }
}
