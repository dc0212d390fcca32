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
use tokio::task::JoinHandle;

/// Connections and flows of one port at a time, so that one port can't starve the others.
const PER_PORT: usize = 1024;

/// All relayed ports of the daemon.
pub struct Relay {
    runtime: Handle,
    running: Mutex<BTreeMap<HeldPort, Running>>,
    /// TCP connections of all ports: each takes two descriptors, and four for its pipes.
    connections: Arc<Semaphore>,
}

struct Running {
    to: SocketAddr,
    /// Dropped to end the task.
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
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

    /// Relays a port. `socket` is bound to it, not connected, and lets datagrams in; a TCP one need
    /// not listen yet. Clients that come from now on are served.
    ///
    /// # Errors
    /// The port is relayed already, its protocol can't be (SCTP), or the socket can't listen.
    pub fn start(&self, port: HeldPort, socket: OwnedFd, to: SocketAddr) -> io::Result<()> {
        let mut running = self.lock();
        if running.contains_key(&port) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        rustix::io::ioctl_fionbio(&socket, true)?;
        let (end, ended) = oneshot::channel();
        let task = match port.transport {
            Transport::Tcp => {
                tcp::listen(&socket)?;
                self.runtime.spawn(tcp::run(socket, to, Arc::clone(&self.connections), ended))
            }
            Transport::Udp => {
                let socket = UdpSocket::from(socket);
                udp::tell_destinations(&socket)?;
                self.runtime.spawn(udp::run(socket, to, ended))
            }
            Transport::Sctp => return Err(io::ErrorKind::Unsupported.into()),
        };
        running.insert(port, Running { to, end, task });
        Ok(())
    }

    /// Ends the relaying of ports with all their connections; when this returns, their sockets are
    /// closed. Nothing for a port that is not relayed.
    pub async fn stop(&self, ports: impl IntoIterator<Item = &HeldPort>) {
        let running: Vec<Running> = {
            let mut running = self.lock();
            ports.into_iter().filter_map(|port| running.remove(port)).collect()
        };
        let ending = running.into_iter().map(|Running { end, task, .. }| {
            drop(end);
            task
        });
        for task in ending.collect::<Vec<_>>() {
            // One that panicked has closed its socket too.
            drop(task.await);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<HeldPort, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
