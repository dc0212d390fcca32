//! Asking upstreams what is not ours.
//!
//! In: a query, as it came. Out: an upstream's answer, untouched but for its id; from memory if it
//! may be, and the same for all who ask the same at that time. What is known of upstreams, the
//! memory and the sockets are one sandbox's, and go when it gets other upstreams.

mod exchange;
mod flight;
mod health;
mod pool;
mod race;
mod server;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use crate::Upstream;
use crate::cache::{Cache, Kept};
use crate::counts::Counts;
use crate::explanation::{Candidate, Forwarding};
use crate::message::Query;
use flight::Flights;
use race::{BUDGET, Outcome, race};
use server::{Question, Server};

/// Questions of one sandbox that are with upstreams at a time; others wait for their turn.
const MAX_FLIGHTS: usize = 128;
/// Questions that are answered, but with upstreams that are still listened to. With more of them,
/// what those do is known well enough.
const MAX_STRAYS: usize = 64;

/// How the client asked, so that the answer fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// Whom a sandbox asks, and what it knows from them.
pub(crate) struct Upstreams {
    servers: Vec<Arc<Server>>,
    cache: Option<Mutex<Cache>>,
    flights: Flights,
    slots: Semaphore,
    /// Attempts that came too late for an answer, but tell how an upstream does.
    strays: Mutex<JoinSet<()>>,
}

/// What became of a question, and whether it was under way already.
pub(crate) struct Landed {
    pub outcome: Arc<Flown>,
    pub joined: bool,
}

/// What became of a question, and who could be asked.
#[derive(Debug, Default)]
pub(crate) struct Flown {
    pub outcome: Outcome,
    order: Vec<Candidate>,
}

impl Upstreams {
    pub(crate) fn new(list: Vec<Upstream>, cache: bool, counts: &Counts) -> Self {
        let server = |upstream: Upstream| {
            let counts = counts.upstream(upstream.address);
            Arc::new(Server::new(upstream, counts))
        };
        Self {
            servers: list.into_iter().map(server).collect(),
            cache: cache.then(Mutex::default),
            flights: Flights::default(),
            slots: Semaphore::new(MAX_FLIGHTS),
            strays: Mutex::default(),
        }
    }

    /// Whether these are the ones that it has. The sockets of a sandbox are always opened in it.
    pub(crate) fn are(&self, list: &[Upstream]) -> bool {
        let same = |(server, upstream): (&Arc<Server>, &Upstream)| {
            let own = &server.upstream;
            own.address == upstream.address && own.from.is_some() == upstream.from.is_some()
        };
        self.servers.len() == list.len() && self.servers.iter().zip(list).all(same)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// Those that have been asked or not, as they are known now.
    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        self.servers.iter().map(|server| server.candidate(Instant::now())).collect()
    }

    /// The answer from memory.
    pub(crate) fn remembered(
        &self,
        query: &Query,
        packet: &[u8],
        transport: Transport,
    ) -> Option<Kept> {
        let cache = self.cache.as_ref().filter(|_| query.plain)?;
        let key = query.key(packet, transport == Transport::Tcp);
        lock(cache).find(&key, Instant::now())
    }

    /// Asks, or waits for the answer to the same question.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        query: &Query,
        packet: &[u8],
        transport: Transport,
    ) -> Landed {
        let key = query.key(packet, transport == Transport::Tcp);
        let (flight, joined) = self.flights.join(&key, || {
            let question = Question { query: query.clone(), packet: packet.to_vec(), transport };
            Arc::clone(self).fly(key.clone(), question)
        });
        Landed { outcome: flight.await, joined }
    }

    async fn fly(self: Arc<Self>, key: Box<[u8]>, question: Question) -> Arc<Flown> {
        let deadline = tokio::time::Instant::now() + BUDGET;
        let Ok(Ok(_slot)) = timeout_at(deadline, self.slots.acquire()).await else {
            self.flights.land(&key);
            return Arc::default();
        };
        let question = Arc::new(question);
        let (order, candidates) = self.order();
        let runners: Vec<_> =
            order.into_iter().map(|server| server.with(Arc::clone(&question))).collect();
        let (outcome, running) = race(&runners, deadline).await;
        if !running.is_empty() {
            let mut strays = lock(&self.strays);
            while strays.try_join_next().is_some() {}
            if strays.len() >= MAX_STRAYS {
                strays.abort_all();
            }
            strays.spawn(futures_util::StreamExt::for_each(running, |_| async {}));
        }
        // Who asks from now on finds it in memory, or asks anew.
        if let (Some(cache), Some(answer), true) = (&self.cache, &outcome.answer, outcome.good)
            && question.query.plain
        {
            lock(cache).keep(key.clone(), &question.query, answer, Instant::now());
        }
        self.flights.land(&key);
        Arc::new(Flown { outcome, order: candidates })
    }

    /// In the order given, but those last that have been silent.
    fn order(&self) -> (Vec<Arc<Server>>, Vec<Candidate>) {
        let now = Instant::now();
        let all = self.servers.iter().map(|server| (Arc::clone(server), server.candidate(now)));
        let (well, ill): (Vec<_>, Vec<_>) = all.partition(|(_, candidate)| candidate.healthy);
        well.into_iter().chain(ill).unzip()
    }

    /// Lets go of what is not needed any longer; whether there may be more later.
    pub(crate) fn sweep(&self) -> bool {
        while lock(&self.strays).try_join_next().is_some() {}
        let lines = self.servers.iter().filter(|server| server.pool.sweep()).count();
        let kept = self.cache.as_ref().is_some_and(|cache| lock(cache).sweep(Instant::now()));
        kept || lines > 0
    }
}

impl Flown {
    /// For people.
    pub(crate) fn explain(&self, joined: bool) -> Forwarding {
        let (order, attempts) = (self.order.clone(), self.outcome.attempts.clone());
        Forwarding { order, attempts, joined }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept is whole between any two steps.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
