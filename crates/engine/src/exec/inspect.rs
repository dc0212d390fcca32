//! `exec`: what is known of one.

use super::registry::Stage;
use crate::Engine;
use crate::error::Result;
use crate::record::ContainerId;
use crate::spec::ExecConfig;

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
    /// All about an exec.
    ///
    /// # Errors
    /// NotFound.
    pub async fn exec_inspect(&self, id: &str) -> Result<ExecView> {
        let exec = self.execs.find(id)?;
        let exit_code = exec.exit_code();
        let pid = match exec.stage() {
            Stage::Started(started) => started.pid(),
            _ => 0,
        };
        Ok(ExecView {
            id: exec.id.clone(),
            container: exec.container.clone(),
            config: exec.config.clone(),
            running: pid != 0 && exit_code.is_none(),
            exit_code,
            pid,
        })
    }
}
