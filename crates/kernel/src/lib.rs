//! The one door to the kernel: links, addresses, routes, neighbours, namespaces, settings,
//! held ports, nftables elements.
//!
//! In: [`Change`]s in the words of `hawser-hoststate` ([`Kernel::apply`]). Out: what a host of ours
//! has ([`Kernel::observe`]), and facts about the rest of the host that planning needs. All methods
//! block, mostly for less than a millisecond; call them from a blocking thread.
//!
//! This crate decides nothing and knows nothing of containers: what to make is `plan`'s business,
//! the way back after a failure is the caller's (`diff` gives it).

mod address;
mod announce;
mod apply;
mod attach;
mod batch;
mod conntrack;
mod detach;
mod diverted;
mod error;
mod foreign;
mod forgetter;
mod holder;
mod link;
mod monitor;
mod namespace;
mod neighbour;
mod netlink;
mod nft;
mod observe;
mod port;
mod reaper;
mod route;
mod server;
mod solicited;
mod sys;
mod sysctl;
#[cfg(test)]
mod tests;
mod watched;
mod worker;

use std::fs::File;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hawser_hoststate::{Change, HostState, IfName, NamespaceName, Ns, Transport};
use ipnet::IpNet;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::announce::Announcer;
use crate::foreign::Foreign;
use crate::forgetter::Forgetter;
use crate::namespace::Directory;
use crate::netlink::Socket;
use crate::nft::Firewall;
use crate::port::Ports;
use crate::reaper::Reaper;
use crate::server::Servers;
use crate::worker::Worker;

pub use error::{ApplyError, Cause, Error, ErrorKind};
pub use foreign::Prefixes;
pub use monitor::{Heard, Monitor};
pub use nft::{Obstacle, Ownership, Packet, Repairs};

/// Interface indexes that we choose begin here, far above those that the kernel does.
const FIRST_INDEX: u32 = 1 << 20;

/// Where things are.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directory of the files that pin namespaces; made, and made a tmpfs mount of its own.
    pub netns_dir: PathBuf,
}

/// The kernel of the namespace that it was opened in. `Sync`: any thread that lives in the same
/// network and mount namespace may call it.
pub struct Kernel {
    namespaces: Directory,
    worker: Worker,
    reaper: Reaper,
    announcer: Announcer,
    forgetter: Forgetter,
    ports: Ports,
    servers: Servers,
    route: Mutex<Socket>,
    firewall: Mutex<Firewall>,
    foreign: Mutex<Foreign>,
    next_index: AtomicU32,
}

/// A link of the host's that the engine did not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignLink {
    /// A bridge.
    Bridge,
    /// Anything else.
    Other,
}

impl Kernel {
    /// Opens the sockets, makes the namespace directory a mount of its own, and begins to take
    /// away what a predecessor had begun to.
    ///
    /// # Errors
    /// No permission (not root), or a kernel without the protocols.
    pub fn open(config: Config) -> Result<Self, Error> {
        let fail = |error| Error::new("open", "netlink socket", error);
        let mut route = Socket::route().map_err(fail)?;
        let first_index = observe::highest_index(&mut route)?.saturating_add(1).max(FIRST_INDEX);
        Ok(Self {
            namespaces: Directory::open(config.netns_dir)?,
            worker: Worker::new().map_err(|error| Error::new("start", "worker", error))?,
            reaper: Reaper::start().map_err(|error| Error::new("start", "reaper", error))?,
            announcer: Announcer::start()
                .map_err(|error| Error::new("start", "announcer", error))?,
            forgetter: Forgetter::start()
                .map_err(|error| Error::new("start", "forgetter", error))?,
            ports: Ports::default(),
            servers: Servers::start().map_err(|error| Error::new("start", "closer", error))?,
            route: Mutex::new(route),
            firewall: Mutex::new(Firewall::open().map_err(fail)?),
            foreign: Mutex::new(Foreign::open(first_index).map_err(fail)?),
            next_index: AtomicU32::new(first_index),
        })
    }

