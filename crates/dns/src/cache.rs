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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::question;

    /// A question, and the answer to it with one address that may be kept for so many seconds.
    fn answered(name: &str, ttl: u32) -> (Query, Vec<u8>, Box<[u8]>) {
        let asked = question(1, name, 1).unwrap();
        let query = Query::parse(&asked).unwrap();
        let mut answer = asked.clone();
        (answer[2], answer[7]) = (0x80, 1);
        answer.extend([0xc0, 12, 0, 1, 0, 1]);
        answer.extend(ttl.to_be_bytes());
        answer.extend([0, 4, 192, 0, 2, 1]);
        let key = query.key(&asked, false);
        (query, answer, key)
    }

    fn ttl_of(answer: &[u8]) -> u32 {
        u32::from_be_bytes(*answer[answer.len() - 10..].first_chunk().unwrap())
    }

    #[test]
    fn an_answer_grows_old_and_goes() {
        let (query, answer, key) = answered("a.example", 60);
        let (mut cache, now) = (Cache::default(), Instant::now());
        assert_eq!(cache.find(&key, now), None);
        cache.keep(key.clone(), &query, &answer, now);
        let after = |millis| cache.find(&key, now + Duration::from_millis(millis));
        assert_eq!(ttl_of(&after(0).unwrap().answer), 60);
        let kept = after(25_500).unwrap();
        assert_eq!(ttl_of(&kept.answer), 35);
        assert_eq!((kept.age.as_millis(), kept.left.as_millis()), (25_500, 34_500));
        assert_eq!(ttl_of(&after(59_999).unwrap().answer), 1);
        assert_eq!(after(60_000), None);
        assert!(!cache.sweep(now + Duration::from_secs(60)));
        assert_eq!((cache.bytes, cache.entries.len()), (0, 0));
    }

    #[test]
    fn nothing_is_kept_for_longer_than_ten_minutes_or_for_no_time() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        let (query, answer, key) = answered("a.example", 86_400);
        cache.keep(key.clone(), &query, &answer, now);
        let kept = cache.find(&key, now + Duration::from_secs(599)).unwrap();
        assert_eq!(ttl_of(&kept.answer), 86_400 - 599, "the time is the upstream's");
        assert_eq!(cache.find(&key, now + Duration::from_secs(600)), None);
        for ttl in [0, 1 << 31, u32::MAX] {
            let (query, answer, key) = answered("b.example", ttl);
            cache.keep(key.clone(), &query, &answer, now);
            assert_eq!(cache.find(&key, now), None, "{ttl}");
        }
    }

    #[test]
    fn it_is_bounded() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        for n in 0..2 * MAX_ENTRIES {
            let (query, answer, key) = answered(&format!("{n}.example"), 60);
            cache.keep(key.clone(), &query, &answer, now);
            assert!(cache.find(&key, now).is_some(), "the newest is there");
            assert!(cache.entries.len() <= MAX_ENTRIES && cache.bytes <= MAX_BYTES);
        }
        assert_eq!(cache.entries.len(), MAX_ENTRIES);
        let (query, mut answer, key) = answered("long.example", 60);
        answer[7] = 250;
        let record = answer[answer.len() - 16..].to_vec();
        (1..250).for_each(|_| answer.extend(&record));
        for n in 0..100u8 {
            let mut key = key.clone();
            key[0] = n;
            cache.keep(key, &query, &answer, now);
            assert!(cache.bytes <= MAX_BYTES);
        }
        let size = |cache: &Cache| cache.entries.iter().map(|(key, e)| e.size(key)).sum::<usize>();
        assert_eq!(cache.bytes, size(&cache));
        // What has gone by itself makes room first.
        let (query, answer, key) = answered("last.example", 60);
        cache.keep(key, &query, &answer, now + Duration::from_secs(60));
        assert_eq!((cache.entries.len(), cache.bytes), (1, size(&cache)));
    }
}
