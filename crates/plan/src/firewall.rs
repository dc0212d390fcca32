//! Elements of the firewall's sets and maps; the rules that use them are in `hawser.nft`.

use std::net::IpAddr;

use hawser_hoststate::{Element, ElementData, Family, IfName, Object};
use hawser_model::{GatewayMode, Network, Publication};
use ipnet::IpNet;

fn member(element: Element) -> Object {
    Object::Element(element, ElementData::Member)
}

/// What the firewall must know of a network.
pub(crate) fn network(network: &Network, bridge: &IfName) -> Vec<Object> {
    let mut objects =
        vec![member(Element::Bridge(bridge.clone())), member(Element::SameBridge(bridge.clone()))];
    if !network.bridge.icc {
        objects.push(member(Element::Isolated(bridge.clone())));
    }
    if network.internal {
        objects.push(member(Element::Internal(bridge.clone())));
        return objects;
    }
    objects.extend(network.ipv4.then(|| way_in(network, bridge, false)).flatten());
    objects.extend(network.ipv6.then(|| way_in(network, bridge, true)).flatten());
    let trusted = network.bridge.trusted_interfaces.iter();
    objects.extend(trusted.map(|from| member(Element::Trusted(from.clone(), bridge.clone()))));
    objects.extend(network.pools.iter().flat_map(|pool| way_out(network, pool.subnet)));
    objects
}

/// How containers of a network are reached with one family, if not by host ports alone.
fn way_in(network: &Network, bridge: &IfName, v6: bool) -> Option<Object> {
    let family = if v6 { Family::Ipv6 } else { Family::Ipv4 };
    match network.bridge.gateway_mode(v6) {
        GatewayMode::NatUnprotected => Some(member(Element::Unprotected(bridge.clone(), family))),
        GatewayMode::Routed => Some(member(Element::Routed(bridge.clone(), family))),
        GatewayMode::Nat | GatewayMode::Isolated => None,
    }
}

/// Which address packets of a subnet leave the host with, if not with their own.
fn way_out(network: &Network, subnet: IpNet) -> Vec<Object> {
    let options = &network.bridge;
    if !options.ip_masquerade
        || options.gateway_mode(subnet.addr().is_ipv6()) == GatewayMode::Routed
    {
        return Vec::new();
    }
    let certain = |element, source: IpAddr| Object::Element(element, ElementData::Source(source));
    let (host, certain) = match subnet {
        IpNet::V4(net) => (
            Element::Masquerade4(net),
            options.host_ipv4.map(|source| certain(Element::Source4(net), source.into())),
        ),
        IpNet::V6(net) => (
            Element::Masquerade6(net),
            options.host_ipv6.map(|source| certain(Element::Source6(net), source.into())),
        ),
    };
    [Some(member(host)), certain].into_iter().flatten().collect()
}

/// The element that opens a published port at the container's own address.
pub(crate) fn opening(publication: &Publication, to: IpAddr) -> Object {
    let Publication { transport, container_port, .. } = *publication;
    member(match to {
        IpAddr::V4(to) => Element::Open4(to, transport, container_port),
        IpAddr::V6(to) => Element::Open6(to, transport, container_port),
    })
}

/// The element that marks a published port as one that the engine relays.
pub(crate) fn relayed(publication: &Publication) -> Object {
    let Publication { transport, host, host_port, .. } = *publication;
    member(match host {
        IpAddr::V4(host) if host.is_unspecified() => {
            Element::RelayedAny(Family::Ipv4, transport, host_port)
        }
        IpAddr::V6(host) if host.is_unspecified() => {
            Element::RelayedAny(Family::Ipv6, transport, host_port)
        }
        IpAddr::V4(host) => Element::Relayed4(host, transport, host_port),
        IpAddr::V6(host) => Element::Relayed6(host, transport, host_port),
    })
}

/// The element that leads a published port to a container's address; none if they are of
/// different families, which no address translation joins.
pub(crate) fn publication(publication: &Publication, to: IpAddr) -> Option<Object> {
    let Publication { transport, container_port, host, host_port } = *publication;
    let element = match (host, to) {
        (IpAddr::V4(host), IpAddr::V4(_)) if host.is_unspecified() => {
            Element::PublishAny4(transport, host_port)
        }
        (IpAddr::V4(host), IpAddr::V4(_)) => Element::Publish4(host, transport, host_port),
        (IpAddr::V6(host), IpAddr::V6(_)) if host.is_unspecified() => {
            Element::PublishAny6(transport, host_port)
        }
        (IpAddr::V6(host), IpAddr::V6(_)) => Element::Publish6(host, transport, host_port),
        _ => return None,
    };
    Some(Object::Element(element, ElementData::Destination(to, container_port)))
}
