//! One set or map element as the kernel holds it.
//!
//! In: an element in the words of `hoststate`. Out: attributes; and the way back. Parts of a
//! concatenated key are padded to four bytes each; ports are big-endian.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hawser_hoststate::{At, Element, ElementData, Family, IfName, MacAddr, SetName, Transport};
use ipnet::IpNet;

use super::interval;
use crate::address::octets;
use crate::netlink::number::*;
use crate::netlink::{Message, attributes, text};

/// Length of a link name in a key (IFNAMSIZ).
const IFNAME: usize = 16;

/// An element as dumped.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw {
    pub(super) key: Vec<u8>,
    pub(super) data: Vec<u8>,
    /// It is the end of an interval (exclusive), not a start.
    pub(super) is_end: bool,
    /// The other end (inclusive) of a range of concatenated keys; empty of one key.
    pub(super) key_end: Vec<u8>,
    /// The data, when it is a verdict.
    pub(super) verdict: Vec<u8>,
    /// It stands for all keys that are not there.
    pub(super) is_rest: bool,
}

impl Raw {
    /// Reads the attributes of an element.
    pub(super) fn read(element: &[u8]) -> Self {
        let mut raw = Self::default();
        let value = |nested| attributes(nested).value_of(NFTA_DATA_VALUE).unwrap_or_default();
        for (kind, nested) in attributes(element) {
            match kind {
                NFTA_SET_ELEM_KEY => raw.key = value(nested).to_vec(),
                NFTA_SET_ELEM_KEY_END => raw.key_end = value(nested).to_vec(),
                NFTA_SET_ELEM_DATA => {
                    raw.data = value(nested).to_vec();
                    let verdict = attributes(nested).value_of(NFTA_DATA_VERDICT);
                    raw.verdict = verdict.unwrap_or_default().to_vec();
                }
                NFTA_SET_ELEM_FLAGS => {
                    let flags = nested.try_into().map_or(0, u32::from_be_bytes);
                    raw.is_end = flags & NFT_SET_ELEM_INTERVAL_END != 0;
                    raw.is_rest = flags & NFT_SET_ELEM_CATCHALL != 0;
                }
                _ => {}
            }
        }
        raw
    }

    /// Whether it is the element of a key, or its range has it; each part of a key has a range of
    /// its own.
    pub(super) fn holds(&self, key: &[u8]) -> bool {
        if self.key_end.is_empty() {
            return self.key == key;
        }
        let parts = key.chunks(4).zip(self.key.chunks(4)).zip(self.key_end.chunks(4));
        parts.into_iter().all(|((part, from), to)| from <= part && part <= to)
    }
}

/// Appends an element to a list of elements; an interval is two.
pub(super) fn encode(list: &mut Message, element: &Element, data: ElementData) {
    match element {
        Element::Masquerade4(net) | Element::Source4(net) => {
            interval::encode(list, (*net).into(), &value(data));
        }
        Element::Masquerade6(net) | Element::Source6(net) => {
            interval::encode(list, (*net).into(), &value(data));
        }
        Element::From(.., net) => {
            let [from, to] = [net.network(), net.broadcast()].map(|end| range_end(element, end));
            append_range(list, &from, &to);
        }
        other => append(list, &key(other), &value(data), false),
    }
}

/// Appends the attributes of one raw element whose key is a range, both ends included.
fn append_range(list: &mut Message, from: &[u8], to: &[u8]) {
    list.nest(NFTA_LIST_ELEM, |element| {
        for (kind, end) in [(NFTA_SET_ELEM_KEY, from), (NFTA_SET_ELEM_KEY_END, to)] {
            element.nest(kind, |value| {
                value.bytes(NFTA_DATA_VALUE, end);
            });
        }
    });
}

/// Appends the attributes of one raw element.
pub(super) fn append(list: &mut Message, key: &[u8], data: &[u8], is_end: bool) {
    list.nest(NFTA_LIST_ELEM, |element| {
        element.nest(NFTA_SET_ELEM_KEY, |value| {
            value.bytes(NFTA_DATA_VALUE, key);
        });
        if is_end {
            element.bytes(NFTA_SET_ELEM_FLAGS, &NFT_SET_ELEM_INTERVAL_END.to_be_bytes());
        }
        if !data.is_empty() {
            element.nest(NFTA_SET_ELEM_DATA, |value| {
                value.bytes(NFTA_DATA_VALUE, data);
            });
        }
    });
}

