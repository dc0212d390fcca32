//! Picking subnets: the next free one of the default pools, and what overlaps what.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::error::Error;
use crate::model::Model;
use crate::spans::{Span, Spans, span};

/// A block that subnets are cut from (`--default-address-pool base=…,size=…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultPool {
    /// The block.
    pub base: IpNet,
    /// Prefix length of each subnet; not shorter than the base's.
    pub size: u8,
}

/// What a new network must fit into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Where subnets come from, in order; of both families.
    pub pools: Vec<DefaultPool>,
    /// What the host itself uses: addresses, routes, name servers. Default routes and their
    /// halves are passed over. Only picking looks at it; a subnet asked for is the user's affair.
    pub taken: Vec<IpNet>,
    /// Where routes of the host's lead nowhere (`blackhole`, `unreachable`, `prohibit`, `throw`). A
    /// subnet inside of one goes before it; one that holds it, or equals it, does not.
    pub dead: Vec<IpNet>,
}

/// Docker's default pools: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 in /20s.
pub fn docker_pools() -> Vec<DefaultPool> {
    let pool = |net: ([u8; 4], u8), size| {
        IpNet::new(IpAddr::from(net.0), net.1).ok().map(|base| DefaultPool { base, size })
    };
    let b = (17..=31u8).map(|second| pool(([172, second, 0, 0], 16), 16));
    b.chain([pool(([192, 168, 0, 0], 16), 20)]).flatten().collect()
}

impl Surroundings {
    pub(super) fn spans(&self) -> Spans {
        let mut spans = Spans::default();
        let used = self.taken.iter().filter(|net| net.prefix_len() > 1);
        used.for_each(|net| spans.insert(span(*net)));
        spans
    }

    /// Dead routes that a subnet of this size does not go before.
    fn dead_within(&self, size: u8) -> Spans {
        let mut spans = Spans::default();
        let within = self.dead.iter().filter(|net| net.prefix_len() >= size);
        within.for_each(|net| spans.insert(span(*net)));
        spans
    }
}

/// The first subnet of a family in the default pools that overlaps nothing busy: of the size that
/// each pool is cut into, or of a certain one.
pub(super) fn pick<const N: usize>(
    busy: [&Spans; N],
    around: &Surroundings,
    v6: bool,
    size: Option<u8>,
) -> Result<IpNet, Error> {
    let sized = |p: &DefaultPool| DefaultPool { size: size.unwrap_or(p.size), ..*p };
    let fits = |p: &DefaultPool| (p.base.prefix_len()..=p.base.max_prefix_len()).contains(&p.size);
    let pools = around.pools.iter().filter(|p| span(p.base).v6 == v6);
    let pools: Vec<_> = pools.map(sized).filter(fits).collect();
    if let Some(size) = size.filter(|_| pools.is_empty()) {
        return Err(Error::NoPoolOfSize { size });
    }
    let pick = |pool: &DefaultPool| {
        let dead = around.dead_within(pool.size);
        let busy: Vec<&Spans> = busy.into_iter().chain([&dead]).collect();
        pick_from(pool, &busy)
    };
    pools.iter().find_map(pick).ok_or(Error::NoMoreSubnets)
}

/// The candidate jumps behind each busy block that it meets. Blocks that touch are one, so that
/// the number of jumps is that of the gaps which are too small, not of the subnets in use.
fn pick_from(pool: &DefaultPool, busy: &[&Spans]) -> Option<IpNet> {
    let base = span(pool.base);
    let ones = u128::MAX.checked_shr(128 - u32::from(pool.base.max_prefix_len() - pool.size));
    let ones = ones.unwrap_or(0);
    let mut first = base.first;
    loop {
        let candidate = Span { first, last: first.checked_add(ones)?, ..base };
        if candidate.last > base.last {
            return None;
        }
        let met = busy.iter().filter_map(|spans| spans.last_overlapping(candidate));
        match met.map(|block| block.last).max() {
            Some(last) => first = (last | ones).checked_add(1)?,
            None => return IpNet::new(base.address(first), pool.size).ok(),
        }
    }
}

/// Another network's pool that a subnet overlaps. Walks over all of them.
pub(super) fn overlap(model: &Model, subnet: IpNet) -> Option<IpNet> {
    let pools = model.networks().filter(|n| !n.config_only).flat_map(|network| &network.pools);
    pools.map(|pool| pool.subnet).find(|other| overlaps(*other, subnet))
}

