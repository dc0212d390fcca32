//! One set or map element as the kernel holds it.
//!
//! In: an element in the words of `hoststate`. Out: attributes; and the way back. Parts of a
//! concatenated key are padded to four bytes each; ports are big-endian.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hawser_hoststate::{Element, ElementData, Family, IfName, MacAddr, SetName, Transport};

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
        other => append(list, &key(other), &value(data), false),
    }
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
        // Intervals have a start and an end: see `encode`.
        Element::Masquerade4(net) | Element::Source4(net) => net.network().octets().to_vec(),
        Element::Masquerade6(net) | Element::Source6(net) => net.network().octets().to_vec(),
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
    };
    Some((element, decode_value(&raw.data)?))
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
        for (element, data) in [
            (Element::Bridge(name.clone()), ElementData::Member),
            (Element::Station(name.clone(), MacAddr([2, 0, 0, 0, 0, 255])), ElementData::Member),
            (Element::Address4(name.clone(), ip4), ElementData::Member),
            (Element::Target6(name.clone(), Ipv6Addr::LOCALHOST), ElementData::Member),
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
    fn short_keys_are_passed_over() {
        let raw = Raw { key: vec![1, 2, 3], data: vec![1], is_end: false, ..Raw::default() };
        for set in SetName::ALL {
            assert_eq!(decode(set, &raw).filter(|_| set.as_str().starts_with("publish")), None);
        }
    }
}