fn key(element: &Element) -> Vec<u8> {
    match element {
        Element::Bridge(name)
        | Element::Isolated(name)
        | Element::Internal(name)
        | Element::Guarded(name)
        | Element::Addressed(name)
        | Element::Apart(name) => link(name),
        Element::Station(name, mac) | Element::Gateway(name, mac) => {
            [link(name).as_slice(), &mac.0, &[0, 0]].concat()
        }
        Element::Address4(name, ip) => [link(name).as_slice(), &ip.octets()].concat(),
        Element::Address6(name, ip) | Element::Target6(name, ip) => {
            [link(name).as_slice(), &ip.octets()].concat()
        }
        Element::Known4(name, mac, ip) => {
            [link(name).as_slice(), &mac.0, &[0, 0], &ip.octets()].concat()
        }
        Element::Known6(name, mac, ip) => {
            [link(name).as_slice(), &mac.0, &[0, 0], &ip.octets()].concat()
        }
        Element::SameBridge(name) => [link(name), link(name)].concat(),
        Element::Trusted(from, to) => [link(from), link(to)].concat(),
        Element::Unprotected(name, family) | Element::Routed(name, family) => {
            [link(name), vec![protocol(*family), 0, 0, 0]].concat()
        }
        Element::Open4(ip, transport, port)
        | Element::Publish4(ip, transport, port)
        | Element::Relayed4(ip, transport, port) => published(&ip.octets(), *transport, *port),
        Element::Open6(ip, transport, port)
        | Element::Publish6(ip, transport, port)
        | Element::Relayed6(ip, transport, port) => published(&ip.octets(), *transport, *port),
        Element::PublishAny4(transport, port) | Element::PublishAny6(transport, port) => {
            published(&[], *transport, *port)
        }
        Element::RelayedAny(family, transport, port) => {
            published(&[protocol(*family), 0, 0, 0], *transport, *port)
        }
        Element::Restricted(at, transport, port) => restricted(*at, *transport, *port),
        Element::FromLink(name, at, transport, port) => {
            [link(name), restricted(*at, *transport, *port)].concat()
        }
        Element::Link(from, to, transport, port) => {
            [octets(*from), published(&octets(*to), *transport, *port)].concat()
        }
        Element::Linked(name, to, transport, port) | Element::Answer(name, to, transport, port) => {
            [link(name), published(&octets(*to), *transport, *port)].concat()
        }
        // Intervals have a start and an end: see `encode`.
        Element::From(.., net) => range_end(element, net.network()),
        Element::Masquerade4(net) | Element::Source4(net) => net.network().octets().to_vec(),
        Element::Masquerade6(net) | Element::Source6(net) => net.network().octets().to_vec(),
    }
}

/// One end of the range of sources of an [`Element::From`].
fn range_end(element: &Element, source: IpAddr) -> Vec<u8> {
    let place = match element {
        Element::From(At::One(ip), transport, port, _) => {
            published(&octets(*ip), *transport, *port)
        }
        Element::From(At::Every(_), transport, port, _) => published(&[], *transport, *port),
        _ => Vec::new(),
    };
    [place, octets(source)].concat()
}

fn restricted(at: At, transport: Transport, port: u16) -> Vec<u8> {
    match at {
        At::One(ip) => published(&octets(ip), transport, port),
        At::Every(family) => published(&[protocol(family), 0, 0, 0], transport, port),
    }
}

fn link(name: &IfName) -> Vec<u8> {
    let mut bytes = name.as_str().as_bytes().to_vec();
    bytes.resize(IFNAME, 0);
    bytes
}

fn protocol(family: Family) -> u8 {
    match family {
        Family::Ipv4 => NFPROTO_IPV4,
        Family::Ipv6 => NFPROTO_IPV6,
    }
}

fn published(ip: &[u8], transport: Transport, port: u16) -> Vec<u8> {
    let [high, low] = port.to_be_bytes();
    [ip, &[transport.number(), 0, 0, 0, high, low, 0, 0]].concat()
}

