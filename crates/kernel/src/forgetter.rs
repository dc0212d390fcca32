//! Makes the kernel forget the connections of addresses that have lost their owner, in the
//! background: it walks the whole table of connections for each.
//!
//! In: addresses. Out: nothing; who gives an address to somebody else waits until it is done.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::conntrack;
use crate::netlink::Socket;

/// The background thread. Dropped, it does what is left and ends.
pub(crate) struct Forgetter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Those to be done and the one that is being done.
    pending: BTreeSet<IpAddr>,
    stop: bool,
}

impl Forgetter {
    /// Starts the thread, in the namespace of the caller.
    pub(crate) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let socket = Socket::netfilter()?;
        let theirs = Arc::clone(&shared);
        let builder = std::thread::Builder::new().name("forgetter".to_owned());
        let thread = Some(builder.spawn(move || theirs.work(socket))?);
        Ok(Self { shared, thread })
    }

    /// Queues an address.
    pub(crate) fn forget(&self, address: IpAddr) {
        self.shared.lock().pending.insert(address);
        self.shared.changed.notify_all();
    }

    /// Waits until nothing of an address is known any more, if that was asked for.
    pub(crate) fn wait_for(&self, address: IpAddr) {
        drop(self.shared.wait_while(|state| state.pending.contains(&address)));
    }

    /// Waits until all is forgotten.
    pub(crate) fn settle(&self) {
        drop(self.shared.wait_while(|state| !state.pending.is_empty()));
    }
}

impl Drop for Forgetter {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It has panicked only if this crate has a defect that was reported already.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_while(self.lock(), |state| condition(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, mut socket: Socket) {
        while let Some(address) = self.next() {
            // Left to time out: connection tracking must not keep anybody from an address.
            if let Err(error) = conntrack::forget(&mut socket, address) {
                tracing::debug!(%address, %error, cause = %error.cause, "connections are left to time out");
            }
            self.lock().pending.remove(&address);
            self.changed.notify_all();
        }
    }

    /// Waits for an address; none when there is none and the thread shall end.
    fn next(&self) -> Option<IpAddr> {
        let state = self.wait_while(|state| state.pending.is_empty() && !state.stop);
        state.pending.first().copied()
    }
}
