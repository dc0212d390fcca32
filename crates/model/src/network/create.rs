//! Making a network.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{
    BridgeOptions, Driver, Network, NetworkSpec, Pool, PoolSpec, ResolverOptions, Scope,
    Surroundings, pool,
};
use crate::endpoint::address::{self, span};
use crate::error::Error;
use crate::model::{Model, Touched};

impl Model {
    /// Makes a network: picks the subnets and gateways that were left out.
    pub fn create_network(
        &mut self,
        spec: NetworkSpec,
        around: &Surroundings,
    ) -> Result<Touched, Error> {
        check_reserved(&spec)?;
        let network = self.network_of(spec, around)?;
        self.check_new_network(&network)?;
        let touched = Touched::network(network.id);
        self.add_network(network);
        Ok(touched)
    }

    fn network_of(&self, spec: NetworkSpec, around: &Surroundings) -> Result<Network, Error> {
        let bridge = BridgeOptions::parse(&spec.options)?;
        let pools = match spec.driver {
            Driver::Bridge => self.pools_of(&spec, around)?,
            Driver::Host | Driver::Null => Vec::new(),
        };
        Ok(Network {
            id: spec.id,
            name: spec.name,
            created: spec.created,
            driver: spec.driver,
            scope: Scope::Local,
            predefined: spec.predefined,
            ipv4: spec.ipv4,
            ipv6: spec.ipv6,
            internal: spec.internal,
            attachable: spec.attachable,
            ingress: spec.ingress,
            config_only: spec.config_only,
            config_from: None,
            ipam_driver: spec.ipam_driver,
            ipam_options: spec.ipam_options,
            pools,
            labels: spec.labels,
            options: spec.options,
            bridge,
            resolver: ResolverOptions::default(),
        })
    }

    /// Pools of the enabled families, those asked for first (Docker passes over the others too).
    fn pools_of(&self, spec: &NetworkSpec, around: &Surroundings) -> Result<Vec<Pool>, Error> {
        if !spec.ipv4 && !spec.ipv6 {
            return Err(Error::NoFamily);
        }
        let mut faults = Vec::new();
        let mut pools = Vec::new();
        for asked in &spec.pools {
            match asked.subnet {
                Some(subnet) if !enabled(spec, subnet) => {}
                Some(subnet) => {
                    faults.extend(pool_faults(asked, subnet));
                    pools.push(pool_of(asked, subnet, !spec.predefined));
                }
                None if spec.predefined => pools.push(self.predefined_pool(asked, around)?),
                None if *asked == PoolSpec::default() => {}
                None => faults.push("invalid subnet : invalid CIDR block notation".to_owned()),
            }
        }
        if !faults.is_empty() {
            return Err(Error::InvalidConfig(faults));
        }
        for v6 in [false, true] {
            let wanted = if v6 { spec.ipv6 } else { spec.ipv4 };
            if wanted && !pools.iter().any(|pool| span(pool.subnet).v6 == v6) {
                let subnet = pool::pick(self, around, v6)?;
                pools.push(pool_of(&PoolSpec::default(), subnet, false));
            }
        }
        pools.iter_mut().for_each(add_gateway);
        Ok(pools)
    }

    /// The default bridge with `--fixed-cidr` alone: that range of the next subnet, or by itself.
    fn predefined_pool(&self, asked: &PoolSpec, around: &Surroundings) -> Result<Pool, Error> {
        let v6 = asked.ip_range.is_some_and(|range| span(range).v6);
        let picked = match asked.ip_range {
            Some(range) => pool::pick(self, around, v6)
                .ok()
                .filter(|subnet| subnet.contains(&range))
                .unwrap_or(range.trunc()),
            None => pool::pick(self, around, v6)?,
        };
        Ok(pool_of(asked, picked, false))
    }

    pub(crate) fn check_new_network(&self, network: &Network) -> Result<(), Error> {
        if self.names.contains_key(&network.name) || self.networks.contains_key(&network.id) {
            return Err(Error::NameTaken(network.name.to_string()));
        }
        if !network.has_bridge() {
            let other = self.networks().find(|other| other.driver == network.driver);
            return other.map_or(Ok(()), |_| Err(Error::OnlyOne(network.driver.as_str())));
        }
        let name = network.bridge_name();
        if let Some(other) = self.bridges.get(&name) {
            let (id, other_id) = (network.id, *other);
            return Err(Error::BridgeTaken { id, other_name: name.clone(), name, other_id });
        }
        for (i, pool) in network.pools.iter().enumerate() {
            let siblings = network.pools[..i].iter().map(|sibling| sibling.subnet);
            let sibling = { siblings }.find(|other| pool::overlaps(*other, pool.subnet));
            if let Some(other) = sibling.or_else(|| pool::overlap(self, pool.subnet)) {
                return Err(Error::PoolOverlap { wanted: pool.subnet, other });
            }
        }
        Ok(())
    }
}