fn value(data: ElementData) -> Vec<u8> {
    match data {
        ElementData::Member => Vec::new(),
        ElementData::Source(ip) => octets(ip),
        ElementData::Destination(ip, port) => {
            let [high, low] = port.to_be_bytes();
            [octets(ip), vec![high, low, 0, 0]].concat()
        }
    }
}

/// The element of a dumped one; none when it can't be in that set (another version's table).
pub(super) fn decode(set: SetName, raw: &Raw) -> Option<(Element, ElementData)> {
    let key = raw.key.as_slice();
    let name = || text(key.get(..IFNAME).unwrap_or(key)).parse().ok();
    let rest = || key.get(IFNAME..);
    let element = match set {
        SetName::Bridges => Element::Bridge(name()?),
        SetName::SameBridge => Element::SameBridge(name()?),
        SetName::Isolated => Element::Isolated(name()?),
        SetName::Internal => Element::Internal(name()?),
        SetName::Guarded => Element::Guarded(name()?),
        SetName::Addressed => Element::Addressed(name()?),
        SetName::Apart => Element::Apart(name()?),
        SetName::Stations => Element::Station(name()?, decode_mac(rest()?)?),
        SetName::Gateways => Element::Gateway(name()?, decode_mac(rest()?)?),
        SetName::Addresses4 => Element::Address4(name()?, decode_octets::<4>(rest()?)?.into()),
        SetName::Addresses6 => Element::Address6(name()?, decode_octets::<16>(rest()?)?.into()),
        SetName::Targets6 => Element::Target6(name()?, decode_octets::<16>(rest()?)?.into()),
        SetName::Known4 => {
            let (mac, ip) = rest()?.split_at_checked(8)?;
            Element::Known4(name()?, decode_mac(mac)?, decode_octets::<4>(ip)?.into())
        }
        SetName::Known6 => {
            let (mac, ip) = rest()?.split_at_checked(8)?;
            Element::Known6(name()?, decode_mac(mac)?, decode_octets::<16>(ip)?.into())
        }
        SetName::Unprotected => Element::Unprotected(name()?, decode_family(rest()?)?),
        SetName::Routed => Element::Routed(name()?, decode_family(rest()?)?),
        SetName::Trusted => Element::Trusted(name()?, text(rest()?).parse().ok()?),
        SetName::Open4 => {
            let (ip, transport, port) = decode_published::<4>(key)?;
            Element::Open4(Ipv4Addr::from(ip), transport, port)
        }
        SetName::Open6 => {
            let (ip, transport, port) = decode_published::<16>(key)?;
            Element::Open6(Ipv6Addr::from(ip), transport, port)
        }
        SetName::Publish4 => {
            let (ip, transport, port) = decode_published::<4>(key)?;
            Element::Publish4(Ipv4Addr::from(ip), transport, port)
        }
        SetName::Publish6 => {
            let (ip, transport, port) = decode_published::<16>(key)?;
            Element::Publish6(Ipv6Addr::from(ip), transport, port)
        }
        SetName::PublishAny4 => {
            let ([], transport, port) = decode_published::<0>(key)?;
            Element::PublishAny4(transport, port)
        }
        SetName::PublishAny6 => {
            let ([], transport, port) = decode_published::<0>(key)?;
            Element::PublishAny6(transport, port)
        }
        SetName::Relayed4 => {
            let (ip, transport, port) = decode_published::<4>(key)?;
            Element::Relayed4(Ipv4Addr::from(ip), transport, port)
        }
        SetName::Relayed6 => {
            let (ip, transport, port) = decode_published::<16>(key)?;
            Element::Relayed6(Ipv6Addr::from(ip), transport, port)
        }
        SetName::RelayedAny => {
            let (family, transport, port) = decode_published::<4>(key)?;
            Element::RelayedAny(decode_family(&family)?, transport, port)
        }
        SetName::Masquerade4 | SetName::Masquerade6 | SetName::Source4 | SetName::Source6 => {
            return None;
        }
        _ => decode_reach(set, raw)?,
    };
    Some((element, decode_value(&raw.data)?))
}

