//! Pins: what must not be swept away though no image names it (yet).
//!
//! In: digests of blobs and layers that are being worked on. Out: guards; while one lives, the
//! sweep leaves its digests alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::id::Digest;

/// All pins of the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct PinBoard(Arc<Mutex<HashMap<Digest, usize>>>);

/// Digests pinned until this is dropped.
#[derive(Debug)]
pub(crate) struct Pins {
    board: PinBoard,
    digests: Vec<Digest>,
}

impl PinBoard {
    pub(crate) fn pin<'a>(&self, digests: impl Iterator<Item = &'a Digest>) -> Pins {
        let digests: Vec<Digest> = digests.cloned().collect();
        let mut counts = self.lock();
        for digest in &digests {
            *counts.entry(digest.clone()).or_default() += 1;
        }
        drop(counts);
        Pins { board: self.clone(), digests }
    }

    /// The pinned digests; nothing can be pinned while the guard lives.
    pub(crate) fn lock(&self) -> MutexGuard<'_, HashMap<Digest, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        let mut counts = self.board.lock();
        for digest in &self.digests {
            if let Some(count) = counts.get_mut(digest) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(digest);
                }
            }
        }
    }
}
