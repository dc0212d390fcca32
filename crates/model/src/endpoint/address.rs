//! Giving addresses: which are special in a pool, and which is the next free one, without memory
//! or time that grows with the pool's size.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::network::{Network, Pool};
use crate::spans::{Span, Spans, single, span};

/// The subnet's addresses that a station can have: without network and broadcast address in IPv4
/// (RFC 3021 keeps both of a /31) and the subnet-router anycast address in IPv6 (RFC 4291; not in
/// a /127, RFC 6164).
pub(crate) fn stations(subnet: IpNet) -> Span {
    let whole = span(subnet);
    let spare = subnet.max_prefix_len() - subnet.prefix_len();
    match (spare, whole.v6) {
        (0 | 1, _) => whole,
        (_, true) => Span { first: whole.first + 1, ..whole },
        (_, false) => Span { first: whole.first + 1, last: whole.last - 1, ..whole },
    }
}

/// What is kept from endpoints in a pool: the subnet's own special addresses, gateway, next hop
/// and auxiliary addresses.
pub(crate) fn special(pool: &Pool) -> impl Iterator<Item = Span> {
    let (whole, stations) = (span(pool.subnet), stations(pool.subnet));
    let ends = [whole.first, whole.last].map(|n| single(whole.address(n)));
    let ends = ends.into_iter().filter(move |end| end.meet(stations).is_none());
    let named = pool.gateway.into_iter().chain(pool.next_hop);
    ends.chain(named.chain(pool.auxiliary.values().copied()).map(single))
}

/// Whether an address of the pool is kept from endpoints.
pub(crate) fn is_special(pool: &Pool, address: IpAddr) -> bool {
    special(pool).any(|span| span.contains(address))
}

/// Where dynamic addresses of a pool come from.
pub(crate) fn range(pool: &Pool) -> Option<Span> {
    let stations = stations(pool.subnet);
    pool.ip_range.map_or(Some(stations), |range| span(range).meet(stations))
}

/// The lowest dynamic address of a pool that is not taken.
pub(crate) fn first_free(pool: &Pool, taken: &Spans) -> Option<IpAddr> {
    let range = range(pool)?;
    taken.first_gap(range).map(|number| range.address(number))
}

/// The lowest free address in the first pool of a family that has one, and its prefix length.
pub(crate) fn pick(network: &Network, v6: bool, taken: &Spans) -> Option<(IpAddr, u8)> {
    let pools = network.pools.iter().filter(|pool| span(pool.subnet).v6 == v6);
    let free = |pool: &Pool| Some((first_free(pool, taken)?, pool.subnet.prefix_len()));
    pools.filter_map(free).next()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
        let mut taken = Spans::default();
        special(pool).for_each(|special| taken.insert(special));
        first_free(pool, &taken).map(|a| a.to_string())
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
        assert!(is_special(&pool, [10, 0, 0, 0].into()));
        assert!(is_special(&pool, [10, 0, 0, 7].into()));
        assert!(!is_special(&pool, [10, 0, 0, 4].into()));
    }

    #[test]
    fn a_full_pool_gives_nothing() {
        let pool = pool("10.0.0.0/30", None);
        let mut taken = Spans::default();
        taken.insert(span(pool.subnet));
        assert_eq!(first_free(&pool, &taken), None);
    }
}
