//! Answers names inside a sandbox and forwards the rest.
//!
//! In: sockets that the caller opened inside a sandbox (127.0.0.11:53), [`Zone`]s (one per
//! network, shared by its sandboxes), a [`View`] per sandbox, and its [`Upstream`]s.
//! Out: answers; [`Counters`], and for people an [`Explanation`]. It makes no names: what a
//! container is called is decided in `plan`.
//!
//! The wire format is read and written by hand (`message`): our own answers are one question
//! copied and a few fixed records, and what is forwarded passes as it is. docs/names.md says how
//! it behaves, docs/adr/0013 why.

mod answer;
mod buffer;
mod cache;
mod connection;
mod connections;
mod counters;
mod counts;
mod explain;
mod explanation;
mod forward;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod message;
mod sandbox;
mod service;
mod stream;
mod task;
mod turns;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;

pub use counters::{Counters, Tally, UpstreamTally};
pub use explanation::{
    Answer, Attempt, Candidate, End, Explanation, Forwarding, Reason, Unexplained, kind_name,
    kind_of,
};
pub use hawser_hoststate::{Names, Zone};
pub use service::{Dns, Stopped};

/// How the service works, for all sandboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether answers of upstreams are kept for as long as they may be.
    pub cache: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cache: true }
    }
}

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
/// thread that may block; neither waits for the network.
pub trait SocketFactory: Send + Sync {
    /// A UDP socket of the right family, bound to a random port (not connected).
    fn udp(&self, upstream: SocketAddr) -> io::Result<UdpSocket>;
    /// A TCP socket of the right family, not connected.
    fn tcp(&self, upstream: SocketAddr) -> io::Result<OwnedFd>;
}

/// A resolver that questions are forwarded to.
#[derive(Clone)]
pub struct Upstream {
    /// Its address and port (53). A link-local one has the index of its interface as scope, in the
    /// namespace that it is asked from.
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
