//! Elements of interval sets: a start, and an exclusive end.
//!
//! In: networks. Out: pairs of raw elements; and the way back. A network that ends where the
//! addresses do has no end element.

use std::cmp::Reverse;
use std::net::IpAddr;

use hawser_hoststate::{Element, ElementData, SetName};
use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use super::element::{Raw, append};
use crate::address::{ip, octets};
use crate::netlink::Message;

/// Appends the two elements of a network, the first one with its value.
pub(super) fn encode(list: &mut Message, net: IpNet, value: &[u8]) {
    append(list, &octets(net.network()), value, false);
    if let Some(end) = following(net.broadcast()) {
        append(list, &octets(end), &[], true);
    }
}

fn following(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => v4.to_bits().checked_add(1).map(|bits| IpAddr::V4(bits.into())),
        IpAddr::V6(v6) => v6.to_bits().checked_add(1).map(|bits| IpAddr::V6(bits.into())),
    }
}

fn preceding(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => v4.to_bits().checked_sub(1).map(|bits| IpAddr::V4(bits.into())),
        IpAddr::V6(v6) => v6.to_bits().checked_sub(1).map(|bits| IpAddr::V6(bits.into())),
    }
}

/// The networks of a dumped set, in any order.
pub(super) fn decode(set: SetName, raw: &[Raw]) -> Vec<(Element, ElementData)> {
    let mark = |raw: &Raw| Some((ip(&raw.key)?, Reverse(raw.is_end), ip(&raw.data)));
    let mut marks: Vec<_> = raw.iter().filter_map(mark).collect();
    // At one address an end comes before the next start.
    marks.sort();
    let mut elements = Vec::new();
    for (at, (start, _, value)) in marks.iter().enumerate().filter(|(_, mark)| !mark.1.0) {
        let last = match marks.get(at + 1) {
            Some((next, ..)) => preceding(*next),
            None => Some(highest(*start)),
        };
        let nets = last.map(|last| networks(*start, last)).unwrap_or_default();
        elements.extend(nets.into_iter().filter_map(|net| element(set, net, *value)));
    }
    elements
}

fn highest(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::V4(u32::MAX.into()),
        IpAddr::V6(_) => IpAddr::V6(u128::MAX.into()),
    }
}

fn networks(first: IpAddr, last: IpAddr) -> Vec<IpNet> {
    match (first, last) {
        (IpAddr::V4(a), IpAddr::V4(b)) => Ipv4Subnets::new(a, b, 0).map(IpNet::V4).collect(),
        (IpAddr::V6(a), IpAddr::V6(b)) => Ipv6Subnets::new(a, b, 0).map(IpNet::V6).collect(),
        _ => Vec::new(),
    }
}

fn element(set: SetName, net: IpNet, value: Option<IpAddr>) -> Option<(Element, ElementData)> {
    Some(match (set, net) {
        (SetName::Masquerade4, IpNet::V4(net)) => (Element::Masquerade4(net), ElementData::Member),
        (SetName::Masquerade6, IpNet::V6(net)) => (Element::Masquerade6(net), ElementData::Member),
        (SetName::Source4, IpNet::V4(net)) => (Element::Source4(net), ElementData::Source(value?)),
        (SetName::Source6, IpNet::V6(net)) => (Element::Source6(net), ElementData::Source(value?)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(net: &str) -> Vec<Raw> {
        let net: IpNet = net.parse().expect("net");
        let raw = |ip, is_end| Raw { key: octets(ip), is_end, ..Raw::default() };
        let end = following(net.broadcast()).map(|end| raw(end, true));
        std::iter::once(raw(net.network(), false)).chain(end).collect()
    }

    #[test]
    fn neighbouring_networks_stay_apart() {
        let nets = ["10.1.0.0/16", "10.0.0.0/16", "240.0.0.0/4", "10.2.3.4/32"];
        let raw: Vec<_> = nets.iter().flat_map(|net| marks(net)).collect();
        let mut read: Vec<_> =
            decode(SetName::Masquerade4, &raw).into_iter().map(|(element, _)| element).collect();
        let mut wanted: Vec<_> =
            nets.iter().map(|net| Element::Masquerade4(net.parse().expect("net"))).collect();
        read.sort();
        wanted.sort();
        assert_eq!(read, wanted);
    }

    #[test]
    fn reads_the_highest_ipv6_network() {
        let read = decode(SetName::Masquerade6, &marks("ff00::/8"));
        let wanted = Element::Masquerade6("ff00::/8".parse().expect("net"));
        assert_eq!(read, [(wanted, ElementData::Member)]);
    }
}
