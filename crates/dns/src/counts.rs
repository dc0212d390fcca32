//! The numbers of one sandbox, as they are counted.
//!
//! In: events, from any thread, without a lock. Out: a [`Tally`] when somebody wants to see it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::counters::{Tally, UpstreamTally};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// See [`Tally`].
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub queries: Count,
    pub local: Count,
    pub forwarded: Count,
    pub cached: Count,
    pub coalesced: Count,
    pub limited: Count,
    pub malformed: Count,
    pub failed: Count,
    /// Of all upstreams that the sandbox has ever had: they come and go, numbers don't.
    upstreams: Mutex<BTreeMap<SocketAddr, Arc<UpstreamCounts>>>,
}

/// See [`UpstreamTally`].
#[derive(Debug, Default)]
pub(crate) struct UpstreamCounts {
    pub asked: Count,
    pub answered: Count,
    pub timeouts: Count,
    pub servfail: Count,
    pub refused: Count,
    pub errors: Count,
}

impl Counts {
    /// The numbers of an upstream, those from before as well.
    pub(crate) fn upstream(&self, address: SocketAddr) -> Arc<UpstreamCounts> {
        let mut all = self.upstreams.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(address).or_default())
    }

    /// What they are now. Of upstreams nothing but numbers is known here.
    pub(crate) fn tally(&self) -> Tally {
        let upstreams = self.upstreams.lock().unwrap_or_else(PoisonError::into_inner);
        Tally {
            queries: self.queries.get(),
            local: self.local.get(),
            forwarded: self.forwarded.get(),
            cached: self.cached.get(),
            coalesced: self.coalesced.get(),
            limited: self.limited.get(),
            malformed: self.malformed.get(),
            failed: self.failed.get(),
            upstreams: upstreams.iter().map(|(address, c)| (*address, c.tally())).collect(),
        }
    }
}

impl UpstreamCounts {
    fn tally(&self) -> UpstreamTally {
        UpstreamTally {
            asked: self.asked.get(),
            answered: self.answered.get(),
            timeouts: self.timeouts.get(),
            servfail: self.servfail.get(),
            refused: self.refused.get(),
            errors: self.errors.get(),
            latency: None,
            healthy: true,
        }
    }
}
