//! `pause` and `unpause`.

use std::sync::Arc;

use super::events::container_event;
use crate::Engine;
use crate::engine::system;
use crate::error::{Error, Kind, Result};
use crate::record::Status;

impl Engine {
    /// Freezes the container's processes.
    ///
    /// # Errors
    /// NotFound, Conflict if it does not run or is paused.
    pub async fn container_pause(self: &Arc<Self>, reference: &str) -> Result<()> {
        let entry = self.containers.find(reference)?;
        let _one = entry.lifecycle.lock().await;
        let id = &entry.id;
        match entry.record().state.status {
            Status::Running => {}
            Status::Paused => {
                return Err(Error::conflict(format!("container {id} is already paused")));
            }
            Status::Restarting => {
                return Err(Error::conflict(format!(
                    "container {id} is restarting, wait until the container is running"
                )));
            }
            _ => return Err(not_running(id.as_str())),
        }
        let paused = self.runtime.pause(id.as_str()).await;
        paused.map_err(|e| system(&format!("cannot pause container {id}"), e))?;
        let record = entry.update(&self.store, |record| record.state.status = Status::Paused)?;
        container_event(self, &record, "pause", []);
        Ok(())
    }

    /// Lets a paused container go on.
    ///
    /// # Errors
    /// NotFound, System if it is not paused.
    pub async fn container_unpause(self: &Arc<Self>, reference: &str) -> Result<()> {
        let entry = self.containers.find(reference)?;
        let _one = entry.lifecycle.lock().await;
        let id = &entry.id;
        if entry.record().state.status != Status::Paused {
            return Err(Error::new(Kind::System, format!("container {id} is not paused")));
        }
        let resumed = self.runtime.resume(id.as_str()).await;
        resumed.map_err(|e| system(&format!("cannot unpause container {id}"), e))?;
        let record = entry.update(&self.store, |record| record.state.status = Status::Running)?;
        container_event(self, &record, "unpause", []);
        Ok(())
    }
}

/// What needs a process was asked of a container that has none.
pub(crate) fn not_running(id: &str) -> Error {
    Error::conflict(format!("container {id} is not running"))
}
