//! What the engine counts.
//!
//! In: nothing. Out: numbers that are there anyway: nothing is looked up on the host for them.

pub use hawser_dns::{Tally, UpstreamTally};

use super::ContainerCounts;
use crate::Engine;

/// What is counted, now and since the daemon's start.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Version of the engine.
    pub version: &'static str,
    /// Containers, by their states.
    pub containers: ContainerCounts,
    /// Networks, the predefined ones as well.
    pub networks: usize,
    /// Endpoints of containers that run.
    pub endpoints: usize,
    /// Ports of the host that are held.
    pub held_ports: usize,
    /// Sandboxes in which names are answered.
    pub name_services: usize,
    /// Questions of all sandboxes since the daemon's start.
    pub names: Tally,
}

impl Engine {
    /// What has been counted by now.
    pub fn metrics(&self) -> Metrics {
        let (networks, endpoints) = self.networks.sizes();
        let names = self.networks.dns.counters();
        Metrics {
            version: env!("CARGO_PKG_VERSION"),
            containers: self.count(),
            networks,
            endpoints,
            held_ports: self.kernel.held_ports(),
            name_services: names.sandboxes.len(),
            names: names.total,
        }
    }
}
