//! The relay between address families follows the model.
//!
//! In: what is to be relayed before and after a change, as `plan` says. Out: running relays, on the
//! sockets that hold their ports. One ends before its port may go, and begins when its port is
//! there; both happen inside the change, and go back with it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hawser_hoststate::HeldPort;
use hawser_kernel::Kernel;
use hawser_relay::{Relay, Start};
use rustix::process::{Resource, getrlimit};
use tokio::runtime::Handle;

use crate::engine::system;
use crate::error::Result;

/// Held ports and where each leads.
pub(super) type Relays = BTreeMap<HeldPort, SocketAddr>;

/// Connections that are relayed at a time, at most.
const CONNECTIONS: u64 = 16384;

/// Descriptors that a relayed connection takes: two sockets and two pipes.
const DESCRIPTORS: u64 = 6;

/// What is relayed.
pub(super) struct Relaying {
    relay: Relay,
    kernel: Arc<Kernel>,
    runtime: Handle,
}

impl Relaying {
    /// Nothing yet. The relay gets half of the descriptors that the process may have, at most.
    pub(super) fn new(kernel: Arc<Kernel>) -> Self {
        let may = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let connections = (may / 2 / DESCRIPTORS).min(CONNECTIONS);
        let runtime = Handle::current();
        let relay = Relay::new(runtime.clone(), usize::try_from(connections).unwrap_or(usize::MAX));
        Self { relay, kernel, runtime }
    }

    /// Ends what `from` has and `to` has not, or leads elsewhere. Its ports are as if they had never
    /// been relayed. For a thread that may block.
    pub(super) fn end(&self, from: &Relays, to: &Relays) {
        let other = |(port, leads): &(&HeldPort, &SocketAddr)| to.get(port) != Some(leads);
        let ending: Vec<_> = from.iter().filter(other).map(|(port, _)| port).collect();
        if ending.is_empty() {
            return;
        }
        self.runtime.block_on(self.relay.stop(ending.iter().copied()));
        for port in ending {
            if let Err(error) = self.kernel.close_port(port) {
                tracing::error!(%error, cause = %error.cause, "a port goes on receiving");
            }
        }
    }

    /// Begins what is not running of `wanted`: all of it, or nothing.
    pub(super) fn begin(&self, wanted: &Relays) -> Result<()> {
        let missing = wanted.iter().filter(|(port, _)| !self.relay.has(port));
        let opened = missing.map(|(port, to)| {
            let socket = self.kernel.open_port(port).map_err(|e| system(&what(port), e))?;
            Ok(Start { port: port.clone(), socket, to: *to })
        });
        let starts = opened.collect::<Result<Vec<_>>>()?;
        if starts.is_empty() {
            return Ok(());
        }
        self.relay.start(starts).map_err(|(port, e)| system(&what(&port), e))
    }

    /// The same where one that cannot be is no reason to leave out the others: after a restart.
    pub(super) fn begin_what_can_be(&self, wanted: Relays) {
        for (port, to) in wanted {
            if let Err(error) = self.begin(&Relays::from([(port, to)])) {
                tracing::error!(%error, "cannot be relayed as the records say");
            }
        }
    }
}

fn what(port: &HeldPort) -> String {
    let address = SocketAddr::new(port.address, port.port);
    format!("relay {address}/{}", port.transport)
}
