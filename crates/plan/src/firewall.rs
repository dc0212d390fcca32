//! Elements of the firewall's sets and maps; the rules that use them are in `hawser.nft`.

use std::net::IpAddr;

use hawser_hoststate::{Element, ElementData, IfName, Object};
use hawser_model::{Network, Publication};
use ipnet::IpNet;

fn member(element: Element) -> Object {
    Object::Element(element, ElementData::Member)
}

/// What the firewall must know of a network.
pub(crate) fn network(network: &Network, bridge: &IfName) -> Vec<Object> {
    let mut elements = vec![Element::Bridge(bridge.clone()), Element::SameBridge(bridge.clone())];
    if !network.bridge.icc {
        elements.push(Element::Isolated(bridge.clone()));
    }
    if network.internal {
        elements.push(Element::Internal(bridge.clone()));
    } else if network.bridge.ip_masquerade {
        elements.extend(network.pools.iter().map(|pool| match pool.subnet {
            IpNet::V4(net) => Element::Masquerade4(net),
            IpNet::V6(net) => Element::Masquerade6(net),
        }));
    }
    elements.into_iter().map(member).collect()
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
