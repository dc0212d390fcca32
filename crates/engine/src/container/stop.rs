//! `stop`.

use std::sync::Arc;
use std::time::Duration;

use hawser_runtime as runtime;

use super::events::container_event;
use super::registry::Entry;
use super::signal;
use super::task::to_the_end;
use crate::Engine;
use crate::engine::system;
use crate::error::{Error, Kind, Result};
use crate::record::{Container, Status};

/// Seconds before a container is killed if nobody says otherwise.
const DEFAULT_TIMEOUT: i64 = 10;
/// How long the end of a killed process may take before that is an error.
pub(super) const KILL_TIMEOUT: Duration = Duration::from_secs(10);

/// How to stop; also of `restart`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopOptions {
    /// Signal instead of the container's own.
    pub signal: Option<String>,
    /// Seconds before it is killed instead of the container's own; negative waits for ever.
    pub timeout: Option<i64>,
}

impl Engine {
    /// Asks a container to stop, and kills it if it does not.
    ///
    /// # Errors
    /// NotModified if it does not run, NotFound, Invalid for an unknown signal.
    pub async fn container_stop(
        self: &Arc<Self>,
        reference: &str,
        options: StopOptions,
    ) -> Result<()> {
        let entry = self.containers.find(reference)?;
        let engine = Arc::clone(self);
        to_the_end(async move { engine.stop(&entry, &options).await }).await
    }

    pub(super) async fn stop(&self, entry: &Arc<Entry>, options: &StopOptions) -> Result<()> {
        let record = entry.settled().await;
        let signal = match options.signal.as_deref().filter(|s| !s.is_empty()) {
            Some(signal) => signal::parse(signal)?,
            None => stop_signal(&record),
        };
        match record.state.status {
            Status::Running | Status::Paused => {}
            Status::Restarting => return self.cancel_restart(entry).await,
            _ => return Err(Error::new(Kind::NotModified, "Container is already stopped")),
        }
        if self.mark_stopped(entry)?.state.status == Status::Restarting {
            // It ended by itself just now, and the policy did not know yet.
            return self.cancel_restart(entry).await;
        }
        self.signal(entry, signal).await?;
        let timeout = options.timeout.or(record.config.stop_timeout).unwrap_or(DEFAULT_TIMEOUT);
        let limit = u64::try_from(timeout).ok().map(Duration::from_secs);
        if !entry.stopped_within(limit).await {
            tracing::info!(container = %entry.id, timeout, "did not stop in time: killing it");
            self.kill_and_wait(entry).await?;
        }
        container_event(self, &entry.record(), "stop", []);
        Ok(())
    }

    /// Remembers that a user wants it stopped, so that no policy starts it again.
    pub(super) fn mark_stopped(&self, entry: &Arc<Entry>) -> Result<Arc<Container>> {
        entry.update(&self.store, |record| record.state.stopped_by_user = true)
    }

    /// Sends a signal; a frozen container is let go so that it can take it.
    pub(super) async fn signal(&self, entry: &Arc<Entry>, signal: i32) -> Result<()> {
        let record = entry.record();
        container_event(self, &record, "kill", [("signal", signal.to_string())]);
        match self.runtime.kill(entry.id.as_str(), signal) {
            // It has ended just now, its record will say so in a moment: nothing is left to signal.
            Ok(()) | Err(runtime::Error::Unknown(_) | runtime::Error::NotRunning(_)) => {}
            Err(e) => return Err(system("signal the container's process", e)),
        }
        let ends_it = signal == signal::KILL || signal == stop_signal(&record);
        if record.state.status == Status::Paused && ends_it {
            // It may be dead already, and then cannot be let go; who waits for its end sees that.
            match self.runtime.resume(entry.id.as_str()).await {
                Ok(()) => self.note_unpaused(entry)?,
                Err(e) => tracing::debug!(container = %entry.id, error = %e, "cannot unpause it"),
            }
        }
        Ok(())
    }

    fn note_unpaused(&self, entry: &Entry) -> Result<()> {
        let record = entry.update(&self.store, |record| {
            // Its end may have been stored meanwhile.
            if record.state.status == Status::Paused {
                record.state.status = Status::Running;
            }
        })?;
        container_event(self, &record, "unpause", []);
        Ok(())
    }

    /// Kills it and waits for its end.
    pub(super) async fn kill_and_wait(&self, entry: &Arc<Entry>) -> Result<()> {
        self.signal(entry, signal::KILL).await?;
        if entry.stopped_within(Some(KILL_TIMEOUT)).await {
            return Ok(());
        }
        Err(Error::new(
            Kind::System,
            format!("tried to kill container {}, but did not receive an exit event", entry.id),
        ))
    }

    /// Ends the waiting for a restart by the policy.
    pub(super) async fn cancel_restart(&self, entry: &Arc<Entry>) -> Result<()> {
        let _one = entry.lifecycle.lock().await;
        if entry.record().state.status != Status::Restarting {
            return Ok(());
        }
        let record = entry.update(&self.store, |record| {
            record.state.status = Status::Exited;
            record.state.stopped_by_user = true;
        })?;
        entry.cancel_restart.notify_waiters();
        entry.tell_end(record.state.exit_code);
        container_event(self, &record, "stop", []);
        Ok(())
    }
}

/// The signal that asks a container to stop.
pub(super) fn stop_signal(record: &Container) -> i32 {
    // It was checked when the container was made; an image's own may be nonsense.
    signal::parse(&record.config.stop_signal).unwrap_or(signal::TERM)
}
