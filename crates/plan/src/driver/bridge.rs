//! Bridge networks: one bridge link per network, one veth pair per endpoint.
//!
//! In: records of the network, the endpoint and its interface. Out: links, addresses, permanent
//! neighbours (ARP stays flat at any size) and the network's firewall elements.

use std::net::IpAddr;

use hawser_hoststate::{
    Address, Bridge, Fdb, IfName, Link, LinkKind, Neighbour, Ns, Object, Peer, Veth,
};
use hawser_model::{Endpoint, Interface, Network, Pool};
use ipnet::IpNet;

use crate::{Settings, firewall, host_sysctl, mtu, namespace};

/// The bridge, its addresses and settings, and what the firewall knows of it.
pub(super) fn network(network: &Network, settings: &Settings) -> Vec<Object> {
    let name = network.bridge_name();
    let mut objects = Vec::new();
    if !network.bridge.existing {
        objects.push(Object::Link(Link {
            name: name.clone(),
            mac: network.gateway_mac(),
            mtu: mtu(network, settings),
            alias: format!("hawser network {}", network.id),
            kind: LinkKind::Bridge(Bridge { ipv6: network.ipv6 }),
        }));
        objects.extend(network.pools.iter().filter_map(|pool| gateway_address(pool, &name)));
    }
    objects.extend(sysctls(network, &name, settings));
    objects.extend(firewall::network(network, &name));
    objects
}

fn gateway_address(pool: &Pool, bridge: &IfName) -> Option<Object> {
    let address = IpNet::new(pool.gateway?, pool.subnet.prefix_len()).ok()?;
    Some(Object::Address(Address { ns: Ns::Host, link: bridge.clone(), address }))
}

/// `route_localnet` lets the host reach published ports over 127.0.0.1; the firewall keeps
/// loopback addresses off the wire. Router advertisements of containers are not for the host.
/// The kernel forwards IPv6 only if all of it may; so does Docker, with its first IPv6 network.
fn sysctls(network: &Network, bridge: &IfName, settings: &Settings) -> Vec<Object> {
    let mut objects = vec![host_sysctl(format!("net/ipv4/conf/{bridge}/route_localnet"), "1")];
    if network.ipv6 {
        objects.push(host_sysctl(format!("net/ipv6/conf/{bridge}/accept_ra"), "0"));
        if settings.ip_forward {
            objects.push(host_sysctl("net/ipv6/conf/all/forwarding".to_owned(), "1"));
        }
    }
    objects
}

/// The veth pair, the addresses in the sandbox, and who is where for both sides.
pub(super) fn endpoint(
    network: &Network,
    endpoint: &Endpoint,
    interface: &Interface,
    settings: &Settings,
) -> Vec<Object> {
    let inside = Ns::Named(namespace(endpoint.sandbox));
    let mut objects = vec![veth(network, endpoint, interface, settings)];
    let v4 = interface.ipv4.map(IpNet::V4);
    for address in v4.into_iter().chain(interface.ipv6.map(IpNet::V6)) {
        let (ns, link) = (inside.clone(), interface.name.clone());
        objects.push(Object::Address(Address { ns, link, address }));
        objects.push(container_neighbour(network, interface, address.addr()));
        objects.extend(gateway_neighbour(network, interface, &inside, address.addr()));
    }
    objects.push(Object::Fdb(Fdb { port: interface.host_link.clone(), mac: interface.mac }));
    objects
}

fn veth(
    network: &Network,
    endpoint: &Endpoint,
    interface: &Interface,
    settings: &Settings,
) -> Object {
    let peer = Peer {
        ns: namespace(endpoint.sandbox),
        name: interface.name.clone(),
        mac: interface.mac,
        ipv6: interface.ipv6.is_some(),
    };
    Object::Link(Link {
        name: interface.host_link.clone(),
        mac: endpoint.host_mac(),
        mtu: mtu(network, settings),
        alias: format!("hawser endpoint {}", endpoint.id),
        kind: LinkKind::Veth(Veth {
            master: network.bridge_name(),
            isolated: !network.bridge.icc,
            peer,
        }),
    })
}

/// The host knows the container without asking.
fn container_neighbour(network: &Network, interface: &Interface, ip: IpAddr) -> Object {
    let (link, mac) = (network.bridge_name(), interface.mac);
    Object::Neighbour(Neighbour { ns: Ns::Host, link, ip, mac })
}

/// The container knows its gateway without asking, if the bridge and so its address is ours.
fn gateway_neighbour(
    network: &Network,
    interface: &Interface,
    inside: &Ns,
    address: IpAddr,
) -> Option<Object> {
    let ours = network.pool_of(address).filter(|_| !network.bridge.existing);
    let ip = ours?.gateway?;
    let (ns, link, mac) = (inside.clone(), interface.name.clone(), network.gateway_mac());
    Some(Object::Neighbour(Neighbour { ns, link, ip, mac }))
}
