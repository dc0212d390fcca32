//! Name tables: what the name service in a sandbox answers.
//!
//! In: the model. Out: [`Zone`]s. One table per network, the same for all who are on it, and one
//! of private names per sandbox. A resolver looks in the private table first, then in those of
//! [`search_order`]; the first that knows the name answers. Networks of the engine itself (the
//! default bridge) have no names.

use hawser_hoststate::Zone;
use hawser_model::{Endpoint, Model, Network, NetworkId, Sandbox, SandboxId};

/// The names of a network: of each container its name, aliases, short id and host name, each also
/// with the network's name behind it, and the way back from the address.
pub fn zone(model: &Model, network: NetworkId) -> Zone {
    let mut zone = Zone::default();
    let Some(network) = model.network(network).filter(|network| !network.predefined) else {
        return zone;
    };
    for endpoint in model.endpoints_of_network(network.id) {
        if let Some(sandbox) = model.sandbox(endpoint.sandbox) {
            add(&mut zone, network, sandbox, endpoint);
        }
    }
    zone
}

fn add(zone: &mut Zone, network: &Network, sandbox: &Sandbox, endpoint: &Endpoint) {
    let Some(interface) = &endpoint.interface else { return };
    let short = sandbox.id.short();
    let own = [sandbox.name.as_str(), short.as_str(), sandbox.hostname.as_str()];
    let names = own.into_iter().chain(endpoint.aliases.iter().map(String::as_str));
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    for address in interface.addresses() {
        for name in &names {
            zone.add(name, address);
            zone.add(&format!("{name}.{}", network.name), address);
        }
        zone.point(address, &format!("{}.{}", sandbox.name, network.name));
    }
}

/// The networks whose names a sandbox knows, in the order in which they are asked.
pub fn search_order(model: &Model, sandbox: SandboxId) -> Vec<NetworkId> {
    let endpoints = model.endpoints_of_sandbox(sandbox);
    let networks = endpoints.iter().filter_map(|endpoint| model.network(endpoint.network));
    networks.filter(|network| !network.predefined).map(|network| network.id).collect()
}

/// The names that only this sandbox knows: its links to others on networks with names.
pub fn private_zone(model: &Model, sandbox: SandboxId) -> Zone {
    let mut zone = Zone::default();
    for endpoint in model.endpoints_of_sandbox(sandbox) {
        let named = model.network(endpoint.network).is_some_and(|network| !network.predefined);
        for (name, other) in endpoint.links.iter().filter(|_| named) {
            let other = model.endpoint_between(*other, endpoint.network);
            let interface = other.and_then(|other| other.interface.as_ref());
            let addresses = interface.into_iter().flat_map(|interface| interface.addresses());
            addresses.for_each(|address| zone.add(name, address));
        }
    }
    zone
}
