//! `restart`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::StopOptions;
use super::events::container_event;
use super::registry::Entry;
use super::task::to_the_end;
use crate::Engine;
use crate::error::{Kind, Result};

impl Engine {
    /// Stops a container if it runs, and starts it.
    ///
    /// # Errors
    /// As `stop` and `start`, but never NotModified.
    pub async fn container_restart(
        self: &Arc<Self>,
        reference: &str,
        options: StopOptions,
    ) -> Result<()> {
        let entry = self.containers.find(reference)?;
        let engine = Arc::clone(self);
        to_the_end(async move {
            // A container with automatic removal survives its end when that is part of a restart.
            entry.keep.store(true, Ordering::SeqCst);
            let restarted = engine.stop_and_start(&entry, &options).await;
            entry.keep.store(false, Ordering::SeqCst);
            restarted?;
            container_event(&engine, &entry.record(), "restart", []);
            Ok(())
        })
        .await
    }

    async fn stop_and_start(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        options: &StopOptions,
    ) -> Result<()> {
        match self.stop(entry, options).await {
            Err(e) if e.kind() != Kind::NotModified => return Err(e),
            _ => {}
        }
        let _one = entry.lifecycle.lock().await;
        match super::start::check_startable(&entry.record()) {
            Err(e) if e.kind() == Kind::NotModified => return Ok(()),
            other => other?,
        }
        self.start_locked(entry).await
    }
}
