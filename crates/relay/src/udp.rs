//! UDP: a flow per client, each with a socket of its own towards the server.
//!
//! In: a bound socket and the address of the server. Out: datagrams. Answers leave by the address
//! that the client wrote to (RFC 1122 §4.1.3.5), which on a socket of all addresses has to be said
//! with each datagram.

use std::collections::HashMap;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use rustix::net::getsockname;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout_at};

use crate::PER_PORT;

/// A flow that carried nothing for so long ends.
const IDLE: Duration = Duration::from_secs(90);

/// The longest datagram, in bytes.
const LONGEST: usize = 65535;

/// Which address of ours a client wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Local {
    V4(Ipv4Addr),
    /// With the link, for link-local addresses.
    V6(Ipv6Addr, u32),
    /// The socket has one address.
    Bound,
}

type Flows = HashMap<(SocketAddr, Local), Flow>;

struct Flow {
    socket: Arc<UdpSocket>,
    /// Milliseconds of the port's clock at the last datagram of either direction.
    used: Arc<AtomicU64>,
    task: AbortHandle,
}

/// Makes the kernel tell with each datagram which address it was sent to.
pub(crate) fn tell_destinations(socket: &OwnedFd) -> io::Result<()> {
    match SocketAddr::try_from(getsockname(socket)?)? {
        SocketAddr::V4(_) => setsockopt(socket, sockopt::Ipv4PacketInfo, &true)?,
        SocketAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?,
    }
    Ok(())
}

/// Relays one port until `ended`; its flows end with it.
pub(crate) async fn run(socket: std::net::UdpSocket, to: SocketAddr, ended: oneshot::Receiver<()>) {
    let socket = match UdpSocket::from_std(socket) {
        Ok(socket) => socket,
        Err(error) => return tracing::error!(%to, %error, "a port cannot be relayed"),
    };
    let mut port = Port {
        socket: Arc::new(socket),
        to,
        since: Instant::now(),
        flows: Flows::new(),
        tasks: JoinSet::new(),
    };
    tokio::select! {
        _ = ended => {}
        () = port.serve() => {}
    }
    // They hold the socket too.
    port.tasks.shutdown().await;
}

struct Port {
    socket: Arc<UdpSocket>,
    to: SocketAddr,
    since: Instant,
    flows: Flows,
    tasks: JoinSet<()>,
}

impl Port {
    async fn serve(&mut self) {
        let mut buffer = vec![0; LONGEST];
        let socket = Arc::clone(&self.socket);
        loop {
            let received = socket.async_io(Interest::READABLE, || receive(&socket, &mut buffer));
            match received.await {
                Ok((length, client, local)) => {
                    // What can't be passed on is lost, as datagrams may be.
                    if let Err(error) = self.pass(&buffer[..length], client, local).await {
                        tracing::debug!(%client, to = %self.to, %error, "a datagram could not be relayed");
                    }
                }
                Err(error) => {
                    tracing::debug!(to = %self.to, %error, "a datagram could not be read");
                }
            }
        }
    }

    async fn pass(&mut self, datagram: &[u8], client: SocketAddr, local: Local) -> io::Result<()> {
        while self.tasks.try_join_next().is_some() {}
        let key = (client, local);
        if self.flows.get(&key).is_none_or(|flow| flow.task.is_finished()) {
            let flow = self.open(client, local).await?;
            self.flows.insert(key, flow);
        }
        if let Some(flow) = self.flows.get(&key) {
            flow.used.store(self.now(), Ordering::Relaxed);
            flow.socket.send(datagram).await?;
        }
        Ok(())
    }

    async fn open(&mut self, client: SocketAddr, local: Local) -> io::Result<Flow> {
        self.make_room();
        let any: SocketAddr = match self.to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = Arc::new(UdpSocket::bind(any).await?);
        socket.connect(self.to).await?;
        let used = Arc::new(AtomicU64::new(self.now()));
        let back = Back {
            from: Arc::clone(&socket),
            port: Arc::clone(&self.socket),
            client,
            local,
            used: Arc::clone(&used),
            since: self.since,
        };
        let task = self.tasks.spawn(back.run());
        Ok(Flow { socket, used, task })
    }

