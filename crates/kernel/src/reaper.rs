//! Deletes links in the background: the kernel blocks who deletes one for 18 to 35 ms.
//!
//! In: links that are already put out of work and marked with the trash group. Out: nothing; those
//! who need the name again wait. One request deletes all that were marked by then.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use hawser_hoststate::{IfName, LinkKind, NamespaceName};

use crate::link;
use crate::netlink::Socket;

/// A link that is being deleted: the names that are taken until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doomed {
    name: IfName,
    far_end: Option<(NamespaceName, IfName)>,
}

/// The background thread.
pub(crate) struct Reaper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<Doomed>,
    dying: Vec<Doomed>,
    /// There may be links that a predecessor marked.
    sweep: bool,
    stop: bool,
}

impl From<&hawser_hoststate::Link> for Doomed {
    fn from(link: &hawser_hoststate::Link) -> Self {
        let far_end = match &link.kind {
            LinkKind::Veth(veth) => Some((veth.peer.ns.clone(), veth.peer.name.clone())),
            LinkKind::Bridge(_) => None,
        };
        Self { name: link.name.clone(), far_end }
    }
}

impl Doomed {
    fn clashes(&self, other: &Self) -> bool {
        self.name == other.name || (self.far_end.is_some() && self.far_end == other.far_end)
    }
}

impl Reaper {
    /// Starts the thread, in the namespace of the caller, and has it delete what a predecessor
    /// had marked.
    pub(crate) fn start() -> io::Result<Self> {
        let state = Mutex::new(State { sweep: true, ..State::default() });
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let socket = Socket::route()?;
        let theirs = Arc::clone(&shared);
        let builder = std::thread::Builder::new().name("reaper".to_owned());
        let thread = Some(builder.spawn(move || theirs.work(socket))?);
        Ok(Self { shared, thread })
    }

    /// Takes over a marked link.
    pub(crate) fn doom(&self, doomed: Doomed) {
        self.shared.lock().waiting.push(doomed);
        self.shared.changed.notify_all();
    }

    /// Waits until nothing that is being deleted has one of those names.
    pub(crate) fn wait_for_names(&self, wanted: &Doomed) {
        self.shared.wait_while(|state| state.sweep || state.all().any(|d| d.clashes(wanted)));
    }

    /// Waits until everything is deleted.
    pub(crate) fn settle(&self) {
        self.shared.wait_while(|state| state.sweep || state.all().next().is_some());
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
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
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) {
        let mut state = self.lock();
        while condition(&state) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self, mut socket: Socket) {
        while self.take_work() {
            match socket.request(link::delete_trash_group()) {
                Err(cause) if cause.errno() != Some(libc::ENODEV) => {
                    tracing::warn!(%cause, "can't delete links of the trash group");
                }
                _ => {}
            }
            let mut state = self.lock();
            state.dying.clear();
            state.sweep = false;
            self.changed.notify_all();
        }
    }

    /// Waits for something to delete; false when there is none and the thread shall end.
    fn take_work(&self) -> bool {
        self.wait_while(|state| state.waiting.is_empty() && !state.sweep && !state.stop);
        let mut state = self.lock();
        state.dying = std::mem::take(&mut state.waiting);
        state.sweep || !state.dying.is_empty()
    }
}
