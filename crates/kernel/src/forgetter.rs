//! Makes the kernel forget connections in the background: it walks the whole table of connections
//! for each address that has lost its owner, and for ports that lead elsewhere from now on.
//!
//! In: addresses and ports, once the firewall no longer says what it said of them. Out: nothing; who
//! gives an address to somebody else waits until it is done.
//!
//! A packet that met the old elements may be on its way still, and is tracked by them when it has
//! arrived. So the kernel is first asked to let all finish that have begun.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::thread::{MembarrierCommand, membarrier};

use crate::diverted::Diverted;
use crate::error::Error;
use crate::netlink::Socket;
use crate::watched::Watched;
use crate::{conntrack, diverted};

/// How long a packet is on its way through the kernel, at the very most: for kernels that can't be
/// asked.
const ON_THE_WAY: Duration = Duration::from_millis(20);

/// The background thread. Dropped, it does what is left and ends.
pub(crate) struct Forgetter {
    state: Arc<Watched<State>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    waiting: Work,
    /// What the thread is at.
    doing: Work,
    stop: bool,
}

/// What is to be forgotten.
#[derive(Clone, Default)]
struct Work {
    addresses: BTreeSet<IpAddr>,
    ports: BTreeSet<Diverted>,
}

impl Work {
    fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.ports.is_empty()
    }

    /// Ports first: somebody starts who has them.
    fn forget(&self, (netfilter, route): &mut (Socket, Socket)) -> Result<(), Error> {
        let ports = match self.ports.is_empty() {
            true => Ok(()),
            false => diverted::forget(netfilter, route, &self.ports),
        };
        let addresses = self.addresses.iter();
        let addresses = addresses.map(|address| conntrack::forget(netfilter, *address));
        // One that fails is no reason to leave out the others.
        addresses.fold(ports, Result::and)
    }
}

impl Forgetter {
    /// Starts the thread, in the namespace of the caller.
    pub(crate) fn start() -> io::Result<Self> {
        let state = Arc::new(Watched::<State>::default());
        let mut sockets = (Socket::netfilter()?, Socket::route()?);
        let theirs = Arc::clone(&state);
        let builder = std::thread::Builder::new().name("forgetter".to_owned());
        let thread = Some(builder.spawn(move || work(&theirs, &mut sockets))?);
        Ok(Self { state, thread })
    }

    /// Queues addresses that nothing of the firewall leads to any more.
    pub(crate) fn forget(&self, addresses: Vec<IpAddr>) {
        if !addresses.is_empty() {
            self.state.change(|state| state.waiting.addresses.extend(addresses));
        }
    }

    /// Queues ports that have just been published.
    pub(crate) fn divert(&self, ports: Vec<Diverted>) {
        if !ports.is_empty() {
            self.state.change(|state| state.waiting.ports.extend(ports));
        }
    }

    /// Waits until nothing of an address is known any more, if that was asked for.
    pub(crate) fn wait_for(&self, address: IpAddr) {
        drop(self.state.wait_while(|state| {
            [&state.waiting, &state.doing].iter().any(|work| work.addresses.contains(&address))
        }));
    }

    /// Waits until all is forgotten.
    pub(crate) fn settle(&self) {
        drop(self.state.wait_while(|state| !state.waiting.is_empty() || !state.doing.is_empty()));
    }
}

impl Drop for Forgetter {
    fn drop(&mut self) {
        self.state.change(|state| state.stop = true);
        if let Some(thread) = self.thread.take() {
            // It has panicked only if this crate has a defect that was reported already.
            let _ = thread.join();
        }
    }
}

fn work(state: &Watched<State>, sockets: &mut (Socket, Socket)) {
    while let Some(work) = next(state) {
        wait_for_packets_on_the_way();
        // Left to time out: connection tracking must not keep anybody from an address.
        if let Err(error) = work.forget(sockets) {
            tracing::debug!(%error, cause = %error.cause, "connections are left to time out");
        }
        state.change(|state| state.doing = Work::default());
    }
}

/// Waits for something to do. None when there is nothing and the thread shall end.
fn next(state: &Watched<State>) -> Option<Work> {
    let mut state = state.wait_while(|state| state.waiting.is_empty() && !state.stop);
    state.doing = std::mem::take(&mut state.waiting);
    Some(state.doing.clone()).filter(|work| !work.is_empty())
}

/// A packet is led through the firewall and tracked inside one read-side section of RCU, and this
/// call waits for all that have begun (`synchronize_rcu`): some 5 ms.
fn wait_for_packets_on_the_way() {
    if membarrier(MembarrierCommand::Global).is_err() {
        std::thread::sleep(ON_THE_WAY);
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::sync::atomic::{AtomicBool, Ordering};

    use hawser_hoststate::{
        Change, Element, ElementData, HostState, Neighbour, Ns, Object, Transport,
    };

    use crate::Ownership;
    use crate::conntrack::tests::count;
    use crate::netlink::Socket;
    use crate::tests::{
        SKELETON, additions, bridge_name, ip, mac, network, on_test_host, removals,
    };

    /// Leads what the host itself sends.
    const LEADS: &str = "table inet hawser { chain out { type nat hook output priority -100; \
                         dnat ip to meta l4proto . th dport map @publish_any4; }; }";

    /// A client that never stops sending, through the loss of the port's owner and the next one's
    /// coming: what was led to the first owner is known no more when it is gone.
    #[test]
    fn nothing_is_tracked_by_rules_that_are_gone() {
        on_test_host(|kernel| {
            let text = format!("{SKELETON}\n{LEADS}");
            let none = HostState::default();
            kernel.load_firewall(&[&text], Ownership::Sole, &none).expect("skeleton");
            kernel.apply(&additions(&network(1))).expect("bridge");
            let owner = ip(1, 254);
            let neighbour = |last| {
                let (ip, mac) = (ip(1, last), mac(1, last));
                Object::Neighbour(Neighbour { ns: Ns::Host, link: bridge_name(1), ip, mac })
            };
            let published = Element::PublishAny4(Transport::Udp, 5353);
            let published = Object::Element(published, ElementData::Destination(owner, 53));
            // The others take their time to go, after the owner and before the element.
            let led: HostState = (2..=254).map(neighbour).chain([published]).collect();
            let client = UdpSocket::bind((ip(1, 1), 0)).expect("bind");
            let mut socket = Socket::netfilter().expect("socket");
            let ended = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !ended.load(Ordering::Relaxed) {
                        // Refused while nobody is there.
                        let _ = client.send_to(b"x", (ip(1, 1), 5353));
                    }
                });
                for _ in 0..8 {
                    let apply = |changes: Vec<Change>| kernel.apply(&changes).expect("apply");
                    apply(additions(&led));
                    kernel.settle();
                    while count(&mut socket, owner) == 0 {
                        std::thread::yield_now();
                    }
                    apply(removals(&led));
                    kernel.settle();
                    let left = count(&mut socket, owner);
                    ended.fetch_or(left > 0, Ordering::Relaxed);
                    assert_eq!(left, 0);
                }
                ended.store(true, Ordering::Relaxed);
            });
        });
    }
}
