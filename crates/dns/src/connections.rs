//! The TCP connections of one sandbox: how many there are, and which one has to go.
//!
//! In: connections that begin, and what they say about themselves. Out: an order to end, to the one
//! that has been quiet for longest, when there are too many. Nobody new is turned away: who holds
//! connections without using them does not keep others out.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Connections of one sandbox.
pub(crate) const MAX_CONNECTIONS: usize = 32;

/// What a connection says about itself.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<(bool, Instant)>);

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new((false, Instant::now()))))
    }

    /// It has done something just now; `busy` while it owes answers.
    pub(crate) fn note(&self, busy: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (busy, Instant::now());
    }

    fn get(&self) -> (bool, Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those that are open.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: Vec<(Arc<Activity>, AbortHandle)>,
}

impl Connections {
    /// Makes room for one more: of the idle ones the oldest goes, or of all if none is idle.
    pub(crate) fn make_room(&mut self) {
        self.open.retain(|(_, task)| !task.is_finished());
        if self.open.is_empty() {
            self.open = Vec::new();
        }
        if self.open.len() < MAX_CONNECTIONS {
            return;
        }
        let oldest = self.open.iter().enumerate().min_by_key(|(_, (activity, _))| activity.get());
        if let Some(index) = oldest.map(|(index, _)| index) {
            self.open.swap_remove(index).1.abort();
        }
    }

    /// Adds one, for which there is room.
    pub(crate) fn add(&mut self, activity: Arc<Activity>, task: AbortHandle) {
        self.open.push((activity, task));
    }
}