    /// Makes our nftables tables (`hawser`, of families inet and bridge) what the texts of the
    /// skeleton say, with the elements in `wanted` and no others; other objects in `wanted` are
    /// passed over. One transaction, or none when all is there. The texts are for `nft -f -`, which
    /// compiles them once, in a namespace that is thrown away; they have no elements, and no sets
    /// without a name. Returns what was not as it is now.
    ///
    /// # Errors
    /// `nft` is missing (the hint says how to install it) or refuses the text; another process
    /// owns the tables.
    pub fn load_firewall(
        &self,
        texts: &[&str],
        ownership: Ownership,
        wanted: &HostState,
    ) -> Result<Repairs, Error> {
        self.firewall().load(texts, ownership, wanted)
    }

    /// The same once more, with the texts and the ownership of [`Kernel::load_firewall`].
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn mend_firewall(&self, wanted: &HostState) -> Result<Repairs, Error> {
        self.firewall().mend(wanted)
    }

    /// Whether our tables can be changed by this process alone.
    pub fn owns_firewall(&self) -> bool {
        self.firewall().is_sole()
    }

    /// Begins to hear what others do to nftables.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn watch_firewall(&self) -> Result<Monitor, Error> {
        let port = self.firewall().socket.port_id();
        let monitor = port.and_then(Monitor::open);
        monitor.map_err(|error| Error::new("listen to", "changes of nftables", error))
    }

    /// Which base chains of others' nftables tables would drop which packets, by their places in
    /// `packets`. Reads all rules of the host.
    ///
    /// # Errors
    /// The kernel refuses a dump.
    pub fn obstacles(&self, packets: &[Packet]) -> Result<Vec<(usize, Obstacle)>, Error> {
        nft::obstacles(packets)
    }

    /// Name of the link that the host's default route leads to; the first one if there are more.
    ///
    /// # Errors
    /// The kernel refuses a dump.
    pub fn uplink(&self) -> Result<Option<String>, Error> {
        observe::uplink(&mut self.route_socket())
    }

    /// Applies changes in order, in few batches. Adding what is there and equal, and removing what
    /// is gone, succeed. Stops at the first failure; what was done until then stays.
    ///
    /// # Errors
    /// Which change failed, and why.
    pub fn apply(&self, changes: &[Change]) -> Result<(), ApplyError> {
        apply::apply(self, changes)
    }

    /// What of ours is there: links with an alias that begins with `hawser `, namespaces in the
    /// directory and what we put in them, elements of table `inet hawser`, ports held and
    /// name servers opened by this value. Settings ([`hawser_hoststate::Sysctl`]) are not observed: writing them again does
    /// no harm.
    ///
    /// # Errors
    /// The kernel refuses a dump.
    pub fn observe(&self) -> Result<HostState, Error> {
        observe::observe(self)
    }

    /// Waits until everything removed is gone from the kernel too, and forgotten.
    pub fn settle(&self) {
        self.servers.settle();
        self.reaper.settle();
        self.forgetter.settle();
    }

    /// Takes away what outlives the last object: our tables and the namespace directory's mount.
    /// For the end of the engine on this machine, not of the daemon.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn close(self) -> Result<(), Error> {
        self.settle();
        self.firewall().unload()?;
        self.namespaces.close()
    }

    /// Path of the file that pins a namespace (Docker's `SandboxKey`).
    pub fn namespace_path(&self, name: &NamespaceName) -> PathBuf {
        self.namespaces.pin(name)
    }

    /// A descriptor of a namespace, close-on-exec.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none of that name.
    pub fn open_namespace(&self, name: &NamespaceName) -> Result<OwnedFd, Error> {
        self.namespaces.open_pin(name)
    }

    /// Pins a namespace that lives on without its pin, which somebody has unmounted: `ns` is, for
    /// instance, `/proc/PID/ns/net` of a process in it. Nothing when it is pinned; returns whether
    /// it was not. The next [`Kernel::observe`] sees what is in it.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when `ns` is the engine's own namespace, or none.
    pub fn pin_again(&self, name: &NamespaceName, ns: &File) -> Result<bool, Error> {
        self.namespaces.pin_again(name, ns)
    }

    /// Runs `job` in a thread of its own inside a namespace and hands back its value. Sockets
    /// opened there stay there, and keep the namespace alive until they are closed.
    ///
    /// # Errors
    /// There is no such namespace, or the job panicked.
    pub fn in_namespace<T: Send + 'static>(
        &self,
        name: &NamespaceName,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let ns = self.namespaces.open_pin(name)?;
        worker::run_apart(ns, job)
    }

    /// A non-blocking UDP socket bound to `address` inside a namespace.
    ///
    /// # Errors
    /// As [`Kernel::in_namespace`], or the address can't be bound.
    pub fn udp_socket(&self, ns: &NamespaceName, address: SocketAddr) -> Result<UdpSocket, Error> {
        let open = move || {
            let socket = UdpSocket::bind(address)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let fail =
            |error: std::io::Error| Error::new("bind", format!("UDP {address} in {ns}"), error);
        self.worker.run_in(self.namespaces.open_pin(ns)?, open)?.map_err(fail)
    }

    /// A TCP socket that is neither bound nor connected, inside a namespace.
    ///
    /// # Errors
    /// As [`Kernel::in_namespace`], or there are no more descriptors.
    pub fn tcp_socket(&self, ns: &NamespaceName, ipv6: bool) -> Result<OwnedFd, Error> {
        let family = if ipv6 { AddressFamily::INET6 } else { AddressFamily::INET };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let open = move || socket_with(family, SocketType::STREAM, flags, None);
        let fail = |error: Errno| {
            Error::new("open", format!("TCP socket in {ns}"), std::io::Error::from(error))
        };
        self.worker.run_in(self.namespaces.open_pin(ns)?, open)?.map_err(fail)
    }

    /// A host port free on all `addresses`, from `range` or, without one, from the kernel's
    /// ephemeral range less its reserved ports; ascending from the last one given, as Docker does.
    /// It is not held yet: add a [`hawser_hoststate::HeldPort`] for each address.
    ///
    /// # Errors
    /// [`ErrorKind::NoSpace`] when every port of the range is taken.
    pub fn free_port(
        &self,
        addresses: &[IpAddr],
        transport: Transport,
        range: Option<RangeInclusive<u16>>,
    ) -> Result<u16, Error> {
        self.ports.find_free(addresses, transport, range)
    }

    /// What a new subnet must not overlap: the host's routes and addresses, loopback included, less
    /// what is on links that this engine made. Cheap however many links there are: the kernel is
    /// asked again only when it told of a change.
    ///
    /// # Errors
    /// The kernel refuses the dump.
    pub fn foreign_prefixes(&self) -> Result<Prefixes, Error> {
        self.foreign().prefixes().cloned()
    }

    /// Addresses of one of the host's links, whosever it is.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such link.
    pub fn link_addresses(&self, name: &IfName) -> Result<Vec<IpNet>, Error> {
        let mut socket = self.route_socket();
        let link = apply::find(&mut socket, name)?;
        observe::addresses_of(&mut socket, link.index)
    }

    /// Whether the host has a link of that name, whosever it is; one that is being deleted does not
    /// count.
    ///
    /// # Errors
    /// The kernel refuses the question.
    pub fn link_exists(&self, name: &IfName) -> Result<bool, Error> {
        match apply::find(&mut self.route_socket(), name) {
            Ok(link) => Ok(!link.is_trash()),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Index of a link, whosever it is; `None` if there is none of that name.
    ///
    /// # Errors
    /// The kernel refuses the question; there is no such namespace.
    pub fn link_index(&self, place: &Ns, name: &IfName) -> Result<Option<u32>, Error> {
        let found = match place {
            Ns::Host => apply::find(&mut self.route_socket(), name),
            Ns::Named(ns) => {
                apply::find(&mut self.namespaces.enter(&self.worker, ns)?.socket, name)
            }
        };
        match found {
            Ok(link) => Ok(Some(link.index)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the host has under a name that is not the engine's; `None` if there is no link of that
    /// name, or one of the engine's own.
    ///
    /// # Errors
    /// The kernel refuses the question.
    pub fn foreign_link(&self, name: &IfName) -> Result<Option<ForeignLink>, Error> {
        match apply::find(&mut self.route_socket(), name) {
            Ok(link) if link.is_ours() => Ok(None),
            Ok(link) if link.kind == "bridge" => Ok(Some(ForeignLink::Bridge)),
            Ok(_) => Ok(Some(ForeignLink::Other)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn route_socket(&self) -> MutexGuard<'_, Socket> {
        self.route.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn foreign(&self) -> MutexGuard<'_, Foreign> {
        self.foreign.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn firewall(&self) -> MutexGuard<'_, Firewall> {
        self.firewall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_index(&self) -> u32 {
        self.next_index.fetch_add(1, Ordering::Relaxed)
    }
}
