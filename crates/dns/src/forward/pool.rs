//! UDP sockets towards one upstream, used again for a short while.
//!
//! In: who needs one. Out: a connected socket that is that one's alone until it comes back. Ports
//! are the kernel's random choice, and none serves long or often: who guesses at answers must
//! guess the port as well. Opening in a sandbox is done for all who wait at once.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use crate::{SocketFactory, Upstream};

/// How long a socket is used.
const LIFE: Duration = Duration::from_secs(5);
/// For how many questions.
const USES: u32 = 32;
/// How many are kept while nobody needs them.
const KEPT: usize = 16;
/// How many are opened at once.
const AT_ONCE: usize = 16;

/// A connected socket: the kernel drops what comes from elsewhere, and tells that nobody is there.
#[derive(Debug)]
pub(crate) struct Line {
    pub socket: UdpSocket,
    opened: Instant,
    uses: u32,
}

/// The sockets that nobody uses now.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: Mutex<Vec<Line>>,
    /// Who needs sockets that are to be opened.
    wanting: AtomicUsize,
    opening: tokio::sync::Mutex<()>,
}

impl Pool {
    /// A socket connected to the upstream.
    pub(crate) async fn take(&self, upstream: &Upstream) -> io::Result<Line> {
        if let Some(line) = self.pick() {
            return Ok(line);
        }
        let Some(factory) = &upstream.from else {
            return Line::new(open(upstream.address)?);
        };
        self.wanting.fetch_add(1, Ordering::Relaxed);
        let _wanting = Wanting(&self.wanting);
        let _alone = self.opening.lock().await;
        // Somebody may have opened one for us meanwhile.
        if let Some(line) = self.pick() {
            return Ok(line);
        }
        let count = self.wanting.load(Ordering::Relaxed).clamp(1, AT_ONCE);
        let mut opened = open_there(Arc::clone(factory), upstream.address, count).await?;
        let own = opened.pop().ok_or(io::ErrorKind::AddrNotAvailable)?;
        for socket in opened {
            let line = Line::new(socket)?;
            self.idle().push(line);
        }
        Line::new(own)
    }

    /// Takes back a socket over which an answer has come.
    pub(crate) fn give_back(&self, line: Line) {
        let mut idle = self.idle();
        if line.is_fresh() && idle.len() < KEPT {
            idle.push(line);
        }
    }

    /// Closes those that are not to be used again; whether any are left.
    pub(crate) fn sweep(&self) -> bool {
        let mut idle = self.idle();
        idle.retain(Line::is_fresh);
        if idle.is_empty() {
            *idle = Vec::new();
        }
        !idle.is_empty()
    }

    fn pick(&self) -> Option<Line> {
        let mut idle = self.idle();
        idle.retain(Line::is_fresh);
        if idle.is_empty() {
            return None;
        }
        let at = rand::random_range(0..idle.len());
        let mut line = idle.swap_remove(at);
        line.uses += 1;
        Some(line)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Line>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn new(socket: StdSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket: UdpSocket::from_std(socket)?, opened: Instant::now(), uses: 1 })
    }

    fn is_fresh(&self) -> bool {
        self.uses < USES && self.opened.elapsed() < LIFE
    }
}

/// Counts itself out, also when the one who waits gives up.
struct Wanting<'a>(&'a AtomicUsize);

impl Drop for Wanting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn open(upstream: SocketAddr) -> io::Result<StdSocket> {
    let any = match upstream {
        SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let socket = StdSocket::bind((any, 0))?;
    socket.connect(upstream)?;
    Ok(socket)
}

async fn open_there(
    factory: Arc<dyn SocketFactory>,
    upstream: SocketAddr,
    count: usize,
) -> io::Result<Vec<StdSocket>> {
    let open = move || {
        let one = || {
            let socket = factory.udp(upstream)?;
            socket.connect(upstream)?;
            Ok(socket)
        };
        (0..count).map(|_| one()).collect()
    };
    tokio::task::spawn_blocking(open).await.map_err(io::Error::other)?
}
