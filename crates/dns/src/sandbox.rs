//! One sandbox: what it sees, whom it asks, and what is done with a packet of it.
//!
//! In: packets. Out: replies, at once or once upstreams have answered. Everything a sandbox can make
//! us hold is bounded, for each sandbox by itself. A packet that is malformed costs its parsing.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::answer::{Decision, Sight, decide};
use crate::counters::Tally;
use crate::counts::Counts;
use crate::explanation::{Candidate, Forwarding, Reason};
use crate::forward::{Transport, Upstreams};
use crate::message::{self, Code, Query, Unusable};
use crate::turns::Turns;
use crate::{Upstream, View, Zone};

/// Queries that wait for upstreams. One more is refused: the client knows at once, and those that
/// wait are not made to wait in vain.
pub(crate) const MAX_WAITING: usize = 1024;

/// Longest query over UDP that is taken: it is what we announce. Over TCP it is the frame's.
const MAX_DATAGRAM: usize = 1232;

/// All zones by key.
pub(crate) type Zones = RwLock<HashMap<String, Zone>>;

/// What answers one sandbox.
pub(crate) struct Sandbox {
    view: RwLock<Arc<View>>,
    zones: Arc<Zones>,
    upstreams: RwLock<Arc<Upstreams>>,
    caches: bool,
    /// Names with several addresses are answered in turn.
    turns: Turns,
    waiting: Arc<Semaphore>,
    counts: Counts,
    /// Told when there may be something to let go of later.
    sweeper: Arc<Notify>,
}

/// What is done with a packet.
pub(crate) enum Outcome {
    Silence,
    Reply(Vec<u8>),
    Forward(Box<Pending>),
}

/// A query that upstreams are to be asked.
pub(crate) struct Pending {
    query: Query,
    packet: Vec<u8>,
    transport: Transport,
    upstreams: Arc<Upstreams>,
    _permit: OwnedSemaphorePermit,
}

/// Where the reason of a reply is noted, if anybody wants to know.
pub(crate) type Note<'a> = Option<&'a mut Option<Reason>>;

impl Sandbox {
    pub(crate) fn new(
        view: View,
        zones: Arc<Zones>,
        upstreams: Vec<Upstream>,
        caches: bool,
        sweeper: Arc<Notify>,
    ) -> Self {
        let counts = Counts::default();
        let upstreams = Upstreams::new(upstreams, caches, &counts);
        Self {
            view: RwLock::new(Arc::new(view)),
            zones,
            upstreams: RwLock::new(Arc::new(upstreams)),
            caches,
            turns: Turns::default(),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            counts,
            sweeper,
        }
    }

    pub(crate) fn set_view(&self, view: View) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }

    /// What was known of others goes with them; who stays the same, stays known.
    pub(crate) fn set_upstreams(&self, list: Vec<Upstream>) {
        if !self.upstreams().are(&list) {
            let upstreams = Arc::new(Upstreams::new(list, self.caches, &self.counts));
            *self.upstreams.write().unwrap_or_else(PoisonError::into_inner) = upstreams;
        }
    }

    /// The numbers, with what is known of the upstreams that it has now.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = self.counts.tally();
        for candidate in self.candidates() {
            if let Some(upstream) = tally.upstreams.get_mut(&candidate.address) {
                (upstream.latency, upstream.healthy) = (candidate.latency, candidate.healthy);
            }
        }
        tally
    }

    /// The upstreams that it has now, as they are known.
    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        self.upstreams().candidates()
    }

    /// Lets go of what is not needed any longer; whether there may be more later.
    pub(crate) fn sweep(&self) -> bool {
        self.upstreams().sweep()
    }

    /// What is to be done with a packet.
    pub(crate) fn look_up(&self, packet: &[u8], transport: Transport, note: Note<'_>) -> Outcome {
        let parsed = match transport {
            Transport::Udp if packet.len() > MAX_DATAGRAM => Query::too_long(packet),
            _ => Query::parse(packet),
        };
        let query = match parsed {
            Ok(query) => query,
            Err(Unusable::Silent) => return Outcome::Silence,
            Err(Unusable::Refuse(reply)) => {
                self.counts.queries.add();
                self.counts.malformed.add();
                return Outcome::Reply(reply);
            }
        };
        self.counts.queries.add();
        let limit = match transport {
            Transport::Udp => query.udp_limit(),
            Transport::Tcp => usize::from(u16::MAX),
        };
        let (reply, reason) = match self.decide(&query, limit, note.is_some()) {
            Some(decided) => decided,
            None => match self.forward(query, packet, transport) {
                Ok(pending) => return Outcome::Forward(Box::new(pending)),
                Err((reply, reason)) => (reply, Some(reason)),
            },
        };
        if let Some(note) = note {
            *note = reason;
        }
        Outcome::Reply(reply)
    }

    /// A reply of our own, and if it is wanted the reason; `None` if upstreams are to be asked.
    fn decide(
        &self,
        query: &Query,
        limit: usize,
        wanted: bool,
    ) -> Option<(Vec<u8>, Option<Reason>)> {
        let view = Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner));
        let zones = self.zones.read().unwrap_or_else(PoisonError::into_inner);
        match decide(query, Sight { view: &view, zones: &zones }, &self.turns, limit) {
            Decision::Reply(reply, why) => {
                self.counts.local.add();
                Some((reply, wanted.then(|| why.into())))
            }
            Decision::Forward => None,
        }
    }

    /// What upstreams are to be asked; or the reply, if they need or can not.
    fn forward(
        &self,
        query: Query,
        packet: &[u8],
        transport: Transport,
    ) -> Result<Pending, (Vec<u8>, Reason)> {
        let upstreams = self.upstreams();
        if let Some(kept) = upstreams.remembered(&query, packet, transport) {
            self.counts.cached.add();
            let reason = Reason::Cached { age: kept.age, left: kept.left };
            return Err((pass_on(kept.answer, &query, transport), reason));
        }
        if upstreams.is_empty() {
            self.counts.local.add();
            return Err((query.reply(Code::ServFail), Reason::NoUpstreams));
        }
        match Arc::clone(&self.waiting).try_acquire_owned() {
            Ok(permit) => {
                let packet = packet.to_vec();
                Ok(Pending { query, packet, transport, upstreams, _permit: permit })
            }
            Err(_) => {
                self.counts.limited.add();
                Err((query.reply(Code::Refused), Reason::Limited))
            }
        }
    }

    /// The reply to a query, once upstreams have been asked.
    pub(crate) async fn ask(&self, pending: Pending, note: Option<&mut Forwarding>) -> Vec<u8> {
        let Pending { query, packet, transport, upstreams, _permit } = pending;
        let landed = upstreams.ask(&query, &packet, transport).await;
        self.sweeper.notify_one();
        let outcome = &landed.outcome.outcome;
        match landed.joined {
            true => self.counts.coalesced.add(),
            false => self.counts.forwarded.add(),
        }
        if !outcome.good {
            self.counts.failed.add();
        }
        if let Some(note) = note {
            *note = landed.outcome.explain(landed.joined);
        }
        match &outcome.answer {
            None => query.reply(Code::ServFail),
            Some(answer) => pass_on(answer.clone(), &query, transport),
        }
    }

    fn upstreams(&self) -> Arc<Upstreams> {
        Arc::clone(&self.upstreams.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An upstream's answer as the reply to this query, or the word that it does not fit.
fn pass_on(mut answer: Vec<u8>, query: &Query, transport: Transport) -> Vec<u8> {
    if transport == Transport::Udp && answer.len() > query.client_limit() {
        return query.truncated();
    }
    message::readdress(&mut answer, query);
    answer
}
