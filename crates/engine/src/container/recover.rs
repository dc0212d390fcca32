//! What becomes of containers when the daemon starts.
//!
//! In: the records, and what the runtime finds of their processes. Out: records that tell the
//! truth, tasks that watch what runs, nothing left of what a crash interrupted. What a policy wants
//! started is started in the background: the daemon serves meanwhile.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::registry::Entry;
use super::restart_policy::wants_start_with_daemon;
use crate::Engine;
use crate::engine::{blocking, system};
use crate::error::Result;
use crate::record::{ContainerId, Status};

/// Takes up all containers.
pub(crate) async fn recover(engine: &Arc<Engine>) -> Result<()> {
    engine.remove_unrecorded().await?;
    engine.for_each(Engine::take_up).await;
    // Only now is it known which processes belong to somebody, and before anything new is started.
    engine.delete_unrecorded_processes().await;
    engine.for_each(Engine::finish).await;
    engine.start_with_daemon();
    Ok(())
}

type Step = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

impl Engine {
    /// Does a step for all containers at once, and waits for all.
    async fn for_each(self: &Arc<Self>, step: fn(Arc<Self>, Arc<Entry>) -> Step) {
        let mut tasks = tokio::task::JoinSet::new();
        for entry in self.containers.all() {
            let engine = Arc::clone(self);
            tasks.spawn(async move {
                let id = entry.id.clone();
                if let Err(e) = step(engine, entry).await {
                    tracing::error!(container = %id, error = %e, "cannot take it up");
                }
            });
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Finds the process of what ran, and takes back what a start had begun.
    fn take_up(self: Arc<Self>, entry: Arc<Entry>) -> Step {
        Box::pin(async move {
            match entry.record().state.status {
                Status::Running | Status::Paused => self.take_up_running(&entry).await,
                _ => {
                    self.take_back(&entry).await;
                    Ok(())
                }
            }
        })
    }

    /// Does what the last daemon would have done next.
    fn finish(self: Arc<Self>, entry: Arc<Entry>) -> Step {
        Box::pin(async move {
            let record = entry.record();
            let auto_remove = record.host_config.auto_remove;
            match record.state.status {
                Status::Removing => {}
                Status::Created | Status::Exited | Status::Dead if auto_remove => {}
                _ => return Ok(()),
            }
            let _one = entry.lifecycle.lock().await;
            if self.containers.get(&entry.id).is_none() {
                return Ok(());
            }
            self.remove_locked(&entry, auto_remove).await
        })
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
        if let Err(e) = self.networks.resume(self, &record) {
            tracing::error!(container = %entry.id, error = %e, "its files do not follow");
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

    /// Files of containers whose creation did not come to its record. What cannot be removed is
    /// tried again at the next start: it is in nobody's way.
    async fn remove_unrecorded(self: &Arc<Self>) -> Result<()> {
        let engine = Arc::clone(self);
        blocking(move || {
            for id in ids_in(&engine.settings.data_root.join("containers")) {
                if engine.containers.get(&id).is_some() {
                    continue;
                }
                tracing::info!(container = %id, "removing what is left of an unfinished container");
                if let Err(error) = engine.remove_files(&id) {
                    tracing::error!(container = %id, %error, "cannot remove it");
                }
            }
            Ok(())
        })
        .await
    }

    fn remove_files(&self, id: &ContainerId) -> Result<()> {
        let removed = self.images.remove_rootfs(id.as_str());
        removed.map_err(|e| system("remove an unfinished root file system", e))?;
        let dir = self.settings.container_dir(id);
        std::fs::remove_dir_all(&dir).map_err(|e| system(&format!("remove {}", dir.display()), e))
    }

    /// Processes that were made just before a crash, so that no record knows them.
    async fn delete_unrecorded_processes(&self) {
        let ids = self.runtime.orphans().unwrap_or_else(|e| {
            tracing::error!(error = %e, "cannot look for processes without a record");
            Vec::new()
        });
        for id in ids {
            tracing::info!(container = id, "deleting a process without a record");
            if let Err(e) = self.runtime.delete(&id).await {
                tracing::error!(container = id, error = %e, "cannot delete it");
            }
        }
    }

    fn start_with_daemon(self: &Arc<Self>) {
        for entry in self.containers.all() {
            let record = entry.record();
            let engine = Arc::clone(self);
            // One whose end was only seen now has its restart planned already.
            let planned = entry.restart_wait().is_some();
            if record.state.status == Status::Restarting && !planned {
                tokio::spawn(async move { engine.restart_after(&entry, Duration::ZERO).await });
            } else if record.state.status == Status::Exited && wants_start_with_daemon(&record) {
                tokio::spawn(async move {
                    engine.await_needed(&record).await;
                    if let Err(e) = engine.container_start(entry.id.as_str()).await {
                        tracing::error!(container = %entry.id, error = %e, "cannot start it");
                    }
                });
            }
        }
    }
}

/// The container ids among the names in a directory.
fn ids_in(dir: &Path) -> Vec<ContainerId> {
    let Ok(files) = std::fs::read_dir(dir) else { return Vec::new() };
    let names = files.flatten().filter_map(|file| file.file_name().into_string().ok());
    names.filter_map(|name| name.parse().ok()).collect()
}
