//! Name tables: what the name service in a sandbox answers.
//!
//! In: the model. Out: [`Zone`]s. One table per network, the same for all who are on it, and for
//! each sandbox its private names, which stand for others in those tables. A resolver looks at the
//! private names first, then in the tables of [`search_order`]; the first that knows the name
//! answers. Networks of the engine itself (the default bridge) have no names.

use std::net::Ipv4Addr;

use hawser_hoststate::{Names, Zone};
use hawser_model::{IpamDriver, Mode, Model, NetworkId, Sandbox, SandboxId};

/// The names of a network: of each container its name, aliases, short id and host name, each also
/// with the network's name behind it, and the way back from the address. Names below the network's
/// own and addresses of its subnets are nobody else's: those that no container has don't exist.
pub fn zone(model: &Model, network: NetworkId) -> Zone {
    let Some(network) = model.network(network).filter(|network| !network.predefined) else {
        return Zone::default();
    };
    let mut zone = Zone::below(network.name.as_str());
    // Where others give the addresses, others may have names for them.
    if network.ipam_driver == IpamDriver::Default {
        network.pools.iter().for_each(|pool| zone.cover(pool.subnet));
    }
    for endpoint in model.endpoints_of_network(network.id) {
        if let Some(names) = names(model, network.id, endpoint.sandbox) {
            zone.set(&endpoint.sandbox.to_string(), names);
        }
    }
    zone
}

/// What a sandbox is called on a network, and nobody else there has to do with; `None` if it has no
/// name there. Its owner in the network's [`zone`] is the sandbox's id.
pub fn names(model: &Model, network: NetworkId, sandbox: SandboxId) -> Option<Names> {
    let endpoint = model.endpoint_between(sandbox, network)?;
    let interface = endpoint.interface.as_ref()?;
    let network = model.network(network).filter(|network| !network.predefined)?;
    let sandbox = model.sandbox(sandbox)?;
    let short = sandbox.id.short();
    let own = [sandbox.name.as_str(), short.as_str(), sandbox.hostname.as_str()];
    let all = own.into_iter().chain(endpoint.aliases.iter().map(String::as_str));
    let all = all.filter(|name| !name.is_empty());
    Some(Names {
        names: all.flat_map(|name| [name.to_owned(), format!("{name}.{}", network.name)]).collect(),
        addresses: interface.addresses().collect(),
        reverse: Some(format!("{}.{}", sandbox.name, network.name)),
    })
}

/// Where every sandbox with a name service asks, as in Docker.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// Whether names are answered in a sandbox: it is on a network with names, or was made to ask the
/// host. It has a namespace of its own.
pub fn has_names(model: &Model, sandbox: &Sandbox) -> bool {
    let named = || !search_order(model, sandbox.id).is_empty();
    sandbox.mode == Mode::Own && (sandbox.asks_host || named())
}

/// The networks whose names a sandbox knows, in the order in which they are asked.
pub fn search_order(model: &Model, sandbox: SandboxId) -> Vec<NetworkId> {
    let endpoints = model.endpoints_of_sandbox(sandbox);
    let networks = endpoints.iter().filter_map(|endpoint| model.network(endpoint.network));
    networks.filter(|network| !network.predefined).map(|network| network.id).collect()
}

/// A name that only one sandbox knows (`--link`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateName {
    /// The name.
    pub name: String,
    /// The network in whose table the other name is looked up.
    pub network: NetworkId,
    /// The name that it stands for there.
    pub target: String,
}

/// The names that only this sandbox knows, each also with the network's name behind it: its links
/// on networks with names, in the order in which those are asked.
pub fn private_names(model: &Model, sandbox: SandboxId) -> Vec<PrivateName> {
    let mut found = Vec::new();
    for endpoint in model.endpoints_of_sandbox(sandbox) {
        let network = model.network(endpoint.network).filter(|network| !network.predefined);
        let Some(network) = network else { continue };
        for (name, target) in &endpoint.links {
            for name in [name.clone(), format!("{name}.{}", network.name)] {
                found.push(PrivateName { name, network: network.id, target: target.clone() });
            }
        }
    }
    found
}
