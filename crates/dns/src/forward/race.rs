//! Who is asked when, and whose answer is taken.
//!
//! In: upstreams in the order in which they are to be asked. Out: an answer, and what became of
//! each attempt. A second one is asked when the first fails or takes longer than it usually does;
//! who stays silent is asked again. Nothing is sent here.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use crate::explanation::{Attempt, End};
use crate::message::{code, is_negative, is_truncated};

/// How long a question may take in all. Clients give up after 5 s.
pub(crate) const BUDGET: Duration = Duration::from_millis(4500);
/// How long to wait at least before the same upstream is asked again: the packet may be lost.
const AGAIN: Duration = Duration::from_secs(1);
/// How often each is asked at most.
const ROUNDS: usize = 3;
/// How often all are asked at most.
const MAX_ATTEMPTS: usize = 8;
/// How many attempts are under way at most: each has a socket.
const AT_ONCE: usize = 4;
/// How long the word of a later upstream that there is no such thing waits for one that comes
/// before it: that one may know names which the others don't (of a VPN, of an office).
const HELD: Duration = Duration::from_millis(500);

/// An upstream as far as it matters here.
pub(crate) trait Runner {
    fn address(&self) -> SocketAddr;
    /// How long to wait for it before the next is asked as well.
    fn delay(&self) -> Duration;
    /// Asks it; ends by itself.
    fn ask(&self) -> BoxFuture<'static, Came>;
}

/// What came of asking an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Good(Vec<u8>),
    Failure(Vec<u8>),
    Silence,
    Error(String),
}

/// What became of a question.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The answer that was taken; a failure in an upstream's words if there is no better one.
    pub answer: Option<Vec<u8>>,
    /// Whether that is a good one.
    pub good: bool,
    pub attempts: Vec<Attempt>,
}

/// Attempts that are under way, by number.
pub(crate) type Running = FuturesUnordered<BoxFuture<'static, (usize, Came)>>;

/// Asks until there is an answer, all have failed, or time is up. What is still under way then is
/// handed out: how an upstream does is worth knowing even if it is too late.
pub(crate) async fn race<R: Runner>(order: &[R], deadline: Instant) -> (Outcome, Running) {
    let mut race = Race::new(order);
    let taken = loop {
        let held = race.held.as_ref().map(|held| held.until);
        if race.running.is_empty() && race.next_at.is_none() {
            break race.best();
        }
        tokio::select! {
            biased;
            Some((attempt, came)) = race.running.next(), if !race.running.is_empty() => {
                if let Some(taken) = race.ended(attempt, came) {
                    break Some(taken);
                }
            }
            () = until(race.next_at), if race.running.len() < AT_ONCE => race.begin(),
            () = until(held) => break race.best(),
            () = sleep_until(deadline) => break race.best(),
        }
    };
    race.finish(taken)
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// An answer, and from which attempt it is.
type Taken = (usize, Vec<u8>);

struct Held {
    taken: Taken,
    until: Instant,
}

struct Race<'a, R> {
    order: &'a [R],
    started: Instant,
    running: Running,
    attempts: Vec<Attempt>,
    /// Of each attempt, which of the order was asked.
    asked: Vec<usize>,
    /// Who need not be asked again.
    closed: Vec<bool>,
    /// Places in the order that have been passed, round after round.
    passed: usize,
    next_at: Option<Instant>,
    held: Option<Held>,
    failure: Option<Taken>,
}

impl<'a, R: Runner> Race<'a, R> {
    fn new(order: &'a [R]) -> Self {
        let started = Instant::now();
        Self {
            order,
            started,
            running: Running::new(),
            attempts: Vec::new(),
            asked: Vec::new(),
            closed: vec![false; order.len()],
            passed: 0,
            next_at: (!order.is_empty()).then_some(started),
            held: None,
            failure: None,
        }
    }

