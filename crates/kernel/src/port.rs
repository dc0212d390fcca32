//! Host ports kept from others by bound sockets that never receive anything.
//!
//! In: address, protocol, port. Out: sockets in a table, free ports, and who holds a taken one.
//! Forwarding the port is the firewall's business, or that of whoever is given the socket
//! ([`Kernel::open_port`]).
//!
//! TCP sockets are bound and not listening: a connection that misses the forwarding is refused, as
//! on a port that nobody has. UDP sockets drop all that reaches them.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hawser_hoststate::{HeldPort, Transport};
use rustix::net::{
    AddressFamily, Protocol, Shutdown, SocketFlags, SocketType, ipproto, shutdown, sockopt,
};

use crate::error::{Error, ErrorKind};
use crate::sysctl::EphemeralPorts;
use crate::{Kernel, holder, sys, sysctl};

/// How a port is held.
enum Holding {
    /// By a bound socket.
    Bound(OwnedFd),
    /// By a listening one that drops what comes: see [`bind_beside_remains`].
    Listening(OwnedFd),
    /// In the table alone, where the kernel lacks SCTP.
    Noted,
}

impl Holding {
    fn socket(&self) -> Option<&OwnedFd> {
        match self {
            Self::Bound(socket) | Self::Listening(socket) => Some(socket),
            Self::Noted => None,
        }
    }
}

/// The ports held.
#[derive(Default)]
pub(crate) struct Ports {
    held: Mutex<BTreeMap<HeldPort, Holding>>,
    last: AtomicU16,
}

impl Ports {
    /// Holds a port; one that is held already stays so.
    pub(crate) fn hold(&self, port: &HeldPort) -> Result<(), Error> {
        let mut held = self.lock();
        if held.contains_key(port) {
            return Ok(());
        }
        let socket = bind(port).map_err(|error| taken(port, error))?;
        held.insert(port.clone(), socket);
        Ok(())
    }

    /// Lets a port go.
    pub(crate) fn release(&self, port: &HeldPort) {
        self.lock().remove(port);
    }

    /// A duplicate of a port's socket, which lets in what comes.
    fn open(&self, port: &HeldPort) -> io::Result<OwnedFd> {
        let held = self.lock();
        let missing = || io::Error::from_raw_os_error(libc::ENOENT);
        let holding = held.get(port).ok_or_else(missing)?;
        let socket = holding.socket().ok_or_else(missing)?;
        if port.transport == Transport::Udp || matches!(holding, Holding::Listening(_)) {
            sys::drop_nothing(socket.as_fd())?;
        }
        if port.transport == Transport::Tcp {
            // Connections inherit it: those that linger don't keep the next owner from the port.
            sockopt::set_socket_reuseaddr(socket, true)?;
        }
        socket.try_clone()
    }

    /// Makes the socket as it was before it was opened.
    fn close(&self, port: &HeldPort) -> io::Result<()> {
        let held = self.lock();
        let Some(holding) = held.get(port) else { return Ok(()) };
        let Some(socket) = holding.socket() else { return Ok(()) };
        if port.transport == Transport::Udp {
            return sys::drop_everything(socket.as_fd());
        }
        match shutdown(socket, Shutdown::Both) {
            // It has not listened yet.
            Err(rustix::io::Errno::NOTCONN) => {}
            done => done?,
        }
        if matches!(holding, Holding::Listening(_)) {
            return listen_and_drop(socket);
        }
        Ok(sockopt::set_socket_reuseaddr(socket, false)?)
    }

    /// The ports held.
    pub(crate) fn list(&self) -> Vec<HeldPort> {
        self.lock().keys().cloned().collect()
    }

    /// A port free on all addresses; the search goes on where the last one ended.
    pub(crate) fn find_free(
        &self,
        addresses: &[IpAddr],
        transport: Transport,
        range: Option<RangeInclusive<u16>>,
    ) -> Result<u16, Error> {
        let fail = |error| Error::new("find", format!("free {transport} port"), error);
        let ports = match range {
            Some(range) => EphemeralPorts { range, reserved: Vec::new() },
            None => sysctl::ephemeral_ports().map_err(fail)?,
        };
        let (low, high) = (*ports.range.start(), *ports.range.end());
        let last = self.last.load(Ordering::Relaxed);
        let from = if (low..high).contains(&last) { last + 1 } else { low };
        let is_free = |port: &u16| {
            !ports.reserved.iter().any(|reserved| reserved.contains(port))
                && self.is_free(addresses, transport, *port)
        };
        let none = || fail(io::Error::from_raw_os_error(libc::EADDRINUSE));
        let found = (from..=high).chain(low..from).find(is_free);
        let port = found.ok_or_else(|| none().with_kind(ErrorKind::NoSpace))?;
        self.last.store(port, Ordering::Relaxed);
        Ok(port)
    }