/// The element of a dumped one in the sets of who may reach what.
fn decode_reach(set: SetName, raw: &Raw) -> Option<Element> {
    let key = raw.key.as_slice();
    let name = || text(key.get(..IFNAME).unwrap_or(key)).parse().ok();
    let rest = || key.get(IFNAME..);
    Some(match set {
        SetName::Restricted4 | SetName::Restricted6 | SetName::RestrictedAny => {
            let (at, transport, port, _) = decode_at(set == SetName::RestrictedAny, key)?;
            Element::Restricted(at, transport, port)
        }
        SetName::FromLink4 | SetName::FromLink6 | SetName::FromLinkAny => {
            let (at, transport, port, _) = decode_at(set == SetName::FromLinkAny, rest()?)?;
            Element::FromLink(name()?, at, transport, port)
        }
        SetName::From4 | SetName::From6 => {
            let (at, transport, port, source) = decode_at(false, key)?;
            Element::From(at, transport, port, decode_net(source, &raw.key_end)?)
        }
        SetName::FromAny4 | SetName::FromAny6 => {
            let ([], transport, port) = decode_published::<0>(key)?;
            let family = if set == SetName::FromAny4 { Family::Ipv4 } else { Family::Ipv6 };
            let net = decode_net(key.get(8..)?, &raw.key_end)?;
            Element::From(At::Every(family), transport, port, net)
        }
        SetName::Links4 | SetName::Links6 => {
            let (from, to) = key.split_at_checked(if set == SetName::Links4 { 4 } else { 16 })?;
            let (At::One(to), transport, port, _) = decode_at(false, to)? else { return None };
            Element::Link(crate::address::ip(from)?, to, transport, port)
        }
        SetName::Linked4 | SetName::Linked6 | SetName::Answers4 | SetName::Answers6 => {
            let (At::One(to), transport, port, _) = decode_at(false, rest()?)? else { return None };
            match set {
                SetName::Linked4 | SetName::Linked6 => {
                    Element::Linked(name()?, to, transport, port)
                }
                _ => Element::Answer(name()?, to, transport, port),
            }
        }
        _ => return None,
    })
}

/// Where a port is reached, and what follows in the key; the length says of which family it is.
fn decode_at(every: bool, key: &[u8]) -> Option<(At, Transport, u16, &[u8])> {
    if every {
        let (family, transport, port) = decode_published::<4>(key)?;
        return Some((At::Every(decode_family(&family)?), transport, port, &[]));
    }
    // IPv4 with a source is as long as nothing of IPv6 is: 12, 16; 24, 40.
    let length = if key.len() < 24 { 4 } else { 16 };
    let (ip, rest) = key.split_at_checked(length)?;
    let ([], transport, port) = decode_published::<0>(rest)?;
    Some((At::One(crate::address::ip(ip)?), transport, port, rest.get(8..)?))
}

/// The network of a range: its first address, and the key that ends with its last one.
fn decode_net(first: &[u8], end: &[u8]) -> Option<IpNet> {
    let last = end.get(end.len().checked_sub(first.len())?..)?;
    let same = |(a, b): (&u8, &u8)| (a ^ b).leading_zeros();
    let differing = first.iter().zip(last).position(|(a, b)| a != b);
    let prefix = match differing {
        None => 8 * first.len() as u32,
        Some(at) => 8 * at as u32 + same((first.get(at)?, last.get(at)?)),
    };
    IpNet::new(crate::address::ip(first)?, u8::try_from(prefix).ok()?).ok()
}

fn decode_octets<const N: usize>(rest: &[u8]) -> Option<[u8; N]> {
    rest.first_chunk().copied()
}

fn decode_mac(rest: &[u8]) -> Option<MacAddr> {
    decode_octets(rest).map(MacAddr)
}

fn decode_family(rest: &[u8]) -> Option<Family> {
    let families = [Family::Ipv4, Family::Ipv6];
    families.into_iter().find(|family| rest.first() == Some(&protocol(*family)))
}

fn decode_published<const N: usize>(key: &[u8]) -> Option<([u8; N], Transport, u16)> {
    let (ip, rest) = key.split_first_chunk::<N>()?;
    let [number, _, _, _, high, low, _, _] = *rest.first_chunk::<8>()?;
    let transports = [Transport::Tcp, Transport::Udp, Transport::Sctp];
    let transport = transports.into_iter().find(|transport| transport.number() == number)?;
    Some((*ip, transport, u16::from_be_bytes([high, low])))
}

