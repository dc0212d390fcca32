//! `exec`: preparing one.

use std::sync::Arc;

use super::registry::Exec;
use crate::Engine;
use crate::container::events::container_event;
use crate::container::{detach, not_running};
use crate::error::{Error, Result};
use crate::record::{Container, Status};
use crate::spec::ExecConfig;

impl Engine {
    /// Prepares an exec; the answer is its id.
    ///
    /// # Errors
    /// NotFound, Conflict if the container does not run or is paused, Invalid without command.
    pub async fn exec_create(
        self: &Arc<Self>,
        reference: &str,
        config: ExecConfig,
    ) -> Result<String> {
        let entry = self.containers.find(reference)?;
        let record = entry.settled().await;
        check_runs(&record)?;
        if config.cmd.as_ref().is_none_or(Vec::is_empty) {
            return Err(Error::invalid("No exec command specified"));
        }
        let bad = |variable: &&String| variable.is_empty() || variable.starts_with('=');
        if let Some(variable) = config.env.iter().flatten().find(bad) {
            return Err(Error::invalid(format!("invalid environment variable: {variable}")));
        }
        let dir = &config.working_dir;
        if !dir.is_empty() && !dir.starts_with('/') {
            return Err(Error::invalid(format!(
                "the working directory '{dir}' is invalid, it needs to be an absolute path"
            )));
        }
        detach::parse(Some(&config.detach_keys))?;
        let exec = self.execs.add(Exec::new(entry.id.clone(), config));
        exec_event(self, &record, &exec, "exec_create");
        Ok(exec.id.clone())
    }
}

/// Whether an exec can be run in it, in Docker's words if not.
pub(super) fn check_runs(record: &Container) -> Result<()> {
    let id = &record.id;
    match record.state.status {
        Status::Running => Ok(()),
        Status::Paused => Err(Error::conflict(format!(
            "container {id} is paused, unpause the container before exec"
        ))),
        Status::Restarting => Err(Error::conflict(format!(
            "container {id} is restarting, wait until the container is running"
        ))),
        _ => Err(not_running(id.as_str())),
    }
}

/// Tells an event with the exec's command line.
pub(super) fn exec_event(engine: &Engine, record: &Container, exec: &Exec, what: &str) {
    let words = exec.config.cmd.as_deref().unwrap_or_default().join(" ");
    container_event(engine, record, format!("{what}: {words}"), [("execID", exec.id.clone())]);
}
