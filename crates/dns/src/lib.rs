//! Answers names inside a sandbox and forwards the rest.
//!
//! In: sockets that the caller opened inside a sandbox (127.0.0.11:53), [`Zone`]s (one per
//! network, shared by its sandboxes), a [`View`] per sandbox, and its [`Upstream`]s.
//! Out: answers. It makes no names: what a container is called is decided in `plan`.
//!
//! The wire format is read and written by hand (`message`): our own answers are one question
//! copied and a few fixed records, and what is forwarded passes as it is.

mod answer;
mod forward;
mod message;
mod service;
mod stream;
mod task;
mod turns;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;

pub use hawser_hoststate::Zone;
pub use service::{Dns, Stopped};

/// What one sandbox sees, in the order of looking.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Names of this sandbox alone (links), looked at first.
    pub aliases: Vec<Alias>,
    /// Keys of the zones that it sees: its networks, the order in which they are asked.
    pub zones: Vec<String>,
}

/// A name that stands for another in one of the zones, whoever has that at the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name; case does not matter.
    pub name: String,
    /// Key of the zone.
    pub zone: String,
    /// The name there.
    pub target: String,
}

/// Opens sockets towards an upstream, for those that must leave from a sandbox. Called on a
/// thread that may block.
pub trait SocketFactory: Send + Sync {
    /// A UDP socket of the right family, bound to a random port (not connected).
    fn udp(&self, upstream: SocketAddr) -> io::Result<UdpSocket>;
    /// A TCP connection to the upstream.
    fn tcp(&self, upstream: SocketAddr) -> io::Result<TcpStream>;
}

/// A resolver that questions are forwarded to.
#[derive(Clone)]
pub struct Upstream {
    /// Its address and port (53).
    pub address: SocketAddr,
    /// Where it is asked from: `None` is the daemon's own namespace.
    pub from: Option<Arc<dyn SocketFactory>>,
}

/// The sockets of one sandbox, opened inside it.
#[derive(Debug)]
pub struct Sockets {
    /// Bound to 127.0.0.11:53.
    pub udp: UdpSocket,
    /// Listening on 127.0.0.11:53.
    pub tcp: TcpListener,
}
