//! Answers names inside a sandbox and forwards the rest.
//!
//! In: sockets that the caller opened inside a sandbox (127.0.0.11:53), [`Zone`]s (one per
//! network, shared by its sandboxes), a [`View`] per sandbox, and its [`Upstream`]s.
//! Out: answers. It makes no names: what a container is called is decided in `plan`.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;

/// Names of one network (or of one sandbox alone: its links), a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    names: HashMap<String, Vec<IpAddr>>,
    reverse: HashMap<IpAddr, String>,
}

impl Zone {
    /// A zone without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an address to a name; a name with several addresses is answered in turn.
    /// The name is kept in lower case, without a dot at its end; adding twice changes nothing.
    pub fn add(&mut self, name: &str, address: IpAddr) {
        let _ = (name, address);
        todo!()
    }

    /// Sets what a reverse query for the address is answered with.
    pub fn add_reverse(&mut self, address: IpAddr, name: &str) {
        let _ = (name, address);
        todo!()
    }
}

/// What one sandbox sees, in the order of looking.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Names of this sandbox alone (links), asked first.
    pub private: Zone,
    /// Keys of the zones that it sees: its networks, the order in which they are asked.
    pub zones: Vec<String>,
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

/// The name service of the daemon, for all sandboxes. Cloning it gives another handle.
#[derive(Clone)]
pub struct Dns {}

impl Dns {
    /// A name service whose tasks run on this runtime; it serves nothing yet.
    pub fn new(runtime: tokio::runtime::Handle) -> Self {
        let _ = runtime;
        todo!()
    }

    /// Starts to answer on these sockets, in place of what served this sandbox before.
    /// `upstreams` are asked in order; none: names that are not ours get SERVFAIL.
    pub fn serve(
        &self,
        sandbox: &str,
        sockets: Sockets,
        view: View,
        upstreams: Vec<Upstream>,
    ) -> io::Result<()> {
        let _ = (sandbox, sockets, view, upstreams);
        todo!()
    }

    /// Changes what a sandbox sees, at once; nothing if it is not served.
    pub fn set_view(&self, sandbox: &str, view: View) {
        let _ = (sandbox, view);
        todo!()
    }

    /// Puts a zone (a network's names) in place of the one of this key, at once and whole.
    pub fn set_zone(&self, key: &str, zone: Zone) {
        let _ = (key, zone);
        todo!()
    }

    /// Forgets a zone.
    pub fn remove_zone(&self, key: &str) {
        let _ = key;
        todo!()
    }

    /// Stops answering in a sandbox and closes its sockets; nothing if it is not served.
    pub fn stop(&self, sandbox: &str) {
        let _ = sandbox;
        todo!()
    }

    /// Whether the sandbox is served.
    pub fn serves(&self, sandbox: &str) -> bool {
        let _ = sandbox;
        todo!()
    }
}
