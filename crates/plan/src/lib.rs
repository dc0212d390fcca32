//! From the model to what the host must look like.
//!
//! In: a [`Model`], what was [`Touched`] of it, [`Settings`]. Out: the [`HostState`] of the
//! touched things, so that the cost of an operation is that of its own objects: every object
//! belongs to exactly one network, sandbox or endpoint, and `diff(plan(old, touched),
//! plan(new, touched))` is the whole of an operation. Name tables come from [`zone`] and its
//! siblings. The fixed part of the firewall is [`SKELETON`]. No I/O: tests need no root.

mod driver;
mod firewall;
mod guard;
mod links;
mod names;
mod publish;
mod restrict;
mod sandbox;

use hawser_hoststate::{HostState, NamespaceName, Ns, Object, Sysctl};
use hawser_model::{Model, Network, SandboxId, Sources, Touched};

pub use names::{PrivateName, SERVER, has_names, names, private_names, search_order, zone};
pub use publish::{Published, Reached, published_ports, relays, relays_all};

/// The fixed firewall, for `nft -f -`: chains and rules, and empty sets and maps. Loading it again
/// writes the rules anew, in one step, and leaves the elements alone.
pub const SKELETON: &str = include_str!("hawser.nft");

/// The same for what bridges forward: who may send what into them.
pub const BRIDGE_SKELETON: &str = include_str!("hawser-bridge.nft");

/// All of it, each a text of its own, in the order in which they are loaded. None has elements, sets
/// without a name, or counters: the texts are compared with what the host has.
pub const SKELETONS: &[&str] = &[SKELETON, BRIDGE_SKELETON];

/// What the engine was told for all networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Largest packet in bytes on networks that don't say.
    pub mtu: u32,
    /// Whether the engine turns on forwarding in the host (`--ip-forward`).
    pub ip_forward: bool,
    /// Who may reach published ports, where neither network nor container says (`--publish-policy`).
    pub publish_from: Sources,
}

impl Default for Settings {
    /// Docker's defaults.
    fn default() -> Self {
        Self { mtu: 1500, ip_forward: true, publish_from: Sources::Any }
    }
}

/// What the host must have of the touched networks, sandboxes and endpoints. Those that the model
/// does not have (any more) contribute nothing, and so go.
pub fn plan(model: &Model, touched: &Touched, settings: &Settings) -> HostState {
    let mut state = HostState::default();
    for network in touched.networks.iter().filter_map(|id| model.network(*id)) {
        state.extend(driver::network(network, settings));
    }
    for sandbox in touched.sandboxes.iter().filter_map(|id| model.sandbox(*id)) {
        state.extend(sandbox::objects(model, sandbox, settings));
    }
    for endpoint in touched.endpoints.iter().filter_map(|id| model.endpoint(*id)) {
        state.extend(driver::endpoint(model, endpoint, settings));
    }
    state
}

/// All that the host must have: for the start of the engine, and to mend what others broke.
pub fn plan_all(model: &Model, settings: &Settings) -> HostState {
    let all = Touched {
        networks: model.networks().map(|network| network.id).collect(),
        sandboxes: model.sandboxes().map(|sandbox| sandbox.id).collect(),
        endpoints: model.endpoints().map(|endpoint| endpoint.id).collect(),
    };
    let mut state = plan(model, &all, settings);
    state.extend(engine_wide(settings).iter().map(|(_, object)| object.clone()));
    state
}

/// What the host must have without any network.
pub fn engine_wide(settings: &Settings) -> HostState {
    let forward = host_sysctl("net/ipv4/ip_forward".to_owned(), "1");
    settings.ip_forward.then_some(forward).into_iter().collect()
}

/// Name of the namespace of a sandbox: the first 12 digits of its id.
pub fn namespace(sandbox: SandboxId) -> NamespaceName {
    let name = sandbox.short();
    name.parse().unwrap_or_else(|_| unreachable!("{name} names a namespace"))
}

fn host_sysctl(name: String, value: &str) -> Object {
    Object::Sysctl(Sysctl { ns: Ns::Host, name, value: value.to_owned() })
}

/// `net.ipv4.conf.eth0/1.forwarding` is `net/ipv4/conf/eth0.1/forwarding`, as for sysctl(8).
fn sysctl_path(name: &str) -> String {
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    name.chars().map(swap).collect()
}

fn mtu(network: &Network, settings: &Settings) -> u32 {
    network.bridge.mtu.unwrap_or(settings.mtu)
}
