//! Carries what address translation can't: a published port of one address family, to a container
//! that has only the other.
//!
//! In: held ports with their bound sockets, and where each leads ([`Relay::start`]). Out: TCP
//! connections spliced through pipes without copies, UDP datagrams by flow. All of it runs in
//! tasks of one process; the container sees the host as its client. It decides nothing: what is
//! relayed and where to follows from `plan`.

mod splice;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hawser_hoststate::{HeldPort, Transport};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

/// Connections and flows of one port at a time, so that one port can't starve the others.
const PER_PORT: usize = 1024;

/// All relayed ports of the daemon.
pub struct Relay {
    runtime: Handle,
    running: Mutex<BTreeMap<HeldPort, Running>>,
    /// TCP connections of all ports: each takes two descriptors, and four for its pipes.
    connections: Arc<Semaphore>,
}

/// A port to relay.
pub struct Start {
    /// The port.
    pub port: HeldPort,
    /// Bound to it, not connected, and lets datagrams in; a TCP one need not listen yet.
    pub socket: OwnedFd,
    /// Where it leads.
    pub to: SocketAddr,
}

/// A socket that is ready: clients that come from now on are served.
struct Ready {
    socket: OwnedFd,
    transport: Transport,
    to: SocketAddr,
    ended: oneshot::Receiver<()>,
    /// Dropped when the socket is closed.
    closed: oneshot::Sender<()>,
}

struct Running {
    to: SocketAddr,
    /// Dropped to end the task.
    end: oneshot::Sender<()>,
    /// Fails when the socket is closed.
    closed: oneshot::Receiver<()>,
}

impl Relay {
    /// A relay whose tasks run on this runtime, with at most so many TCP connections in all.
    pub fn new(runtime: Handle, connections: usize) -> Self {
        let connections = Arc::new(Semaphore::new(connections));
        Self { runtime, running: Mutex::default(), connections }
    }

    /// Whether a port is relayed.
    pub fn has(&self, port: &HeldPort) -> bool {
        self.lock().contains_key(port)
    }

    /// What is relayed, and where to.
    pub fn list(&self) -> BTreeMap<HeldPort, SocketAddr> {
        self.lock().iter().map(|(port, running)| (port.clone(), running.to)).collect()
    }

    /// Relays ports, all of them or none. Clients that come from now on are served; a thousand
    /// ports cost the caller little, and the tasks begin behind the answer.
    ///
    /// # Errors
    /// The first port that is relayed already, whose protocol can't be (SCTP), or whose socket can't
    /// listen.
    pub fn start(&self, ports: Vec<Start>) -> Result<(), (HeldPort, io::Error)> {
        let mut running = self.lock();
        let mut all = Vec::with_capacity(ports.len());
        for Start { port, socket, to } in ports {
            let new = !running.contains_key(&port);
            let prepared = new.then_some(()).ok_or(io::ErrorKind::AlreadyExists.into());
            match prepared.and_then(|()| prepare(&socket, port.transport)) {
                Ok(()) => all.push((port, socket, to)),
                Err(error) => return Err((port, error)),
            }
        }
        let mut ready = Vec::with_capacity(all.len());
        for (port, socket, to) in all {
            let (end, ended) = oneshot::channel();
            let (theirs, closed) = oneshot::channel();
            let transport = port.transport;
            ready.push(Ready { socket, transport, to, ended, closed: theirs });
            running.insert(port, Running { to, end, closed });
        }
        let connections = Arc::clone(&self.connections);
        // One task begins all others: from here, each would wake a thread of the runtime.
        self.runtime.spawn(async move {
            for port in ready {
                tokio::spawn(run(port, Arc::clone(&connections)));
            }
        });
        Ok(())
    }

    /// Ends the relaying of ports with all their connections; when this returns, their sockets are
    /// closed. Nothing for a port that is not relayed.
    pub async fn stop(&self, ports: impl IntoIterator<Item = &HeldPort>) {
        let running: Vec<Running> = {
            let mut running = self.lock();
            ports.into_iter().filter_map(|port| running.remove(port)).collect()
        };
        let ending = running.into_iter().map(|Running { end, closed, .. }| {
            drop(end);
            closed
        });
        for closed in ending.collect::<Vec<_>>() {
            // Nothing is ever sent.
            drop(closed.await);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<HeldPort, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a socket take clients, who wait in its queue until its task begins.
fn prepare(socket: &OwnedFd, transport: Transport) -> io::Result<()> {
    rustix::io::ioctl_fionbio(socket, true)?;
    match transport {
        Transport::Tcp => tcp::listen(socket),
        Transport::Udp => udp::tell_destinations(socket),
        Transport::Sctp => Err(io::ErrorKind::Unsupported.into()),
    }
}

async fn run(port: Ready, connections: Arc<Semaphore>) {
    let Ready { socket, transport, to, ended, closed } = port;
    match transport {
        Transport::Udp => udp::run(UdpSocket::from(socket), to, ended).await,
        Transport::Tcp | Transport::Sctp => tcp::run(socket, to, connections, ended).await,
    }
    drop(closed);
}
