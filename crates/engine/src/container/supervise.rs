//! What happens when a container's process ends.
//!
//! One task per running container waits for the end, then in this order: networks left, record,
//! waiters and events told, what the runtime kept taken away, and then the restart policy or the
//! automatic removal. It starts nothing of its own accord but what the policy says.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hawser_runtime::Exit;
use tokio::sync::MutexGuard;

use super::events::container_event;
use super::registry::Entry;
use super::restart_policy::{next_wait, wants_restart};
use crate::Engine;
use crate::record::{Container, Status};

impl Engine {
    /// Begins to watch a container that runs.
    pub(super) fn supervise(self: &Arc<Self>, entry: &Arc<Entry>) {
        let (engine, entry) = (Arc::clone(self), Arc::clone(entry));
        self.watch_health(&entry);
        tokio::spawn(async move {
            let exit = engine.await_exit(&entry).await;
            engine.ended(&entry, exit).await;
        });
    }

    pub(super) async fn await_exit(&self, entry: &Entry) -> Exit {
        match self.runtime.wait(entry.id.as_str()).await {
            Ok(exit) => exit,
            Err(e) => {
                tracing::error!(container = %entry.id, error = %e, "cannot learn the exit code");
                Exit { code: 255, oom_killed: false, finished_at: std::time::SystemTime::now() }
            }
        }
    }

    /// The process has ended.
    pub(super) async fn ended(self: &Arc<Self>, entry: &Arc<Entry>, exit: Exit) {
        let locked = entry.lifecycle.lock().await;
        entry.waiting().joined = false;
        self.end_health(entry);
        if let Err(e) = self.networks.leave(self, &entry.id).await {
            tracing::error!(container = %entry.id, error = %e, "cannot leave the networks");
        }
        let id = entry.id.clone();
        let runtime = self.runtime.clone();
        let deleted = tokio::spawn(async move {
            if let Err(e) = runtime.delete(id.as_str()).await {
                tracing::error!(container = %id, error = %e, "cannot delete it in the runtime");
            }
        });
        let (record, again) = self.record_end(entry, exit);
        tell_death(self, &record, exit);
        entry.tell_end(exit.code);
        // A start or removal that comes now waits for the lock until this is done.
        let _ = deleted.await;
        if again {
            self.restart_later(entry, locked);
        } else if record.host_config.auto_remove && !entry.keep.load(Ordering::SeqCst) {
            self.remove_after_end(entry).await;
        }
    }

    /// Stores the end; says whether the policy starts it again.
    fn record_end(&self, entry: &Arc<Entry>, exit: Exit) -> (Arc<Container>, bool) {
        let change = move |record: &mut Container| {
            let state = &mut record.state;
            state.pid = None;
            state.handle = None;
            state.exit_code = exit.code;
            state.oom_killed = exit.oom_killed;
            state.finished_at = Some(DateTime::<Utc>::from(exit.finished_at));
            state.status = Status::Exited;
            if wants_restart(record) {
                record.state.status = Status::Restarting;
                record.restart_count += 1;
            }
        };
        let record = match entry.update(&self.store, change) {
            Ok(record) => record,
            Err(e) => {
                tracing::error!(container = %entry.id, error = %e, "cannot store its end");
                entry.record()
            }
        };
        let again = record.state.status == Status::Restarting;
        (record, again)
    }

    /// Waits as the policy says, then starts it, unless a user wants otherwise meanwhile.
    fn restart_later(self: &Arc<Self>, entry: &Arc<Entry>, locked: MutexGuard<'_, ()>) {
        let wait = {
            let mut last = entry.restart_wait();
            let wait = next_wait(*last, run_time(&entry.record()));
            *last = Some(wait);
            wait
        };
        drop(locked);
        let (engine, entry) = (Arc::clone(self), Arc::clone(entry));
        tokio::spawn(async move { engine.restart_after(&entry, wait).await });
    }

    pub(super) async fn restart_after(self: &Arc<Self>, entry: &Arc<Entry>, wait: Duration) {
        let record = entry.record();
        let due = async {
            tokio::time::sleep(wait).await;
            self.await_needed(&record).await;
        };
        tokio::select! {
            () = due => {}
            () = entry.cancel_restart.notified() => return,
        }
        let _one = entry.lifecycle.lock().await;
        if entry.record().state.status != Status::Restarting {
            return;
        }
        if let Err(e) = self.start_locked(entry).await {
            tracing::error!(container = %entry.id, error = %e, "cannot restart it");
        }
    }
}

/// How long the last run was.
fn run_time(record: &Container) -> Duration {
    let state = &record.state;
    let run = state.finished_at.zip(state.started_at).map(|(end, start)| end - start);
    run.and_then(|run| run.to_std().ok()).unwrap_or_default()
}

fn tell_death(engine: &Engine, record: &Container, exit: Exit) {
    if exit.oom_killed {
        container_event(engine, record, "oom", []);
    }
    let seconds = run_time(record).as_secs().to_string();
    let more = [("exitCode", exit.code.to_string()), ("execDuration", seconds)];
    container_event(engine, record, "die", more);
    engine.tell_mounts(record, false);
}
