//! The one door to the kernel: links, addresses, routes, neighbours, namespaces, settings,
//! held ports, nftables elements.
//!
//! In: [`Change`]s in the words of `hawser-hoststate` ([`Kernel::apply`]). Out: what a host of ours
//! has ([`Kernel::observe`]), and facts about the rest of the host that planning needs. All methods
//! block, mostly for less than a millisecond; call them from a blocking thread.
//!
//! This crate decides nothing and knows nothing of containers: what to make is `plan`'s business,
//! the way back after a failure is the caller's (`diff` gives it).

mod error;

use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use hawser_hoststate::{Change, HostState, IfName, NamespaceName, Transport};
use ipnet::IpNet;

pub use error::{ApplyError, Error, ErrorKind};

/// Where things are.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directory of the files that pin namespaces; made, and made a tmpfs mount of its own.
    pub netns_dir: PathBuf,
}

/// The kernel of the namespace that it was opened in. `Sync`: any thread that lives in the same
/// network and mount namespace may call it.
pub struct Kernel {
    config: Config,
}

impl Kernel {
    /// Opens the sockets, makes the namespace directory a mount of its own, and begins to take
    /// away what a predecessor had begun to.
    ///
    /// # Errors
    /// No permission (not root), or a kernel without the protocols.
    pub fn open(config: Config) -> Result<Self, Error> {
        Ok(Self { config })
    }

    /// Loads the fixed nftables skeleton (table `inet hawser`) with `nft -f -`, unless a table
    /// whose comment is `version` is there. A table of another version is replaced in the same
    /// transaction (its elements come back with the next `diff`). Returns whether it was loaded.
    ///
    /// # Errors
    /// `nft` is missing (the hint says how to install it) or refuses the text.
    pub fn load_skeleton(&self, text: &str, version: &str) -> Result<bool, Error> {
        let _ = (text, version);
        todo!()
    }

    /// Applies changes in order, in few batches. Adding what is there and equal, and removing what
    /// is gone, succeed. Stops at the first failure; what was done until then stays.
    ///
    /// # Errors
    /// Which change failed, and why.
    pub fn apply(&self, changes: &[Change]) -> Result<(), ApplyError> {
        let _ = changes;
        todo!()
    }

    /// What of ours is there: links with an alias that begins with `hawser `, namespaces in the
    /// directory and what we put in them, elements of table `inet hawser`, ports held by this
    /// value. Settings ([`hawser_hoststate::Sysctl`]) are not observed: writing them again is free of effect.
    ///
    /// # Errors
    /// The kernel refuses a dump.
    pub fn observe(&self) -> Result<HostState, Error> {
        todo!()
    }

    /// Waits until everything removed is gone from the kernel too.
    pub fn settle(&self) {
        todo!()
    }

    /// Path of the file that pins a namespace (Docker's `SandboxKey`).
    pub fn namespace_path(&self, name: &NamespaceName) -> PathBuf {
        self.config.netns_dir.join(name.as_str())
    }

    /// A descriptor of a namespace, close-on-exec.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none of that name.
    pub fn open_namespace(&self, name: &NamespaceName) -> Result<OwnedFd, Error> {
        let _ = name;
        todo!()
    }

    /// Runs `job` in a thread inside a namespace and hands back its value. Sockets opened there
    /// stay there; a job must be short, since jobs run one after another.
    ///
    /// # Errors
    /// There is no such namespace, or the job panicked.
    pub fn in_namespace<T: Send + 'static>(
        &self,
        name: &NamespaceName,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _ = (name, job);
        todo!()
    }

    /// A non-blocking UDP socket bound to `address` inside a namespace.
    ///
    /// # Errors
    /// As [`Kernel::in_namespace`], or the address can't be bound.
    pub fn udp_socket(&self, ns: &NamespaceName, address: SocketAddr) -> Result<UdpSocket, Error> {
        let _ = (ns, address);
        todo!()
    }

    /// A non-blocking TCP listener on `address` inside a namespace.
    ///
    /// # Errors
    /// As [`Kernel::in_namespace`], or the address can't be bound.
    pub fn tcp_listener(&self, ns: &NamespaceName, address: SocketAddr) -> Result<TcpListener, Error> {
        let _ = (ns, address);
        todo!()
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
        let _ = (addresses, transport, range);
        todo!()
    }

    /// Destinations of the host's own routes (main table, default routes excluded).
    ///
    /// # Errors
    /// The kernel refuses the dump.
    pub fn routes(&self) -> Result<Vec<IpNet>, Error> {
        todo!()
    }

    /// Addresses of the host's links with their prefix lengths, loopback included.
    ///
    /// # Errors
    /// The kernel refuses the dump.
    pub fn addresses(&self) -> Result<Vec<IpNet>, Error> {
        todo!()
    }

    /// Whether the host has a link of that name, whosever it is.
    ///
    /// # Errors
    /// The kernel refuses the question.
    pub fn link_exists(&self, name: &IfName) -> Result<bool, Error> {
        let _ = name;
        todo!()
    }

    /// Makes the kernel forget tracked connections to or from `address`. Returns how many.
    ///
    /// # Errors
    /// The kernel refuses the dump.
    pub fn forget_connections(&self, address: IpAddr) -> Result<usize, Error> {
        let _ = address;
        todo!()
    }
}
