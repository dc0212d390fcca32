//! Name servers: sockets in a namespace that are asked at port 53 of an address, and listen elsewhere.
//!
//! In: a [`NameServer`]. Out: bound sockets in a table, and the rules that lead port 53 to them
//! (`nft/lead.rs`). Whoever answers gets duplicates ([`Kernel::open_name_server`]): there is one bind
//! in the life of a server, to ports that the kernel picks, so it can meet nobody's.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hawser_hoststate::{NameServer, NamespaceName, Transport};

use crate::Kernel;
use crate::error::{Cause, Error};
use crate::netlink::Socket;
use crate::nft::{self, Lead};
use crate::worker::Worker;

/// A server that is there.
struct Server {
    address: Ipv4Addr,
    udp: UdpSocket,
    tcp: TcpListener,
}

/// The servers of this process.
pub(crate) struct Servers {
    by_namespace: Mutex<BTreeMap<NamespaceName, Server>>,
    /// What is done in the background: closing a socket of nftables waits, some 10 ms, until all is
    /// gone from the kernel that transactions have taken away.
    behind: Mutex<Sender<Job>>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Servers {
    pub(crate) fn start() -> io::Result<Self> {
        let (behind, jobs) = channel::<Job>();
        let builder = std::thread::Builder::new().name("closer".to_owned());
        builder.spawn(move || jobs.iter().for_each(|job| job()))?;
        Ok(Self { by_namespace: Mutex::default(), behind: Mutex::new(behind) })
    }

    /// Waits until the sockets that made and removed servers are closed.
    pub(crate) fn settle(&self) {
        let (done, waited) = channel::<()>();
        self.behind(move || drop(done));
        // It ends with the job.
        let _ = waited.recv();
    }

    fn behind(&self, job: impl FnOnce() + Send + 'static) {
        let behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        // A thread that has panicked has dropped what it had.
        let _ = behind.send(Box::new(job));
    }

    /// Makes a server in the namespace behind `ns`, whose loopback is up. Of one that is there the
    /// rules are made anew: somebody inside may have flushed them.
    pub(crate) fn add(
        &self,
        worker: &Worker,
        ns: OwnedFd,
        wanted: &NameServer,
    ) -> Result<(), Error> {
        let fail = |cause: Cause| Error::new("make", describe(wanted), cause);
        let mut servers = self.lock();
        let there = servers.remove(&wanted.ns).filter(|server| server.address == wanted.address);
        let address = wanted.address;
        let open = move || -> io::Result<(Server, Socket)> {
            let server = there.map_or_else(|| Server::open(address), Ok)?;
            Ok((server, Socket::netfilter()?))
        };
        let (server, mut netfilter) = worker.run_in(ns, open)?.map_err(|e| fail(e.into()))?;
        let leads = server.leads().map_err(|e| fail(e.into()))?;
        let led = nft::lead(&mut netfilter, &leads).map_err(fail);
        self.behind(move || drop(netfilter));
        led?;
        servers.insert(wanted.ns.clone(), server);
        Ok(())
    }

    /// Takes a server away from a namespace that stays.
    pub(crate) fn remove(
        &self,
        worker: &Worker,
        ns: OwnedFd,
        server: &NameServer,
    ) -> Result<(), Error> {
        self.forget(&server.ns);
        let fail = |cause: Cause| Error::new("remove", describe(server), cause);
        let netfilter = worker.run_in(ns, Socket::netfilter)?;
        let mut netfilter = netfilter.map_err(|e| fail(e.into()))?;
        let misled = nft::mislead(&mut netfilter).map_err(fail);
        self.behind(move || drop(netfilter));
        misled
    }

    /// Closes the sockets of a server whose namespace goes.
    pub(crate) fn forget(&self, ns: &NamespaceName) {
        self.lock().remove(ns);
    }

    /// The servers.
    pub(crate) fn list(&self) -> Vec<NameServer> {
        let servers = self.lock();
        let server = |(ns, server): (&NamespaceName, &Server)| NameServer {
            ns: ns.clone(),
            address: server.address,
        };
        servers.iter().map(server).collect()
    }

    fn open(&self, ns: &NamespaceName) -> io::Result<(UdpSocket, TcpListener)> {
        let servers = self.lock();
        let missing = || io::Error::from_raw_os_error(libc::ENOENT);
        let server = servers.get(ns).ok_or_else(missing)?;
        Ok((server.udp.try_clone()?, server.tcp.try_clone()?))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NamespaceName, Server>> {
        self.by_namespace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Non-blocking sockets in the namespace that the thread is in.
    fn open(address: Ipv4Addr) -> io::Result<Self> {
        let (udp, tcp) = (UdpSocket::bind((address, 0))?, TcpListener::bind((address, 0))?);
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        Ok(Self { address, udp, tcp })
    }

    fn leads(&self) -> io::Result<[Lead; 2]> {
        let lead = |transport, port| Lead { transport, address: self.address, port };
        Ok([
            lead(Transport::Udp, self.udp.local_addr()?.port()),
            lead(Transport::Tcp, self.tcp.local_addr()?.port()),
        ])
    }
}

impl Kernel {
    /// The sockets of a namespace's name server, duplicates of them: UDP bound, TCP listening, both
    /// non-blocking. What comes in before they are read waits there.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when the namespace has none.
    pub fn open_name_server(&self, ns: &NamespaceName) -> Result<(UdpSocket, TcpListener), Error> {
        let opened = self.servers.open(ns);
        opened.map_err(|error| Error::new("open", format!("name server in {ns}"), error))
    }
}

fn describe(server: &NameServer) -> String {
    format!("name server {} in {}", server.address, server.ns)
}
