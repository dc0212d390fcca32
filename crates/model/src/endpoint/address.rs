//! Giving addresses: which are free in a pool, without memory or time that grows with its size.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::id::EndpointId;
use crate::network::Pool;

/// A block of addresses as numbers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub v6: bool,
    pub first: u128,
    pub last: u128,
}

impl Span {
    /// The address that a number stands for in the span's family.
    pub fn address(&self, number: u128) -> IpAddr {
        match u32::try_from(number) {
            Ok(number) if !self.v6 => IpAddr::V4(Ipv4Addr::from_bits(number)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(number)),
        }
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The span of a subnet.
pub(crate) fn span(net: IpNet) -> Span {
    Span {
        v6: matches!(net, IpNet::V6(_)),
        first: number(net.network()),
        last: number(net.broadcast()),
    }
}

/// The subnet's addresses that a station can have: without network and broadcast address in IPv4
/// (RFC 3021 keeps both of a /31) and the subnet-router anycast address in IPv6 (RFC 4291; not in
/// a /127, RFC 6164).
fn stations(subnet: IpNet) -> Span {
    let whole = span(subnet);
    let spare = subnet.max_prefix_len() - subnet.prefix_len();
    match (spare, whole.v6) {
        (0 | 1, _) => whole,
        (_, true) => Span { first: whole.first + 1, ..whole },
        (_, false) => Span { first: whole.first + 1, last: whole.last - 1, ..whole },
    }
}

/// Whether an address of the pool is kept from endpoints: the subnet's own special addresses,
/// gateway, next hop and auxiliary addresses.
pub(crate) fn is_reserved(pool: &Pool, address: IpAddr) -> bool {
    let stations = stations(pool.subnet);
    !(stations.first..=stations.last).contains(&number(address))
        || pool.gateway == Some(address)
        || pool.next_hop == Some(address)
        || pool.auxiliary.values().any(|other| *other == address)
}

/// The lowest address of the pool's range that is neither reserved nor taken. Each step passes
/// over an address that is in use, so there are never more steps than such addresses.
pub(crate) fn first_free(pool: &Pool, taken: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let stations = stations(pool.subnet);
    let range = pool.ip_range.map_or(stations, span);
    let first = range.first.max(stations.first);
    let last = range.last.min(stations.last);
    let mut numbers = (first..=last).map(|number| stations.address(number));
    numbers.find(|address| !is_reserved(pool, *address) && !taken(*address))
}

/// The lowest free address of a family over all pools of a network.
pub(crate) fn pick(
    pools: &[Pool],
    v6: bool,
    leases: &BTreeMap<IpAddr, EndpointId>,
) -> Option<(IpAddr, u8)> {
    let pools = pools.iter().filter(|pool| span(pool.subnet).v6 == v6);
    let free = |pool: &Pool| first_free(pool, |address| leases.contains_key(&address));
    pools.filter_map(|pool| Some((free(pool)?, pool.subnet.prefix_len()))).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(subnet: &str, ip_range: Option<&str>) -> Pool {
        Pool {
            subnet: subnet.parse().unwrap(),
            ip_range: ip_range.map(|r| r.parse().unwrap()),
            gateway: None,
            next_hop: None,
            auxiliary: BTreeMap::new(),
            configured: false,
        }
    }

    fn first(pool: &Pool) -> Option<String> {
        first_free(pool, |_| false).map(|a| a.to_string())
    }

    #[test]
    fn special_addresses_are_passed_over() {
        assert_eq!(first(&pool("10.0.0.0/24", None)).as_deref(), Some("10.0.0.1"));
        assert_eq!(first(&pool("10.0.0.0/24", Some("10.0.0.64/26"))).as_deref(), Some("10.0.0.64"));
        assert_eq!(first(&pool("10.0.0.0/31", None)).as_deref(), Some("10.0.0.0"));
        assert_eq!(first(&pool("10.0.0.7/32", None)).as_deref(), Some("10.0.0.7"));
        assert_eq!(first(&pool("fd00::/64", None)).as_deref(), Some("fd00::1"));
        assert_eq!(first(&pool("fd00::/127", None)).as_deref(), Some("fd00::"));
        assert_eq!(first(&pool("10.0.0.0/24", Some("10.0.0.255/32"))), None);
    }

    #[test]
    fn reserved_addresses_are_not_given() {
        let mut pool = pool("10.0.0.0/29", None);
        pool.gateway = Some([10, 0, 0, 1].into());
        pool.next_hop = Some([10, 0, 0, 2].into());
        pool.auxiliary.insert("router".to_owned(), [10, 0, 0, 3].into());
        assert_eq!(first(&pool).as_deref(), Some("10.0.0.4"));
        assert!(is_reserved(&pool, [10, 0, 0, 0].into()));
        assert!(is_reserved(&pool, [10, 0, 0, 7].into()));
        assert!(!is_reserved(&pool, [10, 0, 0, 4].into()));
    }

    #[test]
    fn a_full_pool_gives_nothing() {
        assert_eq!(first_free(&pool("10.0.0.0/30", None), |_| true), None);
    }
}
