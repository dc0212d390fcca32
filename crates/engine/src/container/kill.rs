//! `kill`.

use std::sync::Arc;

use super::signal;
use super::stop::stop_signal;
use crate::Engine;
use crate::error::{Error, Result};
use crate::record::Status;

impl Engine {
    /// Sends a signal (default `SIGKILL`) to the container's process 1; after `SIGKILL` it waits
    /// for the end.
    ///
    /// # Errors
    /// NotFound, Invalid for an unknown signal, Conflict if it does not run.
    pub async fn container_kill(
        self: &Arc<Self>,
        reference: &str,
        signal: Option<&str>,
    ) -> Result<()> {
        let signal = match signal.filter(|s| !s.is_empty()) {
            Some(signal) => signal::parse(signal)?,
            None => signal::KILL,
        };
        let entry = self.containers.find(reference)?;
        let record = entry.settled().await;
        match record.state.status {
            Status::Running | Status::Paused => {}
            Status::Restarting => return self.cancel_restart(&entry).await,
            _ => {
                return Err(Error::conflict(format!(
                    "cannot kill container: {reference}: container {} is not running",
                    entry.id
                )));
            }
        }
        let ends_it = signal == signal::KILL || signal == stop_signal(&record);
        if ends_it && self.mark_stopped(&entry)?.state.status == Status::Restarting {
            // It ended by itself just now, and the policy did not know yet.
            return self.cancel_restart(&entry).await;
        }
        if signal == signal::KILL {
            return self.kill_and_wait(&entry).await;
        }
        self.signal(&entry, signal).await
    }
}
