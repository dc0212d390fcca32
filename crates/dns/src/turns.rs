//! Whose turn it is: by how much the addresses of a name are rotated.
//!
//! In: the name and the kind of address that are asked for. Out: a number that grows by one each
//! time. Clients ask for IPv4 and IPv6 at once, and for several names one after the other: one
//! number for all of it would give each of them the same first address for ever.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::message::AAAA;

/// Names that share a row do so by chance; what a sandbox asks for makes nothing grow.
const ROWS: usize = 64;

/// The turns of one sandbox.
pub(crate) struct Turns {
    /// Of IPv6, and of all else.
    rows: [[AtomicUsize; 2]; ROWS],
    hasher: RandomState,
}

impl Turns {
    pub(crate) fn new() -> Self {
        let rows = [const { [const { AtomicUsize::new(0) }; 2] }; ROWS];
        Self { rows, hasher: RandomState::new() }
    }

    /// Counts one answer for `name` (in any case) and addresses of `kind`.
    pub(crate) fn next(&self, name: &str, kind: u16) -> usize {
        let [first, ..] = self.hasher.hash_one(name.to_ascii_lowercase()).to_ne_bytes();
        let [ipv6, other] = &self.rows[usize::from(first) % ROWS];
        let counter = if kind == AAAA { ipv6 } else { other };
        counter.fetch_add(1, Ordering::Relaxed)
    }
}
