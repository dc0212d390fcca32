//! Further processes in a running container.

use std::sync::Arc;

use super::Attachment;
use crate::Engine;
use crate::error::Result;
use crate::record::ContainerId;
use crate::spec::ExecConfig;

/// How to start an exec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExecStart {
    /// Without streams.
    pub detach: bool,
    /// With a terminal; must be as at its creation.
    pub tty: bool,
    /// Height and width of the terminal.
    pub console_size: Option<[u16; 2]>,
}

/// An exec as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecView {
    /// Its id.
    pub id: String,
    /// Its container.
    pub container: ContainerId,
    /// What was asked for.
    pub config: ExecConfig,
    /// Whether it runs.
    pub running: bool,
    /// Its exit code, once it has ended.
    pub exit_code: Option<i32>,
    /// Its process as the host sees it; 0 before it runs.
    pub pid: i32,
}

impl Engine {
    /// Prepares an exec; the answer is its id.
    ///
    /// # Errors
    /// NotFound, Conflict if the container does not run or is paused, Invalid without command.
    pub async fn exec_create(self: &Arc<Self>, reference: &str, config: ExecConfig) -> Result<String> {
        let _ = (reference, config);
        todo!()
    }

    /// Starts it; without `detach` the answer is its streams.
    ///
    /// # Errors
    /// NotFound, Conflict if it was started, Invalid or System if the process cannot be started.
    pub async fn exec_start(self: &Arc<Self>, id: &str, options: ExecStart) -> Result<Option<Attachment>> {
        let _ = (id, options);
        todo!()
    }

    /// All about an exec.
    ///
    /// # Errors
    /// NotFound.
    pub async fn exec_inspect(&self, id: &str) -> Result<ExecView> {
        let _ = id;
        todo!()
    }

    /// Sets the size of its terminal, in characters.
    ///
    /// # Errors
    /// NotFound, Conflict if it does not run.
    pub async fn exec_resize(&self, id: &str, height: u16, width: u16) -> Result<()> {
        let _ = (id, height, width);
        todo!()
    }
}
