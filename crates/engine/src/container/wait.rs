//! `wait`, and how the ends of a container are told to those who wait.
//!
//! The end of a run and the removal are counted in a watch channel: a waiter that has seen the
//! count before it looks at the record misses nothing.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::registry::Entry;
use crate::Engine;
use crate::error::{Error, Kind, Result};
use crate::record::Status;

/// What to wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitCondition {
    /// That it does not run; at once if it does not.
    #[default]
    NotRunning,
    /// Its next exit, even if it does not run yet.
    NextExit,
    /// That it is removed.
    Removed,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitOutcome {
    /// Exit code.
    pub code: i64,
    /// Why waiting failed (a removal that failed).
    pub error: Option<String>,
}

/// The end that is waited for.
pub type WaitFuture = Pin<Box<dyn Future<Output = Result<WaitOutcome>> + Send>>;

/// The ends of one container so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    /// How many runs have ended.
    pub(crate) runs: u64,
    /// How the last one ended.
    pub(crate) last: WaitOutcome,
    /// How the removal ended.
    pub(crate) removal: Option<WaitOutcome>,
}

impl Entry {
    /// Tells that a run has ended; the record says so already.
    pub(crate) fn tell_end(&self, code: i32) {
        self.ends.send_modify(|ends| {
            ends.runs += 1;
            ends.last = WaitOutcome { code: code.into(), error: None };
        });
    }

    /// Tells that it was removed, or why it could not be.
    pub(crate) fn tell_removal(&self, error: Option<String>) {
        let code = self.record().state.exit_code.into();
        self.ends.send_modify(|ends| ends.removal = Some(WaitOutcome { code, error }));
    }

    /// Waits until it does not run; false if that takes longer than the limit.
    pub(crate) async fn stopped_within(&self, limit: Option<Duration>) -> bool {
        let mut ends = self.ends.subscribe();
        let seen = ends.borrow_and_update().runs;
        if !self.record().state.is_running() {
            return true;
        }
        let end = ends.wait_for(|ends| ends.runs != seen);
        match limit {
            None => end.await.is_ok(),
            Some(limit) => tokio::time::timeout(limit, end).await.is_ok(),
        }
    }
}

impl Engine {
    /// Begins to wait: when this returns the future is registered and misses nothing.
    ///
    /// # Errors
    /// NotFound.
    pub async fn container_wait(
        self: &Arc<Self>,
        reference: &str,
        condition: WaitCondition,
    ) -> Result<WaitFuture> {
        let entry = self.containers.find(reference)?;
        let mut ends = entry.ends.subscribe();
        let seen = ends.borrow_and_update().runs;
        let state = &entry.record().state;
        if condition == WaitCondition::NotRunning
            && !state.is_running()
            && state.status != Status::Restarting
        {
            let outcome = WaitOutcome { code: state.exit_code.into(), error: None };
            return Ok(Box::pin(std::future::ready(Ok(outcome))));
        }
        // The entry must not be kept: its sender going away is how a waiter learns of a removal
        // that nobody waited to be told of.
        drop(entry);
        Ok(Box::pin(async move {
            match condition {
                WaitCondition::Removed => removal(ends).await,
                _ => next_end(ends, seen).await,
            }
        }))
    }
}

async fn removal(mut ends: watch::Receiver<Ends>) -> Result<WaitOutcome> {
    let told = ends.wait_for(|ends| ends.removal.is_some()).await.map_err(|_| gone())?;
    Ok(told.removal.clone().unwrap_or_default())
}

async fn next_end(mut ends: watch::Receiver<Ends>, seen: u64) -> Result<WaitOutcome> {
    // A container that is removed without ever being started has no next end.
    let told =
        ends.wait_for(|e| e.runs != seen || e.removal.is_some()).await.map_err(|_| gone())?;
    Ok(told.last.clone())
}

fn gone() -> Error {
    Error::new(Kind::System, "the container went away while it was waited for")
}