/// Docker's words for what only the engine itself may make.
fn check_reserved(spec: &NetworkSpec) -> Result<(), Error> {
    match spec.driver {
        _ if spec.predefined => Ok(()),
        _ if spec.name.is_reserved() => Err(Error::PredefinedName(spec.name.to_string())),
        Driver::Bridge => Ok(()),
        Driver::Host | Driver::Null => Err(Error::OnlyOne(spec.driver.as_str())),
    }
}

fn enabled(spec: &NetworkSpec, subnet: IpNet) -> bool {
    if span(subnet).v6 { spec.ipv6 } else { spec.ipv4 }
}

fn pool_of(asked: &PoolSpec, subnet: IpNet, configured: bool) -> Pool {
    Pool {
        subnet,
        ip_range: asked.ip_range,
        gateway: asked.gateway,
        next_hop: asked.next_hop,
        auxiliary: asked.auxiliary.clone(),
        configured,
    }
}

/// The gateway is the first address that dynamic ones are taken from, as in Docker.
fn add_gateway(pool: &mut Pool) {
    if pool.gateway.is_none() {
        pool.gateway = address::first_free(pool, |_| false);
    }
}

/// What is wrong with a pool asked for, in Docker's words.
fn pool_faults(asked: &PoolSpec, subnet: IpNet) -> Vec<String> {
    let mut faults = Vec::new();
    if subnet != subnet.trunc() {
        faults.push(format!("invalid subnet {subnet}: it should be {}", subnet.trunc()));
    }
    if let Some(why) = no_place_for_containers(subnet) {
        faults.push(format!("invalid subnet {subnet}: {why}"));
    }
    if let Some(range) = asked.ip_range {
        faults.extend(range_faults(range, subnet));
    }
    if let Some(why) = asked.gateway.and_then(|gateway| address_fault(gateway, subnet)) {
        faults.extend(asked.gateway.map(|gateway| format!("invalid gateway {gateway}: {why}")));
    }
    for (name, address) in &asked.auxiliary {
        let why = address_fault(*address, subnet);
        faults.extend(why.map(|why| format!("invalid auxiliary address {name}: {why}")));
    }
    if let Some(why) = asked.next_hop.and_then(|hop| address_fault(hop, subnet)) {
        faults.extend(asked.next_hop.map(|hop| format!("invalid default gateway {hop}: {why}")));
    }
    faults
}

/// Why a subnet would take from the host what it needs itself.
fn no_place_for_containers(subnet: IpNet) -> Option<&'static str> {
    let first = subnet.network();
    match first {
        _ if subnet.prefix_len() == 0 => Some("it would take every address"),
        _ if first.is_loopback() => Some("these are loopback addresses"),
        _ if first.is_multicast() => Some("these are multicast addresses"),
        _ => None,
    }
}

fn range_faults(range: IpNet, subnet: IpNet) -> Vec<String> {
    if span(range).v6 != span(subnet).v6 {
        let family = family(subnet);
        return vec![format!("invalid ip-range {range}: parent subnet is an {family} block")];
    }
    let mut faults = Vec::new();
    if range.prefix_len() < subnet.prefix_len() {
        faults.push(format!(
            "invalid ip-range {range}: CIDR block is bigger than its parent subnet {subnet}"
        ));
    }
    if range != range.trunc() {
        faults.push(format!("invalid ip-range {range}: it should be {}", range.trunc()));
    }
    if !pool::overlaps(range, subnet) {
        faults.push(format!(
            "invalid ip-range {range}: parent subnet {subnet} doesn't contain ip-range"
        ));
    }
    faults
}

fn address_fault(address: IpAddr, subnet: IpNet) -> Option<String> {
    if address.is_ipv6() != span(subnet).v6 {
        Some(format!("parent subnet is an {} block", family(subnet)))
    } else if !subnet.contains(&address) {
        Some(format!("parent subnet {subnet} doesn't contain this address"))
    } else {
        None
    }
}

fn family(subnet: IpNet) -> &'static str {
    if span(subnet).v6 { "IPv6" } else { "IPv4" }
}
