//! Reads what of ours is there, in the words of `hoststate`.
//!
//! In: dumps of the host's namespace, of every pinned one, and of our nftables table. Out: a
//! [`HostState`]. Whatever is not marked as ours (alias, protocol number, table) is passed over.

use std::collections::HashMap;

use hawser_hoststate::{
    Address, Bridge, Fdb, HostState, IfName, Link, LinkKind, MacAddr, NamespaceName, Neighbour, Ns,
    Object, Peer, Route, Veth,
};
use ipnet::IpNet;

use crate::address::AddressRecord;
use crate::error::{Error, ErrorKind};
use crate::link::LinkRecord;
use crate::netlink::{Message, Socket};
use crate::route::RouteRecord;
use crate::{Kernel, address, link, neighbour, nft, route};

/// Stands for a namespace or a name that could not be found: it differs from any wanted one.
const UNKNOWN: &str = "unknown";

/// What a namespace says.
struct View {
    ns: Ns,
    links: HashMap<u32, LinkRecord>,
}

/// See [`Kernel::observe`].
pub(crate) fn observe(kernel: &Kernel) -> Result<HostState, Error> {
    let mut state = HostState::default();
    let host = View::read(Ns::Host, &mut kernel.route_socket())?;
    let mut views = Vec::new();
    for name in kernel.namespaces.list()? {
        let mut inside = match kernel.namespaces.enter(&kernel.worker, &name) {
            // It went away just now.
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            inside => inside?,
        };
        let view = View::read(Ns::Named(name.clone()), &mut inside.socket)?;
        state.insert(Object::Namespace(name));
        state.extend(view.settings(&mut inside.socket)?);
        views.push(view);
    }
    state.extend(host.settings(&mut kernel.route_socket())?);
    state.extend(host.forwarding_entries(&mut kernel.route_socket())?);
    state.extend(host.our_links(&views));
    state.extend(kernel.ports.list().into_iter().map(Object::HeldPort));
    state.extend(kernel.servers.list().into_iter().map(Object::NameServer));
    let elements = nft::elements(&mut kernel.firewall().socket)?;
    state.extend(elements.into_iter().map(|(element, data)| Object::Element(element, data)));
    Ok(state)
}

pub(crate) fn read<T>(
    socket: &mut Socket,
    what: &'static str,
    message: &Message,
    parse: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let dumped = socket.dump(message).map_err(|cause| Error::new("read", what, cause))?;
    Ok(dumped.iter().filter_map(|payload| parse(payload)).collect())
}

impl View {
    fn read(ns: Ns, socket: &mut Socket) -> Result<Self, Error> {
        let links = read(socket, "links", &link::dump(), link::parse)?;
        Ok(Self { ns, links: links.into_iter().map(|link| (link.index, link)).collect() })
    }

    fn name(&self, index: u32) -> Option<IfName> {
        self.links.get(&index)?.name.parse().ok()
    }

    /// Addresses, neighbours and routes with our mark.
    fn settings(&self, socket: &mut Socket) -> Result<Vec<Object>, Error> {
        let addresses = read(socket, "addresses", &address::dump(), address::parse)?;
        let neighbours = read(socket, "neighbours", &neighbour::dump(), neighbour::parse)?;
        let routes = read(socket, "routes", &route::dump(), route::parse)?;
        let ns = || self.ns.clone();
        let addresses = addresses.into_iter().filter(|record| record.ours).filter_map(|record| {
            let link = self.name(record.index)?;
            Some(Object::Address(Address { ns: ns(), link, address: record.address }))
        });
        let neighbours = neighbours.into_iter().filter_map(|record| {
            let link = self.name(record.index)?;
            Some(Object::Neighbour(Neighbour { ns: ns(), link, ip: record.ip, mac: record.mac }))
        });
        let routes = routes.into_iter().filter(|record| record.ours).filter_map(|record| {
            let RouteRecord { destination, via, index, .. } = record;
            Some(Object::Route(Route { ns: ns(), destination, via, link: self.name(index)? }))
        });
        Ok(addresses.chain(neighbours).chain(routes).collect())
    }

