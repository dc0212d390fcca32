//! Host ports kept from others by bound sockets that never receive anything.
//!
//! In: address, protocol, port. Out: sockets in a table, free ports, and who holds a taken one.
//! Forwarding the port is the firewall's business.
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
use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, ipproto, sockopt};

use crate::error::{Error, ErrorKind};
use crate::sysctl::EphemeralPorts;
use crate::{holder, sys, sysctl};

/// The ports held. A kernel without SCTP holds such a port in the table alone.
#[derive(Default)]
pub(crate) struct Ports {
    held: Mutex<BTreeMap<HeldPort, Option<OwnedFd>>>,
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

    fn lock(&self) -> MutexGuard<'_, BTreeMap<HeldPort, Option<OwnedFd>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn taken(port: &HeldPort, error: io::Error) -> Error {
    let object = format!("{} port {}", port.transport, SocketAddr::new(port.address, port.port));
    let is_taken = error.raw_os_error() == Some(libc::EADDRINUSE);
    let error = Error::new("bind", object, error);
    match holder::of(port).filter(|_| is_taken) {
        Some(name) => error.with_hint(format!("the port is held by {name}")),
        None => error,
    }
}

/// A socket that holds a port; none where the kernel lacks SCTP.
fn bind(port: &HeldPort) -> io::Result<Option<OwnedFd>> {
    let (kind, protocol) = socket_type(port.transport);
    let family = if port.address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = match rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, Some(protocol))
    {
        Ok(socket) => socket,
        Err(rustix::io::Errno::PROTONOSUPPORT) if port.transport == Transport::Sctp => {
            return Ok(None);
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
        }
        other => other?,
    }
    Ok(Some(socket))
}

/// Binds where connections of an earlier server linger (TIME_WAIT), which the plain bind takes for
/// an owner. Only a listening socket keeps others away then; it drops what comes.
fn bind_beside_remains(socket: &OwnedFd, address: &SocketAddr) -> io::Result<()> {
    sys::drop_everything(socket.as_fd())?;
    sockopt::set_socket_reuseaddr(socket, true)?;
    rustix::net::bind(socket, address)?;
    Ok(rustix::net::listen(socket, 1)?)
}

fn socket_type(transport: Transport) -> (SocketType, Protocol) {
    match transport {
        Transport::Tcp => (SocketType::STREAM, ipproto::TCP),
        Transport::Udp => (SocketType::DGRAM, ipproto::UDP),
        Transport::Sctp => (SocketType::STREAM, ipproto::SCTP),
    }
}
