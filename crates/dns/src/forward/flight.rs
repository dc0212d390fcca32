//! Questions that are under way: who asks the same waits for the same answer.
//!
//! In: keys of questions. Out: one future for all who ask at that time; it goes on as long as any
//! of them waits.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::Flown;

type Flight = BoxFuture<'static, Arc<Flown>>;

/// Flights that somebody waits for have an entry; one that nobody waits for may have one too.
#[derive(Default)]
pub(crate) struct Flights {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    flights: HashMap<Box<[u8]>, WeakShared<Flight>>,
    /// With so many, those that nobody waits for are looked for.
    look_at: usize,
}

impl Flights {
    /// The flight of this key, and whether it was under way.
    pub(crate) fn join<F>(&self, key: &[u8], begin: impl FnOnce() -> F) -> (Shared<Flight>, bool)
    where
        F: Future<Output = Arc<Flown>> + Send + 'static,
    {
        let mut open = self.open();
        if let Some(flight) = open.flights.get(key).and_then(WeakShared::upgrade) {
            return (flight, true);
        }
        let flight = begin().boxed().shared();
        if open.flights.len() >= open.look_at {
            open.flights.retain(|_, flight| flight.upgrade().is_some());
            open.look_at = 2 * open.flights.len().max(64);
        }
        if let Some(weak) = flight.downgrade() {
            open.flights.insert(key.into(), weak);
        }
        (flight, false)
    }

    /// Who asks from now on asks anew.
    pub(crate) fn land(&self, key: &[u8]) {
        let mut open = self.open();
        open.flights.remove(key);
        if open.flights.is_empty() {
            *open = Open::default();
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
