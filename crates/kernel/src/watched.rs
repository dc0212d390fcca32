//! A state that one thread works on and others wait for.
//!
//! In: changes of it. Out: who waits wakes up, and looks again whether it is what he waits for. A
//! thread that panicked while it held the state is no reason for the others to.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The state, and who waits for it.
#[derive(Default)]
pub(crate) struct Watched<S> {
    state: Mutex<S>,
    changed: Condvar,
}

impl<S> Watched<S> {
    /// A state that nobody waits for yet.
    pub(crate) fn new(state: S) -> Self {
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The state as it is. What is changed here, nobody is told of.
    pub(crate) fn lock(&self) -> MutexGuard<'_, S> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes all who wait.
    pub(crate) fn change(&self, change: impl FnOnce(&mut S)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until the state is not so any more.
    pub(crate) fn wait_while(&self, so: impl Fn(&S) -> bool) -> MutexGuard<'_, S> {
        let waited = self.changed.wait_while(self.lock(), |state| so(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the state changes, but no longer than that.
    pub(crate) fn wait_for_change<'s>(
        &self,
        state: MutexGuard<'s, S>,
        longest: Duration,
    ) -> MutexGuard<'s, S> {
        self.changed.wait_timeout(state, longest).unwrap_or_else(PoisonError::into_inner).0
    }
}
