//! `start`.
//!
//! Order: networks (and the root file system beside them), process made, clients that wait
//! connected, process let run, record, event. A failure goes back step by step; the container then
//! is as before, with the exit code and the error that Docker shows.

use std::sync::Arc;

use chrono::Utc;
use hawser_runtime::{CreateError, Created};

use super::bundle;
use super::events::container_event;
use super::registry::Entry;
use super::task::to_the_end;
use crate::Engine;
use crate::engine::{blocking, system};
use crate::error::{Error, Kind, Result};
use crate::network::Joined;
use crate::record::{Container, State, Status};

/// A start that failed: what the client reads, and what the record keeps.
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) exit_code: i32,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, exit_code: 128 }
    }
}

impl Engine {
    /// Starts a container that does not run.
    ///
    /// # Errors
    /// NotModified if it runs, NotFound, Conflict while it is paused or being removed, Invalid or
    /// System if the process cannot be started.
    pub async fn container_start(self: &Arc<Self>, reference: &str) -> Result<()> {
        let entry = self.containers.find(reference)?;
        let engine = Arc::clone(self);
        to_the_end(async move {
            let _one = entry.lifecycle.lock().await;
            check_startable(&entry.record())?;
            if entry.record().restart_count != 0 {
                entry.update(&engine.store, |record| record.restart_count = 0)?;
            }
            engine.start_locked(&entry).await
        })
        .await
    }

    /// Starts it; the caller holds its lifecycle lock and has checked that it may be started.
    pub(super) async fn start_locked(self: &Arc<Self>, entry: &Arc<Entry>) -> Result<()> {
        match self.run(entry).await {
            Ok(()) => {
                container_event(self, &entry.record(), "start", []);
                self.supervise(entry);
                Ok(())
            }
            Err(failed) => {
                self.start_failed(entry, &failed).await;
                Err(failed.error)
            }
        }
    }

    async fn run(self: &Arc<Self>, entry: &Arc<Entry>) -> Result<(), Failed> {
        let record = entry.record();
        let rootfs = self.mount_rootfs(&record);
        let (joined, rootfs) = tokio::join!(self.networks.join(self, &record), rootfs);
        let joined = joined?;
        let created = self.create_process(&record, joined, rootfs?).await?;
        self.join_waiting(entry).await?;
        // Known to the store before it runs for long: after a crash it is found and taken away.
        let known = async { entry.update(&self.store, |r| r.state.handle = Some(created.clone())) };
        let (started, known) = tokio::join!(self.runtime.start(record.id.as_str()), known);
        known?;
        started.map_err(|e| system("start the container's process", e))?;
        entry.update(&self.store, |record| running(&mut record.state, &created))?;
        Ok(())
    }

    async fn mount_rootfs(&self, record: &Container) -> Result<std::os::fd::OwnedFd> {
        let (images, id) = (Arc::clone(&self.images), record.id.clone());
        blocking(move || {
            let mounted = images.rootfs(id.as_str()).and_then(|dirs| dirs.mount(false));
            mounted.map_err(|e| system("mount the container's root file system", e))
        })
        .await
    }

    async fn create_process(
        &self,
        record: &Arc<Container>,
        joined: Joined,
        rootfs: std::os::fd::OwnedFd,
    ) -> Result<Created, Failed> {
        let bundle = bundle::of(self, record, joined, rootfs)?;
        self.runtime.create(bundle).await.map_err(|e| {
            let exit_code = e.exit_code();
            let kind = match &e {
                CreateError::Host(_) => Kind::System,
                _ if exit_code == 128 => Kind::System,
                _ => Kind::Invalid,
            };
            Failed { error: Error::new(kind, e.to_string()), exit_code }
        })
    }

    /// The way back, and the failure in the record.
    async fn start_failed(self: &Arc<Self>, entry: &Arc<Entry>, failed: &Failed) {
        let id = entry.id.as_str();
        {
            let mut clients = entry.waiting();
            clients.joined = false;
            clients.queue.clear();
        }
        if let Err(e) = self.runtime.delete(id).await {
            tracing::debug!(container = id, error = %e, "nothing to take back in the runtime");
        }
        if let Err(e) = self.networks.leave(self, &entry.id).await {
            tracing::error!(container = id, error = %e, "cannot leave the networks");
        }
        let kept = entry.update(&self.store, |record| {
            record.state.handle = None;
            record.state.pid = None;
            record.state.exit_code = failed.exit_code;
            record.state.error = failed.error.to_string();
            if record.state.status == Status::Restarting {
                record.state.status = Status::Exited;
            }
        });
        if let Err(e) = kept {
            tracing::error!(container = id, error = %e, "cannot store the failed start");
        }
        if entry.record().host_config.auto_remove {
            self.remove_after_end(entry).await;
        }
    }
}

fn running(state: &mut State, created: &Created) {
    *state = State {
        status: Status::Running,
        pid: Some(created.process.pid),
        handle: Some(created.clone()),
        started_at: Some(Utc::now()),
        finished_at: state.finished_at,
        ..State::default()
    };
}

/// Whether it may be started, in Docker's words if not.
pub(super) fn check_startable(record: &Container) -> Result<()> {
    match record.state.status {
        Status::Paused => {
            Err(Error::conflict("cannot start a paused container, try unpause instead"))
        }
        Status::Running | Status::Restarting => {
            Err(Error::new(Kind::NotModified, "Container is already started"))
        }
        Status::Removing | Status::Dead => {
            Err(Error::conflict("container is marked for removal and cannot be started"))
        }
        Status::Created | Status::Exited => Ok(()),
    }
}
