//! Changing a network that may be in use, and its name.

use std::collections::BTreeMap;

use super::create::check_mtu;
use super::options::{MTU, PUBLISH_FROM, SOURCE_GUARD};
use super::{
    BridgeOptions, Network, NetworkChange, NetworkName, ResolverOptions, Surroundings, resolver,
};
use crate::error::Error;
use crate::id::NetworkId;
use crate::model::{Model, Touched};

/// Options of the bridge that can change under running containers; with those of the resolver.
const CHANGEABLE: [&str; 5] = [
    MTU,
    SOURCE_GUARD,
    PUBLISH_FROM,
    "com.docker.network.bridge.enable_icc",
    "com.docker.network.bridge.enable_ip_masquerade",
];

impl Model {
    /// Changes labels and options of a network and adds pools; its endpoints stay as they are,
    /// and are touched with it and their sandboxes if more than a label changes.
    pub fn update_network(
        &mut self,
        id: NetworkId,
        change: NetworkChange,
        around: &Surroundings,
    ) -> Result<Touched, Error> {
        let network = self.changeable(id)?;
        let mut changed = Network::clone(network);
        merge(&mut changed.labels, change.labels);
        set_options(&mut changed, change.options)?;
        let before = changed.pools.len();
        changed.pools.extend(self.further_pools(network, &change.pools, around)?);
        if !changed.config_only {
            self.check_pools(&changed, before)?;
            self.check_new_specials(&changed, before)?;
        }
        let touched = match changed {
            _ if changed == *network => Touched::default(),
            _ if changed.options == network.options && changed.pools == network.pools => {
                Touched::network(id)
            }
            _ => self.touched_with(id),
        };
        self.change_network(changed);
        Ok(touched)
    }

    /// Gives a network another name; refused for predefined ones, and if the name is taken.
    /// What is reserved on it follows.
    pub fn rename_network(&mut self, id: NetworkId, name: NetworkName) -> Result<Touched, Error> {
        let network = self.changeable(id)?;
        if name.is_reserved() {
            return Err(Error::PredefinedName(name.to_string()));
        }
        if self.names.contains_key(&name) {
            return Err(Error::NameTaken(name.to_string()));
        }
        let old = network.name.clone();
        let renamed = Network { name, ..Network::clone(network) };
        let before = self.clone();
        self.kept.rename(&old, &renamed.name);
        let touched = self.touched_with(id);
        self.change_network(renamed);
        // Names decide which of equal networks leads to the outside.
        for sandbox in &touched.sandboxes {
            self.check_moved_ports(&before, *sandbox)?;
        }
        Ok(touched)
    }

    /// A network that is not the engine's own.
    fn changeable(&self, id: NetworkId) -> Result<&Network, Error> {
        match self.known_network(id)? {
            network if network.predefined => Err(Error::PredefinedName(network.name.to_string())),
            network => Ok(network),
        }
    }

    /// A link-local address may lie in a pool that comes later.
    fn check_new_specials(&self, network: &Network, new: usize) -> Result<(), Error> {
        let Some(attached) = self.attached.get(&network.id) else { return Ok(()) };
        let pools = network.pools.iter().skip(new);
        for address in pools.flat_map(|pool| pool.gateway.into_iter().chain(pool.next_hop)) {
            if let Some(holder) = attached.leases.get(&address) {
                return Err(Error::AddressInUse { address, holder: Some(*holder) });
            }
        }
        Ok(())
    }

    /// A network with its endpoints and their sandboxes.
    fn touched_with(&self, id: NetworkId) -> Touched {
        let mut touched = Touched::network(id);
        for endpoint in self.endpoints_of_network(id) {
            touched.endpoints.insert(endpoint.id);
            touched.sandboxes.insert(endpoint.sandbox);
        }
        touched
    }
}

/// Sets options, or takes them back to their defaults.
fn set_options(
    network: &mut Network,
    options: BTreeMap<String, Option<String>>,
) -> Result<(), Error> {
    let fixed = |key: &&String| {
        !CHANGEABLE.contains(&key.as_str()) && !resolver::KEYS.contains(&key.as_str())
    };
    let fixed = options.keys().find(fixed).cloned();
    merge(&mut network.options, options);
    network.bridge = BridgeOptions::parse(&network.options)?;
    network.resolver = ResolverOptions::parse(&network.options)?;
    if let Some(option) = fixed {
        return Err(Error::FixedOption(option));
    }
    check_mtu(network.ipv6 && !network.config_only, &network.bridge)
}

fn merge(map: &mut BTreeMap<String, String>, changes: BTreeMap<String, Option<String>>) {
    for (key, value) in changes {
        match value {
            Some(value) => _ = map.insert(key, value),
            None => _ = map.remove(&key),
        }
    }
}