    /// Static entries of the ports that are ours.
    fn forwarding_entries(&self, socket: &mut Socket) -> Result<Vec<Object>, Error> {
        let entries =
            read(socket, "forwarding entries", &neighbour::dump_fdb(), neighbour::parse_fdb)?;
        let ours = entries.into_iter().filter(|entry| {
            self.links.get(&entry.index).is_some_and(|port| is_ours(port) && port.master != 0)
        });
        let object = |entry: neighbour::FdbRecord| {
            Some(Object::Fdb(Fdb { port: self.name(entry.index)?, mac: entry.mac }))
        };
        Ok(ours.filter_map(object).collect())
    }

    fn our_links(&self, views: &[Self]) -> Vec<Object> {
        let peers = peers(views);
        let ours = self.links.values().filter(|link| is_ours(link));
        ours.filter_map(|link| self.our_link(link, &peers)).map(Object::Link).collect()
    }

    fn our_link(&self, record: &LinkRecord, peers: &Peers<'_>) -> Option<Link> {
        let kind = match record.kind.as_str() {
            "bridge" => LinkKind::Bridge(Bridge { ipv6: record.ipv6 }),
            "veth" => LinkKind::Veth(Veth {
                master: self.name(record.master).or_else(|| UNKNOWN.parse().ok())?,
                isolated: record.isolated,
                peer: peer(record, peers)?,
            }),
            _ => return None,
        };
        // A link with an end that is down shows no alias: it differs from any wanted one, and is
        // repaired.
        let far = peers.get(&(record.index, record.other_end));
        let up = record.up && far.is_none_or(|(_, far)| far.up);
        let alias = if up { record.alias.clone() } else { String::new() };
        let name = record.name.parse().ok()?;
        Some(Link { name, mac: record.mac?, mtu: record.mtu, alias, kind })
    }
}

/// Links of namespaces by the index of the other end and their own.
type Peers<'a> = HashMap<(u32, u32), (&'a NamespaceName, &'a LinkRecord)>;

fn peers(views: &[View]) -> Peers<'_> {
    let mut peers = Peers::new();
    for view in views {
        let Ns::Named(name) = &view.ns else { continue };
        for link in view.links.values().filter(|link| link.other_end != 0) {
            peers.insert((link.other_end, link.index), (name, link));
        }
    }
    peers
}

fn peer(near: &LinkRecord, peers: &Peers<'_>) -> Option<Peer> {
    let found = peers.get(&(near.index, near.other_end)).and_then(|(ns, far)| {
        let (ns, name) = ((*ns).clone(), far.name.parse().ok()?);
        Some(Peer { ns, name, mac: far.mac?, ipv6: far.ipv6 })
    });
    let unknown = || {
        let (ns, name) = (UNKNOWN.parse().ok()?, UNKNOWN.parse().ok()?);
        Some(Peer { ns, name, mac: MacAddr([0; 6]), ipv6: false })
    };
    found.or_else(unknown)
}

fn is_ours(link: &LinkRecord) -> bool {
    link.is_ours() && !link.is_trash()
}

/// Addresses of the link of an index, whosever it is.
pub(crate) fn addresses_of(socket: &mut Socket, index: u32) -> Result<Vec<IpNet>, Error> {
    let all: Vec<AddressRecord> = read(socket, "addresses", &address::dump(), address::parse)?;
    Ok(all.into_iter().filter(|a| a.index == index).map(|a| a.address).collect())
}

/// Name of the link of the first default route.
pub(crate) fn uplink(socket: &mut Socket) -> Result<Option<String>, Error> {
    let routes = read(socket, "routes", &route::dump(), route::parse)?;
    let Some(route) = routes.iter().find(|route| route.destination.prefix_len() == 0) else {
        return Ok(None);
    };
    let links = read(socket, "links", &link::dump(), link::parse)?;
    Ok(links.into_iter().find(|link| link.index == route.index).map(|link| link.name))
}

/// The highest interface index in use.
pub(crate) fn highest_index(socket: &mut Socket) -> Result<u32, Error> {
    let links = read(socket, "links", &link::dump(), link::parse)?;
    Ok(links.into_iter().map(|link| link.index).max().unwrap_or(0))
}
