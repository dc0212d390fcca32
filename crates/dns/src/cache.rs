//! Answers of upstreams, kept for as long as they may be.
//!
//! In: good answers, under what was asked. Out: the same answers with what is left of their times.
//! It belongs to one sandbox and one list of upstreams: nobody can tell from it what others ask.
//! No clock is read here.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::message::{self, Query, grow_old};

/// Answers that are kept.
const MAX_ENTRIES: usize = 512;
/// Bytes of all of them.
const MAX_BYTES: usize = 256 << 10;
/// Longest answer that is kept.
const MAX_ANSWER: usize = 4096;
/// For how long at most, whatever an answer says: an upstream that has changed its mind is heard.
const MAX_SECONDS: u32 = 600;
/// Room for what an entry has beside its bytes.
const OVERHEAD: usize = 128;

/// What is kept.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: HashMap<Box<[u8]>, Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    answer: Box<[u8]>,
    times: Box<[u16]>,
    from: Instant,
    lasts: Duration,
}

/// An answer that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub answer: Vec<u8>,
    pub age: Duration,
    pub left: Duration,
}

impl Cache {
    /// Keeps an answer, if it may be kept.
    pub(crate) fn keep(&mut self, key: Box<[u8]>, query: &Query, answer: &[u8], now: Instant) {
        let Some(lifetime) = message::lifetime(answer, query) else { return };
        if answer.len() > MAX_ANSWER {
            return;
        }
        let lasts = Duration::from_secs(lifetime.seconds.min(MAX_SECONDS).into());
        let entry = Entry { answer: answer.into(), times: lifetime.times, from: now, lasts };
        let size = entry.size(&key);
        self.forget(&key);
        if self.is_full(size) {
            self.sweep(now);
        }
        // Any of them: which one is asked for next is not known.
        while self.is_full(size) {
            let Some(victim) = self.entries.keys().next().cloned() else { return };
            self.forget(&victim);
        }
        self.bytes += size;
        self.entries.insert(key, entry);
    }

    /// The answer to what was asked before.
    pub(crate) fn find(&self, key: &[u8], now: Instant) -> Option<Kept> {
        let entry = self.entries.get(key)?;
        let age = now.saturating_duration_since(entry.from);
        let left = entry.lasts.checked_sub(age).filter(|left| !left.is_zero())?;
        let mut answer = entry.answer.to_vec();
        grow_old(&mut answer, &entry.times, u32::try_from(age.as_secs()).unwrap_or(u32::MAX));
        Some(Kept { answer, age, left })
    }

    /// Lets go of what may not be kept any longer; whether anything is left.
    pub(crate) fn sweep(&mut self, now: Instant) -> bool {
        self.entries.retain(|_, entry| now.saturating_duration_since(entry.from) < entry.lasts);
        self.bytes = self.entries.iter().map(|(key, entry)| entry.size(key)).sum();
        self.entries.shrink_to(2 * self.entries.len());
        !self.entries.is_empty()
    }

    fn is_full(&self, more: usize) -> bool {
        self.entries.len() >= MAX_ENTRIES || self.bytes + more > MAX_BYTES
    }

    fn forget(&mut self, key: &[u8]) {
        if let Some((key, entry)) = self.entries.remove_entry(key) {
            self.bytes -= entry.size(&key);
        }
    }
}

impl Entry {
    fn size(&self, key: &[u8]) -> usize {
        key.len() + self.answer.len() + 2 * self.times.len() + OVERHEAD
    }
}
