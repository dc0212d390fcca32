//! Who may reach a published port, if not everybody; the rules are in `hawser.nft`.
//!
//! In: where a port is reached, and the sources that are let in. Out: elements. The host itself is
//! never kept out, so that it has none.

use hawser_hoststate::{At, Element, ElementData, Family, Object, Transport};
use hawser_model::Sources;

/// The elements that keep others from a port of this address, or of every address of the host;
/// none if everybody may reach it.
pub(crate) fn restriction(
    at: At,
    transport: Transport,
    port: u16,
    sources: &Sources,
) -> impl Iterator<Item = Object> {
    let only = match sources {
        Sources::Any => None,
        Sources::Only { nets, links } => Some((nets, links)),
    };
    let elements = only.into_iter().flat_map(move |(nets, links)| {
        let nets = nets.iter().filter(move |net| net.addr().is_ipv6() == is_ipv6(at));
        let nets = nets.map(move |net| Element::From(at, transport, port, *net));
        let links = links.iter();
        let links = links.map(move |link| Element::FromLink(link.clone(), at, transport, port));
        std::iter::once(Element::Restricted(at, transport, port)).chain(nets).chain(links)
    });
    elements.map(|element| Object::Element(element, ElementData::Member))
}

fn is_ipv6(at: At) -> bool {
    match at {
        At::One(address) => address.is_ipv6(),
        At::Every(family) => family == Family::Ipv6,
    }
}