    /// Asks the next one, if there is one.
    fn begin(&mut self) {
        self.next_at = None;
        let Some(place) = self.next_place() else { return };
        self.passed = place + 1;
        let server = place % self.order.len();
        let Some(runner) = self.order.get(server) else { return };
        let (attempt, now) = (self.attempts.len(), Instant::now());
        let asked = runner.ask();
        self.running.push(Box::pin(async move { (attempt, asked.await) }));
        self.asked.push(server);
        self.attempts.push(Attempt {
            upstream: runner.address(),
            after: now - self.started,
            took: Duration::ZERO,
            end: End::Overtaken,
            taken: false,
        });
        if self.next_place().is_some() {
            let last = server + 1 == self.order.len();
            let delay = if last { runner.delay().max(AGAIN) } else { runner.delay() };
            self.next_at = Some(now + delay);
        }
    }

    fn next_place(&self) -> Option<usize> {
        let count = self.order.len();
        let open = |place: &usize| self.closed.get(place % count) == Some(&false);
        let places = self.passed..ROUNDS * count;
        if self.attempts.len() < MAX_ATTEMPTS { places.into_iter().find(open) } else { None }
    }

    /// Notes what came of an attempt; the answer, if it is to be taken now.
    fn ended(&mut self, attempt: usize, came: Came) -> Option<Taken> {
        let server = *self.asked.get(attempt)?;
        let end = match &came {
            Came::Good(answer) | Came::Failure(answer) => End::Said(code(answer)),
            Came::Silence => End::Silence,
            Came::Error(error) => End::Error(error.clone()),
        };
        let now = Instant::now();
        if let Some(noted) = self.attempts.get_mut(attempt) {
            noted.took = now - self.started - noted.after;
            noted.end = end;
        }
        if let Some(closed) = self.closed.get_mut(server) {
            *closed |= came != Came::Silence;
        }
        match came {
            Came::Good(answer) if is_negative(&answer) && !is_truncated(&answer) => {
                self.hold(attempt, answer, now);
            }
            Came::Good(answer) => return Some((attempt, answer)),
            Came::Failure(answer) => {
                let before = self.failure.as_ref().and_then(|(other, _)| self.asked.get(*other));
                if before.is_none_or(|before| *before > server) {
                    self.failure = Some((attempt, answer));
                }
                self.hurry(now);
            }
            Came::Error(_) => self.hurry(now),
            Came::Silence => {}
        }
        let held = self.held.as_ref()?;
        if self.waits_before(held.taken.0) { None } else { self.best() }
    }

    fn hold(&mut self, attempt: usize, answer: Vec<u8>, now: Instant) {
        let place = |attempt: usize| self.asked.get(attempt);
        let until = self.held.as_ref().map_or(now + HELD, |held| held.until);
        if self.held.as_ref().is_none_or(|held| place(held.taken.0) > place(attempt)) {
            self.held = Some(Held { taken: (attempt, answer), until });
        }
    }

    /// Whether somebody who comes before this attempt's upstream may still say something.
    fn waits_before(&self, attempt: usize) -> bool {
        let Some(server) = self.asked.get(attempt) else { return false };
        let pending = |(index, noted): (usize, &Attempt)| {
            noted.end == End::Overtaken && self.asked.get(index) < Some(server)
        };
        self.attempts.iter().enumerate().any(pending)
    }

    /// The next one's turn comes at once.
    fn hurry(&mut self, now: Instant) {
        let last = self.passed.is_multiple_of(self.order.len());
        // Round again only those are asked who are silent: not before it is time.
        if !last || self.running.is_empty() {
            self.next_at = self.next_place().map(|_| now);
        }
    }

    fn best(&mut self) -> Option<Taken> {
        self.held.take().map(|held| held.taken)
    }

    fn finish(mut self, taken: Option<Taken>) -> (Outcome, Running) {
        let now = Instant::now();
        for noted in self.attempts.iter_mut().filter(|noted| noted.end == End::Overtaken) {
            noted.took = now - self.started - noted.after;
        }
        let good = taken.is_some();
        let taken = taken.or_else(|| self.failure.take());
        if let Some(noted) = taken.as_ref().and_then(|(at, _)| self.attempts.get_mut(*at)) {
            noted.taken = true;
        }
        let answer = taken.map(|(_, answer)| answer);
        (Outcome { answer, good, attempts: self.attempts }, self.running)
    }
}

#[cfg(test)]
mod tests;
