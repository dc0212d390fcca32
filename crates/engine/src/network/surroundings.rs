//! What a new network must fit into.
//!
//! In: the host's routes, addresses and name servers, and the networks that there are. Out: where
//! subnets are cut from, and what they must not overlap beside one another.

use hawser_kernel::Prefixes;
use hawser_model::Surroundings;
use ipnet::IpNet;

use super::Networks;
use super::resolv_conf::{Resolver, Server};
use crate::engine::system;
use crate::error::Result;

impl Networks {
    /// Asked for anew for each network: the host changes.
    pub(super) fn surroundings(&self) -> Result<Surroundings> {
        let prefixes = self.kernel.foreign_prefixes();
        let Prefixes { used: mut taken, dead } =
            prefixes.map_err(|e| system("look at the host's addresses", e))?;
        taken.extend(
            Resolver::of_host()
                .servers
                .iter()
                .filter_map(|server| Server::parse(server))
                .map(|server| IpNet::from(server.address)),
        );
        let model = self.writer.model();
        let pools = model.networks().flat_map(|network| &network.pools);
        Ok(Surroundings {
            pools: self.pools.clone(),
            taken: outside(taken, pools.map(|pool| pool.subnet).collect()),
            dead,
        })
    }
}

/// The nets that are in none of these subnets, which don't overlap: what is inside is a network's
/// own, on a bridge of somebody else's for instance.
fn outside(mut nets: Vec<IpNet>, mut subnets: Vec<IpNet>) -> Vec<IpNet> {
    subnets.sort_unstable_by_key(IpNet::network);
    nets.retain(|net| {
        let after = subnets.partition_point(|subnet| subnet.network() <= net.network());
        let before = after.checked_sub(1).and_then(|at| subnets.get(at));
        !before.is_some_and(|subnet| subnet.contains(net))
    });
    nets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(all: &[&str]) -> Vec<IpNet> {
        all.iter().map(|net| net.parse().unwrap()).collect()
    }

    #[test]
    fn what_is_inside_a_network_is_its_own() {
        let subnets = nets(&["fd00:1::/64", "10.2.0.0/16", "10.0.0.0/24", "10.0.1.0/24"]);
        let taken = nets(&[
            "10.0.0.0/24",
            "10.0.1.7/32",
            "10.0.0.0/23",
            "10.1.0.0/16",
            "10.2.3.4/24",
            "9.0.0.0/8",
            "fd00:1::5/128",
            "fd00::/16",
        ]);
        let left = nets(&["10.0.0.0/23", "10.1.0.0/16", "9.0.0.0/8", "fd00::/16"]);
        assert_eq!(outside(taken.clone(), subnets), left);
        assert_eq!(outside(taken.clone(), Vec::new()), taken);
    }
}
