//! Picking subnets: the next free one of the default pools, and what overlaps what.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::endpoint::address::{Span, span};
use crate::error::Error;
use crate::model::Model;

/// A block that subnets are cut from (`--default-address-pool base=…,size=…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultPool {
    /// The block.
    pub base: IpNet,
    /// Prefix length of each subnet; not shorter than the base's.
    pub size: u8,
}

/// What a new network must fit into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// Where subnets come from, in order; of both families.
    pub pools: Vec<DefaultPool>,
    /// What the host itself uses: addresses, routes, name servers. Default routes and their
    /// halves are passed over. Only picking looks at it; a subnet asked for is the user's affair.
    pub taken: Vec<IpNet>,
}

/// Docker's default pools: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 in /20s.
pub fn docker_pools() -> Vec<DefaultPool> {
    let pool = |net: ([u8; 4], u8), size| {
        IpNet::new(IpAddr::from(net.0), net.1).ok().map(|base| DefaultPool { base, size })
    };
    let b = (17..=31u8).map(|second| pool(([172, second, 0, 0], 16), 16));
    b.chain([pool(([192, 168, 0, 0], 16), 20)]).flatten().collect()
}

/// The first subnet of a family in the pools that overlaps nothing in use.
pub(super) fn pick(model: &Model, around: &Surroundings, v6: bool) -> Result<IpNet, Error> {
    let own = model.networks().flat_map(|n| n.pools.iter().map(|pool| pool.subnet));
    let taken = around.taken.iter().copied().filter(|net| net.prefix_len() > 1);
    let mut used: Vec<Span> = own.chain(taken).map(span).filter(|s| s.v6 == v6).collect();
    used.sort_by_key(|s| s.first);
    let pools = around.pools.iter().filter(|p| span(p.base).v6 == v6);
    pools.filter_map(|pool| pick_from(pool, &used)).next().ok_or(Error::NoMoreSubnets)
}

/// One walk over what is used, in ascending order: the candidate jumps behind each that it meets.
fn pick_from(pool: &DefaultPool, used: &[Span]) -> Option<IpNet> {
    let base = span(pool.base);
    if pool.size < pool.base.prefix_len() || pool.size > pool.base.max_prefix_len() {
        return None;
    }
    let ones = u128::MAX.checked_shr(128 - u32::from(pool.base.max_prefix_len() - pool.size));
    let ones = ones.unwrap_or(0);
    let mut first = base.first;
    for other in used {
        if other.first > first.saturating_add(ones) {
            break;
        }
        if other.last >= first {
            first = (other.last | ones).checked_add(1)?;
        }
    }
    let fits = first >= base.first && first.checked_add(ones)? <= base.last;
    fits.then(|| IpNet::new(base.address(first), pool.size).ok()).flatten()
}

/// Another network's pool that a subnet overlaps.
pub(super) fn overlap(model: &Model, subnet: IpNet) -> Option<IpNet> {
    let pools = model.networks().flat_map(|network| &network.pools);
    pools.map(|pool| pool.subnet).find(|other| overlaps(*other, subnet))
}

/// Whether two subnets share an address.
pub(super) fn overlaps(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(nets: &[&str]) -> Vec<Span> {
        let mut spans: Vec<Span> = nets.iter().map(|n| span(n.parse().unwrap())).collect();
        spans.sort_by_key(|s| s.first);
        spans
    }

    fn pool(base: &str, size: u8) -> DefaultPool {
        DefaultPool { base: base.parse().unwrap(), size }
    }

    #[test]
    fn the_first_gap_that_fits_is_taken() {
        let p = pool("10.0.0.0/8", 24);
        let pick = |used: &[&str]| pick_from(&p, &spans(used)).map(|n| n.to_string());
        assert_eq!(pick(&[]).as_deref(), Some("10.0.0.0/24"));
        assert_eq!(pick(&["10.0.0.128/25"]).as_deref(), Some("10.0.1.0/24"));
        assert_eq!(pick(&["10.0.0.0/24", "10.0.2.0/24"]).as_deref(), Some("10.0.1.0/24"));
        assert_eq!(pick(&["10.0.0.0/16", "10.0.3.0/24"]).as_deref(), Some("10.1.0.0/24"));
        assert_eq!(pick(&["9.0.0.0/8", "11.0.0.0/8"]).as_deref(), Some("10.0.0.0/24"));
        assert_eq!(pick(&["10.0.0.0/8"]), None);
    }

    #[test]
    fn the_ends_of_the_address_space_are_safe() {
        let p = pool("255.255.255.0/24", 24);
        assert_eq!(pick_from(&p, &spans(&["255.255.255.255/32"])), None);
        let all = pool("::/0", 128);
        assert_eq!(pick_from(&all, &spans(&["::/1"])).unwrap().to_string(), "8000::/128");
        let whole = pool("::/0", 0);
        assert_eq!(pick_from(&whole, &[]).unwrap().to_string(), "::/0");
        assert_eq!(pick_from(&pool("10.0.0.0/8", 4), &[]), None);
    }

    #[test]
    fn docker_has_31_subnets() {
        let count: u32 = docker_pools().iter().map(|p| 1 << (p.size - p.base.prefix_len())).sum();
        assert_eq!(count, 31);
    }
}