/// Whether two subnets share an address.
pub(super) fn overlaps(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(nets: &[&str]) -> Spans {
        let mut spans = Spans::default();
        nets.iter().for_each(|net| spans.insert(span(net.parse().unwrap())));
        spans
    }

    fn pool(base: &str, size: u8) -> DefaultPool {
        DefaultPool { base: base.parse().unwrap(), size }
    }

    #[test]
    fn the_first_gap_that_fits_is_taken() {
        let p = pool("10.0.0.0/8", 24);
        let pick = |used: &[&str]| pick_from(&p, &[&spans(used)]).map(|n| n.to_string());
        assert_eq!(pick(&[]).as_deref(), Some("10.0.0.0/24"));
        assert_eq!(pick(&["10.0.0.128/25"]).as_deref(), Some("10.0.1.0/24"));
        assert_eq!(pick(&["10.0.0.0/24", "10.0.2.0/24"]).as_deref(), Some("10.0.1.0/24"));
        assert_eq!(pick(&["10.0.0.0/16", "10.0.3.0/24"]).as_deref(), Some("10.1.0.0/24"));
        assert_eq!(pick(&["9.0.0.0/8", "11.0.0.0/8"]).as_deref(), Some("10.0.0.0/24"));
        assert_eq!(pick(&["10.0.0.0/8"]), None);
        let both = [&spans(&["10.0.0.0/24"]), &spans(&["10.0.1.7/32", "10.0.2.0/23"])];
        assert_eq!(pick_from(&p, &both).unwrap().to_string(), "10.0.4.0/24");
    }

    #[test]
    fn the_ends_of_the_address_space_are_safe() {
        let p = pool("255.255.255.0/24", 24);
        assert_eq!(pick_from(&p, &[&spans(&["255.255.255.255/32"])]), None);
        let all = pool("::/0", 128);
        assert_eq!(pick_from(&all, &[&spans(&["::/1"])]).unwrap().to_string(), "8000::/128");
        let whole = pool("::/0", 0);
        assert_eq!(pick_from(&whole, &[]).unwrap().to_string(), "::/0");
    }

    #[test]
    fn a_size_may_be_asked_for() {
        let around = Surroundings {
            pools: vec![pool("10.0.0.0/16", 24), pool("10.8.0.0/14", 24), pool("fd00::/48", 64)],
            taken: vec!["10.0.0.0/26".parse().unwrap()],
            ..Surroundings::default()
        };
        let used = spans(&["10.0.1.0/24"]);
        let pick = |v6, size| pick([&used, &around.spans()], &around, v6, size);
        let picked = |v6, size| pick(v6, size).map(|net: IpNet| net.to_string());
        assert_eq!(picked(false, None).as_deref(), Ok("10.0.2.0/24"));
        assert_eq!(picked(false, Some(26)).as_deref(), Ok("10.0.0.64/26"));
        assert_eq!(picked(false, Some(17)).as_deref(), Ok("10.0.128.0/17"));
        assert_eq!(picked(false, Some(15)).as_deref(), Ok("10.8.0.0/15"));
        assert_eq!(picked(true, Some(80)).as_deref(), Ok("fd00::/80"));
        assert_eq!(picked(false, Some(8)), Err(Error::NoPoolOfSize { size: 8 }));
        assert_eq!(picked(false, Some(33)), Err(Error::NoPoolOfSize { size: 33 }));
        let bad = Surroundings { pools: vec![pool("10.0.0.0/8", 4)], ..Surroundings::default() };
        assert_eq!(super::pick([], &bad, false, None), Err(Error::NoMoreSubnets));
    }

    #[test]
    fn routes_to_nowhere_are_in_the_way_of_what_they_go_before() {
        let dead = ["10.0.0.0/8", "10.0.0.0/24", "10.0.1.64/26"];
        let around = Surroundings {
            pools: vec![pool("10.0.0.0/16", 24)],
            dead: dead.iter().map(|net| net.parse().unwrap()).collect(),
            ..Surroundings::default()
        };
        let picked = |size| pick([], &around, false, size).map(|net| net.to_string());
        assert_eq!(picked(None).as_deref(), Ok("10.0.2.0/24"));
        assert_eq!(picked(Some(25)).as_deref(), Ok("10.0.0.0/25"), "inside of a dead /24");
        assert_eq!(picked(Some(16)), Err(Error::NoMoreSubnets));
    }

    #[test]
    fn docker_has_31_subnets() {
        let count: u32 = docker_pools().iter().map(|p| 1 << (p.size - p.base.prefix_len())).sum();
        assert_eq!(count, 31);
    }
}
