//! `exec`: the size of its terminal.

use hawser_runtime::TerminalSize;

use super::registry::Stage;
use crate::Engine;
use crate::engine::system;
use crate::error::{Error, Result};

impl Engine {
    /// Sets the size of its terminal, in characters.
    ///
    /// # Errors
    /// NotFound, Conflict if it does not run.
    pub async fn exec_resize(&self, id: &str, height: u16, width: u16) -> Result<()> {
        let exec = self.execs.find(id)?;
        match exec.stage() {
            Stage::Started(started) if started.exit_code().is_none() => started
                .resize(TerminalSize { width, height })
                .map_err(|e| system("resize the terminal of an exec", e)),
            _ => Err(Error::conflict(format!("exec process {id} is not running"))),
        }
    }
}