fn decode_value(data: &[u8]) -> Option<ElementData> {
    if data.is_empty() {
        return Some(ElementData::Member);
    }
    let (ip, port) = data.split_at_checked(data.len().checked_sub(4)?)?;
    let ip: IpAddr = crate::address::ip(ip)?;
    Some(ElementData::Destination(ip, u16::from_be_bytes([port[0], port[1]])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_read_back() {
        let ip4 = Ipv4Addr::new(127, 0, 0, 1);
        let to4 = ElementData::Destination(Ipv4Addr::new(172, 17, 0, 2).into(), 80);
        let to6 = ElementData::Destination(Ipv6Addr::LOCALHOST.into(), 53);
        let name: IfName = "hawser0".parse().expect("name");
        let mac = MacAddr([2, 0, 0, 0, 0, 255]);
        for (element, data) in [
            (Element::Bridge(name.clone()), ElementData::Member),
            (Element::Station(name.clone(), mac), ElementData::Member),
            (Element::Address4(name.clone(), ip4), ElementData::Member),
            (Element::Target6(name.clone(), Ipv6Addr::LOCALHOST), ElementData::Member),
            (Element::Known4(name.clone(), mac, ip4), ElementData::Member),
            (Element::Known6(name.clone(), mac, Ipv6Addr::LOCALHOST), ElementData::Member),
            (Element::SameBridge(name.clone()), ElementData::Member),
            (Element::Trusted("eth0".parse().expect("name"), name.clone()), ElementData::Member),
            (Element::Unprotected(name.clone(), Family::Ipv4), ElementData::Member),
            (Element::Routed(name.clone(), Family::Ipv6), ElementData::Member),
            (Element::Internal(name), ElementData::Member),
            (Element::Open4(ip4, Transport::Tcp, 80), ElementData::Member),
            (Element::Open6(Ipv6Addr::LOCALHOST, Transport::Sctp, 80), ElementData::Member),
            (Element::Publish4(ip4, Transport::Tcp, 8080), to4),
            (Element::Publish6(Ipv6Addr::LOCALHOST, Transport::Udp, 53), to6),
            (Element::PublishAny4(Transport::Sctp, 65535), to4),
            (Element::PublishAny6(Transport::Tcp, 1), to6),
            (Element::Relayed4(ip4, Transport::Udp, 53), ElementData::Member),
            (Element::Relayed6(Ipv6Addr::LOCALHOST, Transport::Tcp, 80), ElementData::Member),
            (Element::RelayedAny(Family::Ipv6, Transport::Tcp, 80), ElementData::Member),
        ] {
            let raw =
                Raw { key: key(&element), data: value(data), is_end: false, ..Raw::default() };
            assert_eq!(decode(element.set(), &raw), Some((element, data)));
        }
    }

    #[test]
    fn sources_and_links_read_back() {
        let ips = [IpAddr::from([127, 0, 0, 1]), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let name: IfName = "wan0".parse().expect("name");
        let mut elements = Vec::new();
        for (ip, family) in ips.into_iter().zip([Family::Ipv4, Family::Ipv6]) {
            for at in [At::One(ip), At::Every(family)] {
                elements.push(Element::Restricted(at, Transport::Udp, 53));
                elements.push(Element::FromLink(name.clone(), at, Transport::Tcp, 80));
                let bits = IpNet::from(ip).max_prefix_len();
                for length in [0, 1, 9, 24, 31, bits] {
                    let net = IpNet::new(ip, length).expect("net").trunc();
                    elements.push(Element::From(at, Transport::Sctp, 1, net));
                }
            }
            elements.push(Element::Link(ip, ip, Transport::Tcp, 80));
            elements.push(Element::Linked(name.clone(), ip, Transport::Tcp, 80));
            elements.push(Element::Answer(name.clone(), ip, Transport::Udp, 80));
        }
        for element in elements {
            let key_end = match &element {
                Element::From(.., net) => range_end(&element, net.broadcast()),
                _ => Vec::new(),
            };
            let raw = Raw { key: key(&element), key_end, ..Raw::default() };
            assert_eq!(decode(element.set(), &raw), Some((element, ElementData::Member)));
        }
    }

    #[test]
    fn short_keys_are_passed_over() {
        let raw = Raw { key: vec![1, 2, 3], data: vec![1], is_end: false, ..Raw::default() };
        for set in SetName::ALL {
            assert_eq!(decode(set, &raw).filter(|_| set.as_str().starts_with("publish")), None);
        }
    }
}
