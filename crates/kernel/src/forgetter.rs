//! Makes the kernel forget connections in the background: it walks the whole table of connections
//! for each address that has lost its owner, and for ports that lead elsewhere from now on.
//!
//! In: addresses, ports. Out: nothing; who gives an address to somebody else waits until it is done.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::diverted::Diverted;
use crate::netlink::Socket;
use crate::{conntrack, diverted};

/// How long a packet is on its way through the kernel, at the very most.
const ON_THE_WAY: Duration = Duration::from_millis(5);

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
    addresses: BTreeSet<IpAddr>,
    /// To be done, all at once.
    ports: BTreeSet<Diverted>,
    /// Whether ports are being done.
    at_ports: bool,
    stop: bool,
}

/// What the thread does at a time.
enum Job {
    Address(IpAddr),
    Ports(BTreeSet<Diverted>),
}

impl Forgetter {
    /// Starts the thread, in the namespace of the caller.
    pub(crate) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let sockets = (Socket::netfilter()?, Socket::route()?);
        let theirs = Arc::clone(&shared);
        let builder = std::thread::Builder::new().name("forgetter".to_owned());
        let thread = Some(builder.spawn(move || theirs.work(sockets))?);
        Ok(Self { shared, thread })
    }

    /// Queues an address.
    pub(crate) fn forget(&self, address: IpAddr) {
        self.shared.lock().addresses.insert(address);
        self.shared.changed.notify_all();
    }

    /// Queues ports that have just been published.
    pub(crate) fn divert(&self, ports: Vec<Diverted>) {
        if !ports.is_empty() {
            self.shared.lock().ports.extend(ports);
            self.shared.changed.notify_all();
        }
    }

    /// Waits until nothing of an address is known any more, if that was asked for.
    pub(crate) fn wait_for(&self, address: IpAddr) {
        drop(self.shared.wait_while(|state| state.addresses.contains(&address)));
    }

    /// Waits until all is forgotten.
    pub(crate) fn settle(&self) {
        drop(self.shared.wait_while(|state| !state.is_done()));
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

impl State {
    fn is_done(&self) -> bool {
        self.addresses.is_empty() && self.ports.is_empty() && !self.at_ports
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

    fn work(&self, (mut netfilter, mut route): (Socket, Socket)) {
        while let Some(job) = self.next() {
            let done = match &job {
                Job::Address(address) => conntrack::forget(&mut netfilter, *address),
                Job::Ports(ports) => {
                    // A datagram that met the old elements may be tracked only after the first look.
                    diverted::forget(&mut netfilter, &mut route, ports).and_then(|()| {
                        std::thread::sleep(ON_THE_WAY);
                        diverted::forget(&mut netfilter, &mut route, ports)
                    })
                }
            };
            // Left to time out: connection tracking must not keep anybody from an address.
            if let Err(error) = done {
                tracing::debug!(%error, cause = %error.cause, "connections are left to time out");
            }
            let mut state = self.lock();
            match job {
                Job::Address(address) => _ = state.addresses.remove(&address),
                Job::Ports(_) => state.at_ports = false,
            }
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Waits for something to do, ports first: somebody starts who has them. None when there is
    /// nothing and the thread shall end.
    fn next(&self) -> Option<Job> {
        let mut state = self.wait_while(|state| state.is_done() && !state.stop);
        if !state.ports.is_empty() {
            state.at_ports = true;
            return Some(Job::Ports(std::mem::take(&mut state.ports)));
        }
        state.addresses.first().copied().map(Job::Address)
    }
}