    fn is_free(&self, addresses: &[IpAddr], transport: Transport, port: u16) -> bool {
        let held = self.lock();
        let mut bound = Vec::with_capacity(addresses.len());
        addresses.iter().all(|address| {
            let wanted = HeldPort { address: *address, transport, port };
            let free = !held.contains_key(&wanted);
            // Kept until all are tried: an address may be listed for both families.
            free && bind(&wanted).map(|socket| bound.push(socket)).is_ok()
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<HeldPort, Holding>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kernel {
    /// The socket of a held port, a duplicate of it, which lets in what comes from now on: bound, not
    /// connected; a TCP one need not listen yet. Not for SCTP.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the port is not held.
    pub fn open_port(&self, port: &HeldPort) -> Result<OwnedFd, Error> {
        let fail = |error| Error::new("open", object(port), error);
        self.ports.open(port).map_err(fail)
    }

    /// How many ports of the host are held.
    pub fn held_ports(&self) -> usize {
        self.ports.lock().len()
    }

    /// Lets nothing in any more, as before [`Kernel::open_port`]; the port stays held. What was
    /// handed out must be closed by now. Nothing for a port that is not held.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn close_port(&self, port: &HeldPort) -> Result<(), Error> {
        let fail = |error| Error::new("close", object(port), error);
        self.ports.close(port).map_err(fail)
    }
}

fn object(port: &HeldPort) -> String {
    format!("{} port {}", port.transport, SocketAddr::new(port.address, port.port))
}

fn taken(port: &HeldPort, error: io::Error) -> Error {
    let is_taken = error.raw_os_error() == Some(libc::EADDRINUSE);
    let error = Error::new("bind", object(port), error);
    match holder::of(port).filter(|_| is_taken) {
        Some(name) => error.with_hint(format!("the port is held by {name}")),
        None => error,
    }
}

/// Takes a port.
fn bind(port: &HeldPort) -> io::Result<Holding> {
    let (kind, protocol) = socket_type(port.transport);
    let family = if port.address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = match rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, Some(protocol))
    {
        Ok(socket) => socket,
        Err(rustix::io::Errno::PROTONOSUPPORT) if port.transport == Transport::Sctp => {
            return Ok(Holding::Noted);
        }
        Err(error) => return Err(error.into()),
    };
    if port.address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    if port.transport == Transport::Udp {
        // Before the bind: not one datagram may be queued.
        sys::drop_everything(socket.as_fd())?;
    }
    let address = SocketAddr::new(port.address, port.port);
    match rustix::net::bind(&socket, &address) {
        Err(rustix::io::Errno::ADDRINUSE) if port.transport == Transport::Tcp => {
            bind_beside_remains(&socket, &address)?;
            Ok(Holding::Listening(socket))
        }
        Err(error) => Err(error.into()),
        Ok(()) => Ok(Holding::Bound(socket)),
    }
}

/// Binds where connections of an earlier server linger (TIME_WAIT), which the plain bind takes for
/// an owner. Only a listening socket keeps others away then; it drops what comes.
fn bind_beside_remains(socket: &OwnedFd, address: &SocketAddr) -> io::Result<()> {
    sockopt::set_socket_reuseaddr(socket, true)?;
    rustix::net::bind(socket, address)?;
    listen_and_drop(socket)
}

fn listen_and_drop(socket: &OwnedFd) -> io::Result<()> {
    sys::drop_everything(socket.as_fd())?;
    Ok(rustix::net::listen(socket, 1)?)
}

fn socket_type(transport: Transport) -> (SocketType, Protocol) {
    match transport {
        Transport::Tcp => (SocketType::STREAM, ipproto::TCP),
        Transport::Udp => (SocketType::DGRAM, ipproto::UDP),
        Transport::Sctp => (SocketType::STREAM, ipproto::SCTP),
    }
}
