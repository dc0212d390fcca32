//! What an endpoint may send into its bridge; the rules are in `hawser-bridge.nft`.
//!
//! In: a network and an interface on it. Out: elements. Addresses are the leased ones, the
//! link-local ones that were asked for, and the one that the kernel makes of the hardware address.

use std::net::{IpAddr, Ipv6Addr};

use hawser_hoststate::{Element, ElementData, MacAddr, Object};
use hawser_model::{Interface, IpamDriver, Network};

/// Whether a port is one of those that the kernel keeps from one another: on a bridge of somebody
/// else's, whose hardware address is not ours to know. Anywhere else it is rules, because
/// `br_netfilter` lets published ports of neighbours be reached within the bridge.
pub(crate) fn is_isolated(network: &Network) -> bool {
    !network.bridge.icc && network.bridge.existing
}

/// All that the rules must know of an endpoint.
pub(crate) fn endpoint(network: &Network, interface: &Interface, ipv6: bool) -> Vec<Object> {
    let mut elements = Vec::new();
    if network.bridge.source_guard {
        elements.extend(source(network, interface, ipv6));
        // For the others there is more to judge than who sends.
        if network.bridge.icc {
            let known = elements.iter().filter_map(|element| known(element, interface.mac));
            elements.extend(known.collect::<Vec<_>>());
        }
    }
    if !network.bridge.icc && !is_isolated(network) {
        let port = &interface.host_link;
        elements.push(Element::Apart(port.clone()));
        elements.push(Element::Gateway(port.clone(), network.gateway_mac()));
    }
    let member = |element| Object::Element(element, ElementData::Member);
    elements.into_iter().map(member).collect()
}

/// Where nobody gives addresses, whoever runs inside may bring one, and give others theirs.
fn source(network: &Network, interface: &Interface, ipv6: bool) -> Vec<Element> {
    let port = &interface.host_link;
    let station = Element::Station(port.clone(), interface.mac);
    let mut elements = vec![Element::Guarded(port.clone()), station];
    if network.ipam_driver == IpamDriver::Null {
        return elements;
    }
    elements.push(Element::Addressed(port.clone()));
    let own = ipv6.then(|| IpAddr::V6(link_local(interface.mac)));
    for address in interface.all_addresses().chain(own) {
        match address {
            IpAddr::V4(address) => elements.push(Element::Address4(port.clone(), address)),
            IpAddr::V6(address) => elements.extend([
                Element::Address6(port.clone(), address),
                Element::Target6(port.clone(), address),
            ]),
        }
    }
    elements
}

/// What is behind a port, in one: the address of an element, and the station.
fn known(element: &Element, mac: MacAddr) -> Option<Element> {
    match element {
        Element::Address4(port, address) => Some(Element::Known4(port.clone(), mac, *address)),
        Element::Address6(port, address) => Some(Element::Known6(port.clone(), mac, *address)),
        _ => None,
    }
}

/// The link-local address that the kernel makes of a hardware address (RFC 4291, appendix A).
fn link_local(MacAddr([a, b, c, d, e, f]): MacAddr) -> Ipv6Addr {
    Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_own_address() {
        let made = link_local(MacAddr([0x02, 0x42, 0xac, 0x11, 0x00, 0x02]));
        assert_eq!(made.to_string(), "fe80::42:acff:fe11:2");
    }
}
