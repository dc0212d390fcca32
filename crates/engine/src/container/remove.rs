//! `rm`, and the removal of what asked for it at its end.
//!
//! The record says `removing` first: a daemon that is killed meanwhile finishes the removal at its
//! next start.

use std::sync::Arc;

use super::events::container_event;
use super::registry::Entry;
use super::task::to_the_end;
use crate::Engine;
use crate::engine::{blocking, system};
use crate::error::{Error, Result};
use crate::record::{Container, Status};

/// How to remove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoveOptions {
    /// Kill it first if it runs.
    pub force: bool,
    /// Also its anonymous volumes.
    pub volumes: bool,
    /// Not the container but the link that the reference names (legacy).
    pub link: bool,
}

impl Engine {
    /// Removes a container.
    ///
    /// # Errors
    /// NotFound, Conflict if it runs and `force` is not set.
    pub async fn container_remove(
        self: &Arc<Self>,
        reference: &str,
        options: RemoveOptions,
    ) -> Result<()> {
        if options.link {
            return Err(Error::invalid(
                "removing a link is not supported: links are made at start",
            ));
        }
        let entry = self.containers.find(reference)?;
        let engine = Arc::clone(self);
        to_the_end(async move {
            loop {
                engine.end_for_removal(&entry, options.force).await?;
                let _one = entry.lifecycle.lock().await;
                if engine.containers.get(&entry.id).is_none() {
                    // It removed itself at its end, which was what was wanted.
                    return Ok(());
                }
                // Who started it meanwhile comes too late.
                if !has_process(&entry.record()) {
                    return engine.remove_locked(&entry, options.volumes).await;
                }
            }
        })
        .await
    }

    async fn end_for_removal(self: &Arc<Self>, entry: &Arc<Entry>, force: bool) -> Result<()> {
        let record = entry.settled().await;
        if self.containers.get(&entry.id).is_none() {
            return Ok(());
        }
        check_removable(&record, force)?;
        match record.state.status {
            Status::Running | Status::Paused => {
                self.mark_stopped(entry)?;
                self.kill_and_wait(entry).await
            }
            Status::Restarting => self.cancel_restart(entry).await,
            _ => Ok(()),
        }
    }

    /// At the end of a container with automatic removal; the caller holds its lifecycle lock.
    pub(super) async fn remove_after_end(self: &Arc<Self>, entry: &Arc<Entry>) {
        if let Err(e) = self.remove_locked(entry, true).await {
            tracing::error!(container = %entry.id, error = %e, "cannot remove it at its end");
        }
    }

    /// Removes what does not run; the caller holds its lifecycle lock.
    pub(super) async fn remove_locked(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        volumes: bool,
    ) -> Result<()> {
        let removed = self.take_apart(entry, volumes).await;
        if let Err(e) = &removed {
            let message = e.to_string();
            let kept = entry.update(&self.store, |r| r.state.status = Status::Dead);
            if let Err(e) = kept {
                tracing::error!(container = %entry.id, error = %e, "cannot store the failure");
            }
            entry.tell_removal(Some(message));
        } else {
            self.networks.unreserve(&entry.record()).await;
            container_event(self, &entry.record(), "destroy", []);
            entry.tell_removal(None);
        }
        removed
    }

    async fn take_apart(self: &Arc<Self>, entry: &Arc<Entry>, volumes: bool) -> Result<()> {
        let record = entry.update(&self.store, |r| r.state.status = Status::Removing)?;
        self.execs.forget_container(&entry.id);
        let (engine, entry) = (Arc::clone(self), Arc::clone(entry));
        blocking(move || {
            let removed = engine.images.remove_rootfs(entry.id.as_str());
            removed.map_err(|e| system("remove the container's root file system", e))?;
            remove_dir(&engine.settings.container_dir(&entry.id))?;
            if volumes {
                engine.remove_anonymous(&record);
            }
            engine.containers.remove(&engine.store, &entry)
        })
        .await
    }
}

fn has_process(record: &Container) -> bool {
    record.state.is_running() || record.state.status == Status::Restarting
}

fn check_removable(record: &Container, force: bool) -> Result<()> {
    let state = match record.state.status {
        Status::Running => "running",
        Status::Paused => "paused",
        Status::Restarting => "restarting",
        Status::Removing => {
            return Err(Error::conflict(format!(
                "removal of container {} is already in progress",
                record.id
            )));
        }
        _ => return Ok(()),
    };
    if force {
        return Ok(());
    }
    let advice = if state == "paused" {
        "container is paused and must be unpaused first".to_owned()
    } else {
        format!("container is {state}: stop the container before removing or force remove")
    };
    Err(Error::conflict(format!("cannot remove container \"/{}\": {advice}", record.name)))
}

fn remove_dir(dir: &std::path::Path) -> Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(system(&format!("remove {}", dir.display()), e))
        }
        _ => Ok(()),
    }
}
