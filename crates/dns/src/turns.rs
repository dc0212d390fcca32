//! Whose turn it is: by how much the addresses of a name are rotated.
//!
//! In: the name and the kind of address that are asked for. Out: a number that grows by one each
//! time. Clients ask for IPv4 and IPv6 at once, and for several names one after the other: one
//! number for all of it would give each of them the same first address for ever.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::message::AAAA;

/// Names that share a row do so by chance; what a sandbox asks for makes nothing grow.
const ROWS: usize = 64;

/// The turns of one sandbox; nothing until it asks for a name that has several addresses.
#[derive(Default)]
pub(crate) struct Turns(OnceLock<Box<Rows>>);

struct Rows {
    /// Of IPv6, and of all else.
    rows: [[AtomicUsize; 2]; ROWS],
    hasher: RandomState,
}

impl Turns {
    /// Counts one answer for `name` (in lower case) and addresses of `kind`.
    pub(crate) fn next(&self, name: &str, kind: u16) -> usize {
        let Rows { rows, hasher } = &**self.0.get_or_init(Rows::new);
        let [first, ..] = hasher.hash_one(name).to_ne_bytes();
        let [ipv6, other] = &rows[usize::from(first) % ROWS];
        let counter = if kind == AAAA { ipv6 } else { other };
        counter.fetch_add(1, Ordering::Relaxed)
    }
}

impl Rows {
    fn new() -> Box<Self> {
        let rows = [const { [const { AtomicUsize::new(0) }; 2] }; ROWS];
        Box::new(Self { rows, hasher: RandomState::new() })
    }
}
