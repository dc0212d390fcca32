//! Links between containers on networks without icc; the rules are in the `.nft` files.
//!
//! In: an endpoint that may have links. Out: elements that let it reach the exposed ports of their
//! targets, and those answer; and for both who is where, since nobody hears their questions. All of
//! it belongs to the endpoint that links.

use std::net::IpAddr;

use hawser_hoststate::{Element, ElementData, Neighbour, Ns, Object};
use hawser_model::{Endpoint, Interface, Model, Network, Transport};

use crate::{guard, namespace};

/// What the links of an endpoint need. On a bridge of somebody else's ports are kept apart by the
/// kernel, and there are no links.
pub(crate) fn endpoint(
    model: &Model,
    network: &Network,
    endpoint: &Endpoint,
    interface: &Interface,
) -> Vec<Object> {
    if guard::is_isolated(network) {
        return Vec::new();
    }
    let own = End { endpoint, interface };
    let mut objects = Vec::new();
    for target in model.linked(endpoint) {
        let (Some(interface), Some(sandbox)) = (&target.interface, model.sandbox(target.sandbox))
        else {
            continue;
        };
        let target = End { endpoint: target, interface };
        for v6 in [false, true] {
            let addresses = own.interface.address(v6).zip(target.interface.address(v6));
            let Some((from, to)) = addresses else { continue };
            objects.extend([own.knows(&target, to), target.knows(&own, from)]);
            let ports = sandbox.exposed.iter();
            objects.extend(
                ports.flat_map(|port| way(own.interface, target.interface, from, to, *port)),
            );
        }
    }
    objects
}

/// One end of a link.
struct End<'a> {
    endpoint: &'a Endpoint,
    interface: &'a Interface,
}

impl End<'_> {
    fn knows(&self, other: &End<'_>, ip: IpAddr) -> Object {
        let ns = Ns::Named(namespace(self.endpoint.sandbox));
        let (link, mac) = (self.interface.name.clone(), other.interface.mac);
        Object::Neighbour(Neighbour { ns, link, ip, mac })
    }
}

/// There and back, at the ports of both, and past the host where `br_netfilter` shows it the frames.
fn way(
    own: &Interface,
    target: &Interface,
    from: IpAddr,
    to: IpAddr,
    (transport, port): (Transport, u16),
) -> [Object; 3] {
    [
        Element::Linked(own.host_link.clone(), to, transport, port),
        Element::Answer(target.host_link.clone(), from, transport, port),
        Element::Link(from, to, transport, port),
    ]
    .map(|element| Object::Element(element, ElementData::Member))
}