    /// Forgets flows that have ended, and when there are too many the one that is idle longest.
    fn make_room(&mut self) {
        if self.flows.len() < PER_PORT {
            return;
        }
        self.flows.retain(|_, flow| !flow.task.is_finished());
        while self.flows.len() >= PER_PORT {
            let oldest =
                self.flows.iter().min_by_key(|(_, flow)| flow.used.load(Ordering::Relaxed));
            let Some(key) = oldest.map(|(key, _)| *key) else { return };
            if let Some(flow) = self.flows.remove(&key) {
                flow.task.abort();
            }
        }
    }

    fn now(&self) -> u64 {
        millis(self.since)
    }
}

/// The way back of one flow.
struct Back {
    from: Arc<UdpSocket>,
    port: Arc<UdpSocket>,
    client: SocketAddr,
    local: Local,
    used: Arc<AtomicU64>,
    since: Instant,
}

impl Back {
    /// Carries answers until the flow has been idle for long.
    async fn run(self) {
        loop {
            let used = Duration::from_millis(self.used.load(Ordering::Relaxed));
            let end = self.since + used + IDLE;
            if end <= Instant::now() {
                return;
            }
            if timeout_at(end, self.from.readable()).await.is_err() {
                continue;
            }
            // The server's host may say that nobody listens; it may listen later.
            let Ok(datagram) = next(&self.from) else { continue };
            self.used.store(millis(self.since), Ordering::Relaxed);
            let send = || answer(&self.port, &datagram, self.client, self.local);
            if let Err(error) = self.port.async_io(Interest::WRITABLE, send).await {
                tracing::debug!(client = %self.client, %error, "an answer could not be relayed");
            }
        }
    }
}

/// The next datagram, in a buffer of its size: thousands of idle flows keep none.
fn next(socket: &UdpSocket) -> io::Result<Vec<u8>> {
    let mut datagram =
        vec![0; usize::try_from(rustix::io::ioctl_fionread(socket)?).unwrap_or(LONGEST)];
    let length = socket.try_recv(&mut datagram)?;
    datagram.truncate(length);
    Ok(datagram)
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A datagram, who sent it, and to which address.
fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr, Local)> {
    let mut space = nix::cmsg_space!(libc::in6_pktinfo, libc::in_pktinfo);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_DONTWAIT;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
    let mut local = Local::Bound;
    for control in message.cmsgs()? {
        match control {
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                local = Local::V4(Ipv4Addr::from_bits(u32::from_be(info.ipi_spec_dst.s_addr)));
            }
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                let address = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                let link = if address.is_unicast_link_local() { info.ipi6_ifindex } else { 0 };
                local = Local::V6(address, link);
            }
            _ => {}
        }
    }
    let client = message.address.as_ref().and_then(address);
    Ok((message.bytes, client.ok_or(io::ErrorKind::InvalidData)?, local))
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|a| SocketAddr::V4((*a).into()));
    v4.or_else(|| storage.as_sockaddr_in6().map(|a| SocketAddr::V6((*a).into())))
}

/// Sends to a client from the address that it wrote to.
fn answer(socket: &UdpSocket, datagram: &[u8], to: SocketAddr, local: Local) -> io::Result<usize> {
    let parts = [IoSlice::new(datagram)];
    let to = SockaddrStorage::from(to);
    let (v4, v6);
    let control: &[ControlMessage<'_>] = match local {
        Local::V4(address) => {
            let address = libc::in_addr { s_addr: address.to_bits().to_be() };
            let none = libc::in_addr { s_addr: 0 };
            v4 = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: address, ipi_addr: none };
            &[ControlMessage::Ipv4PacketInfo(&v4)]
        }
        Local::V6(address, link) => {
            let address = libc::in6_addr { s6_addr: address.octets() };
            v6 = libc::in6_pktinfo { ipi6_addr: address, ipi6_ifindex: link };
            &[ControlMessage::Ipv6PacketInfo(&v6)]
        }
        Local::Bound => &[],
    };
    Ok(sendmsg(socket.as_raw_fd(), &parts, control, MsgFlags::MSG_DONTWAIT, Some(&to))?)
}
