//! What becomes of containers when the daemon starts.
//!
//! In: the records, and what the runtime finds of their processes. Out: records that tell the
//! truth, tasks that watch what runs, nothing left of what a crash interrupted. What a policy wants
//! started is started in the background: the daemon serves meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hawser_runtime::{Created, ProcessId};

use super::registry::Entry;
use super::restart_policy::wants_start_with_daemon;
use crate::Engine;
use crate::engine::{blocking, system};
use crate::error::Result;
use crate::record::{ContainerId, Status};

/// Takes up all containers.
pub(crate) async fn recover(engine: &Arc<Engine>) -> Result<()> {
    engine.remove_unrecorded().await?;
    engine.delete_unrecorded_processes().await;
    let mut tasks = tokio::task::JoinSet::new();
    for entry in engine.containers.all() {
        let engine = Arc::clone(engine);
        tasks.spawn(async move {
            if let Err(e) = engine.take_up(&entry).await {
                tracing::error!(container = %entry.id, error = %e, "cannot take it up");
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    engine.start_with_daemon();
    Ok(())
}

impl Engine {
    async fn take_up(self: &Arc<Self>, entry: &Arc<Entry>) -> Result<()> {
        let record = entry.record();
        match record.state.status {
            Status::Running | Status::Paused => self.take_up_running(entry).await,
            Status::Removing => {
                self.take_back(entry).await;
                let _one = entry.lifecycle.lock().await;
                self.remove_locked(entry, record.host_config.auto_remove).await
            }
            Status::Restarting => {
                self.take_back(entry).await;
                let (engine, entry) = (Arc::clone(self), Arc::clone(entry));
                tokio::spawn(async move { engine.restart_after(&entry, Duration::ZERO).await });
                Ok(())
            }
            Status::Created | Status::Exited | Status::Dead => {
                self.take_back(entry).await;
                if record.host_config.auto_remove {
                    let _one = entry.lifecycle.lock().await;
                    return self.remove_locked(entry, true).await;
                }
                Ok(())
            }
        }
    }

    async fn take_up_running(self: &Arc<Self>, entry: &Arc<Entry>) -> Result<()> {
        let record = entry.record();
        let Some(handle) = &record.state.handle else {
            // Not written by this program: without a handle nothing can be found.
            let change = |r: &mut crate::record::Container| r.state.status = Status::Exited;
            return entry.update(&self.store, change).map(drop);
        };
        let runs = self.runtime.reattach(entry.id.as_str(), handle).await;
        let runs = runs.map_err(|e| system("take up the container's process", e))?;
        if !runs {
            let exit = self.await_exit(entry).await;
            self.ended(entry, exit).await;
            return Ok(());
        }
        entry.waiting().joined = true;
        if let Err(e) = self.networks.resume(self, &record).await {
            tracing::error!(container = %entry.id, error = %e, "its name service does not answer");
        }
        self.supervise(entry);
        Ok(())
    }

    /// What a start had made when the daemon ended, before the container ran.
    async fn take_back(&self, entry: &Arc<Entry>) {
        self.delete_process(entry).await;
        if let Err(e) = self.networks.leave(self, &entry.id).await {
            tracing::error!(container = %entry.id, error = %e, "cannot leave the networks");
        }
    }

    async fn delete_process(&self, entry: &Arc<Entry>) {
        let record = entry.record();
        let Some(handle) = &record.state.handle else { return };
        let id = entry.id.as_str();
        let deleted = match self.runtime.reattach(id, handle).await {
            Ok(_) => self.runtime.delete(id).await,
            Err(e) => Err(e),
        };
        if let Err(e) = deleted {
            tracing::error!(container = id, error = %e, "cannot delete its process");
        }
        if let Err(e) = entry.update(&self.store, |record| record.state.handle = None) {
            tracing::error!(container = id, error = %e, "cannot store that it has no process");
        }
    }

    /// Files of containers whose creation did not come to its record.
    async fn remove_unrecorded(self: &Arc<Self>) -> Result<()> {
        let engine = Arc::clone(self);
        blocking(move || {
            for id in ids_in(&engine.settings.data_root.join("containers")) {
                if engine.containers.get(&id).is_some() {
                    continue;
                }
                tracing::info!(container = %id, "removing what is left of an unfinished container");
                let removed = engine.images.remove_rootfs(id.as_str());
                removed.map_err(|e| system("remove an unfinished root file system", e))?;
                let dir = engine.settings.container_dir(&id);
                std::fs::remove_dir_all(&dir)
                    .map_err(|e| system(&format!("remove {}", dir.display()), e))?;
            }
            Ok(())
        })
        .await
    }

    /// Processes that were made just before a crash, so that no record knows them.
    async fn delete_unrecorded_processes(&self) {
        for id in ids_in(&self.settings.exec_root.join("containers")) {
            let entry = self.containers.get(&id);
            let record = entry.map(|entry| entry.record());
            if record.as_ref().is_some_and(|record| record.state.handle.is_some()) {
                continue;
            }
            let runtime = record.map(|record| record.host_config.runtime.clone());
            let nobody = ProcessId { pid: 0, start: 0 };
            let unknown = Created {
                runtime: runtime.unwrap_or_else(|| self.settings.default_runtime.clone()),
                process: nobody,
                conmon: nobody,
                cgroup: PathBuf::new(),
                stdin_once: false,
            };
            let deleted = match self.runtime.reattach(id.as_str(), &unknown).await {
                Ok(_) => self.runtime.delete(id.as_str()).await,
                Err(e) => Err(e),
            };
            if let Err(e) = deleted {
                tracing::error!(container = %id, error = %e, "cannot delete an unrecorded process");
            }
        }
    }

    fn start_with_daemon(self: &Arc<Self>) {
        for entry in self.containers.all() {
            let record = entry.record();
            let stopped = record.state.status == Status::Exited;
            if !stopped || !wants_start_with_daemon(&record) {
                continue;
            }
            let engine = Arc::clone(self);
            tokio::spawn(async move {
                if let Err(e) = engine.container_start(entry.id.as_str()).await {
                    tracing::error!(container = %entry.id, error = %e, "cannot start it");
                }
            });
        }
    }
}

/// The container ids among the names in a directory.
fn ids_in(dir: &Path) -> Vec<ContainerId> {
    let Ok(files) = std::fs::read_dir(dir) else { return Vec::new() };
    let names = files.flatten().filter_map(|file| file.file_name().into_string().ok());
    names.filter_map(|name| name.parse().ok()).collect()
}
