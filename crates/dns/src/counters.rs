//! What has been asked and answered, in numbers.
//!
//! In: events of the sandboxes, counted without locks. Out: [`Counters`], a snapshot. Numbers never
//! go down: what a sandbox that has gone had counted stays in the total.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// What has been answered since the service began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// All sandboxes together, those that are served no more as well.
    pub total: Tally,
    /// By the sandboxes that are served now.
    pub sandboxes: BTreeMap<String, Tally>,
}

/// What has been answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Questions that came in, over UDP and TCP; each is in one of the six that follow.
    pub queries: u64,
    /// Answered from names here, or with the certainty that there is none (hits).
    pub local: u64,
    /// Sent to upstreams.
    pub forwarded: u64,
    /// Answered from the cache.
    pub cached: u64,
    /// Answered with the answer to the same question, which was under way already.
    pub coalesced: u64,
    /// Refused because too many waited already.
    pub limited: u64,
    /// Malformed, or of a kind that is not answered.
    pub malformed: u64,
    /// Of those forwarded or coalesced: no upstream gave a good answer.
    pub failed: u64,
    /// By whom was asked.
    pub upstreams: BTreeMap<SocketAddr, UpstreamTally>,
}

/// What an upstream was asked, and how it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamTally {
    /// Questions sent to it, those sent again as well.
    pub asked: u64,
    /// Good answers; that a name does not exist is one.
    pub answered: u64,
    /// No answer in time.
    pub timeouts: u64,
    /// It said SERVFAIL.
    pub servfail: u64,
    /// It said REFUSED.
    pub refused: u64,
    /// It could not be reached, or sent what is no answer.
    pub errors: u64,
    /// How long it takes to answer; none yet if it has not. In a total: in the sandbox that asked
    /// it most.
    pub latency: Option<Duration>,
    /// Whether it is asked in its turn; after several silences it is asked last for a while. In a
    /// total: whether that is so in any sandbox.
    pub healthy: bool,
}

impl Tally {
    /// Adds what another sandbox has counted.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.queries += other.queries;
        self.local += other.local;
        self.forwarded += other.forwarded;
        self.cached += other.cached;
        self.coalesced += other.coalesced;
        self.limited += other.limited;
        self.malformed += other.malformed;
        self.failed += other.failed;
        for (address, theirs) in &other.upstreams {
            match self.upstreams.get_mut(address) {
                Some(ours) => ours.absorb(theirs),
                None => drop(self.upstreams.insert(*address, theirs.clone())),
            }
        }
    }
}

impl UpstreamTally {
    /// Numbers and latency; who is healthy is another question where not all have the upstream now.
    fn absorb(&mut self, other: &Self) {
        if other.latency.is_some() && (self.latency.is_none() || other.asked > self.asked) {
            self.latency = other.latency;
        }
        self.asked += other.asked;
        self.answered += other.answered;
        self.timeouts += other.timeouts;
        self.servfail += other.servfail;
        self.refused += other.refused;
        self.errors += other.errors;
    }
}
