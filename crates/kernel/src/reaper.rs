//! Deletes links in the background: the kernel blocks who deletes one for 18 to 35 ms, and keeps
//! all others who change links waiting for most of it.
//!
//! In: links that are already put out of work and marked with the trash group. Out: nothing; who
//! needs a name again learns who has it. One request deletes all that were marked by then, and it
//! is sent when nothing more has come for a while: requests that follow one another at once, as a
//! script's do, are not held up by the teardown of the first.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hawser_hoststate::{IfName, Link, LinkKind, NamespaceName};

use crate::link;
use crate::netlink::Socket;
use crate::watched::Watched;

/// How long nothing more must have come.
const QUIET: Duration = Duration::from_millis(10);
/// How long the first one waits at most.
const LONGEST: Duration = Duration::from_millis(100);

/// The names that a link takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) near: IfName,
    /// That of the far end, in a namespace that stays.
    pub(crate) far: Option<(NamespaceName, IfName)>,
}

/// A link that is being deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doomed {
    /// Of the near end.
    pub(crate) index: u32,
    /// What it takes until then; none when it was given other names.
    pub(crate) names: Option<Names>,
}

/// The background thread.
pub(crate) struct Reaper {
    state: Arc<Watched<State>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Doomed>,
    dying: Vec<Doomed>,
    /// When the first and the last one of `waiting` came.
    since: Option<(Instant, Instant)>,
    /// There may be links that a predecessor marked.
    sweep: bool,
    /// Somebody waits for the deletion.
    hurry: bool,
    stop: bool,
}

impl Names {
    pub(crate) fn of(link: &Link) -> Self {
        let far = match &link.kind {
            LinkKind::Veth(veth) => Some((veth.peer.ns.clone(), veth.peer.name.clone())),
            LinkKind::Bridge(_) => None,
        };
        Self { near: link.name.clone(), far }
    }

    fn clashes(&self, other: &Self) -> bool {
        self.near == other.near || (self.far.is_some() && self.far == other.far)
    }
}

impl Doomed {
    fn clashes(&self, wanted: &Names) -> bool {
        self.names.as_ref().is_some_and(|names| names.clashes(wanted))
    }
}

impl Reaper {
    /// Starts the thread, in the namespace of the caller, and has it delete what a predecessor
    /// had marked.
    pub(crate) fn start() -> io::Result<Self> {
        let state = Arc::new(Watched::new(State { sweep: true, ..State::default() }));
        let socket = Socket::route()?;
        let theirs = Arc::clone(&state);
        let builder = std::thread::Builder::new().name("reaper".to_owned());
        let thread = Some(builder.spawn(move || work(&theirs, socket))?);
        Ok(Self { state, thread })
    }

    /// Takes over a marked link.
    pub(crate) fn doom(&self, doomed: Doomed) {
        let now = Instant::now();
        self.state.change(|state| {
            state.since = Some((state.since.map_or(now, |(first, _)| first), now));
            state.waiting.push(doomed);
        });
    }

    /// Links that are being deleted and have one of those names.
    pub(crate) fn in_the_way(&self, wanted: &Names) -> Vec<Doomed> {
        let state = self.state.wait_while(|state| state.sweep);
        state.all().filter(|doomed| doomed.clashes(wanted)).cloned().collect()
    }

    /// Notes that a link has given its names away.
    pub(crate) fn nameless(&self, index: u32) {
        let mut state = self.state.lock();
        let State { waiting, dying, .. } = &mut *state;
        let all = waiting.iter_mut().chain(dying);
        all.filter(|doomed| doomed.index == index).for_each(|doomed| doomed.names = None);
    }

    /// Waits until nothing that is being deleted has one of those names.
    pub(crate) fn wait_for_names(&self, wanted: &Names) {
        self.state.change(|state| state.hurry = true);
        drop(self.state.wait_while(|state| state.all().any(|d| d.clashes(wanted))));
    }

    /// Waits until everything is deleted.
    pub(crate) fn settle(&self) {
        self.state.change(|state| state.hurry = true);
        drop(self.state.wait_while(|state| state.sweep || state.all().next().is_some()));
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.state.change(|state| state.stop = true);
        if let Some(thread) = self.thread.take() {
            // It has panicked only if this crate has a defect that was reported already.
            let _ = thread.join();
        }
    }
}

impl State {
    fn all(&self) -> impl Iterator<Item = &Doomed> {
        self.waiting.iter().chain(&self.dying)
    }

    /// How much longer those that wait are left.
    fn rest(&self) -> Option<Duration> {
        let (first, last) = self.since.filter(|_| !(self.sweep || self.hurry || self.stop))?;
        let until = (first + LONGEST).min(last + QUIET);
        Some(until.saturating_duration_since(Instant::now())).filter(|rest| !rest.is_zero())
    }
}

fn work(state: &Watched<State>, mut socket: Socket) {
    while take_work(state) {
        match socket.request(link::delete_trash_group()) {
            Err(cause) if cause.errno() != Some(libc::ENODEV) => {
                tracing::warn!(%cause, "can't delete links of the trash group");
            }
            _ => {}
        }
        state.change(|state| {
            state.dying.clear();
            state.sweep = false;
        });
    }
}

/// Waits for something to delete; false when there is none and the thread shall end.
fn take_work(watched: &Watched<State>) -> bool {
    let mut state =
        watched.wait_while(|state| state.waiting.is_empty() && !state.sweep && !state.stop);
    while let Some(rest) = state.rest() {
        state = watched.wait_for_change(state, rest);
    }
    state.dying = std::mem::take(&mut state.waiting);
    (state.since, state.hurry) = (None, false);
    state.sweep || !state.dying.is_empty()
}
