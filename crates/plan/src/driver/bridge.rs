//! Bridge networks: one bridge link per network, one veth pair per endpoint.
//!
//! In: records of the network, the endpoint and its interface. Out: links, addresses, permanent
//! neighbours (ARP stays flat at any size) and the network's firewall elements.

use std::net::IpAddr;

use hawser_hoststate::{
    Address, Bridge, Fdb, IfName, Link, LinkKind, Neighbour, Ns, Object, Peer, Route, Sysctl, Veth,
};
use hawser_model::{Endpoint, GatewayMode, Interface, IpamDriver, Network, Pool};
use ipnet::IpNet;

use crate::{Settings, firewall, guard, host_sysctl, mtu, namespace, sysctl_path};

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
            kind: LinkKind::Bridge(Bridge { ipv6: host_has_ipv6(network) }),
        }));
        let on_bridge =
            |address| Object::Address(Address { ns: Ns::Host, link: name.clone(), address });
        objects.extend(host_addresses(network).map(on_bridge));
    }
    objects.extend(sysctls(network, &name, settings));
    objects.extend(firewall::network(network, &name));
    objects
}

/// The address that the host has on a bridge of ours: the pool's gateway, unless that is somebody
/// else (`inhibit_ipv4`) or nobody (mode `isolated`).
fn host_address(network: &Network, pool: &Pool) -> Option<IpNet> {
    let address = IpNet::new(pool.gateway?, pool.subnet.prefix_len()).ok()?;
    let v6 = address.addr().is_ipv6();
    let inhibited = network.bridge.existing || (!v6 && network.bridge.inhibit_ipv4);
    let isolated = network.bridge.gateway_mode(v6) == GatewayMode::Isolated;
    (!inhibited && !isolated).then_some(address)
}

fn host_addresses(network: &Network) -> impl Iterator<Item = IpNet> {
    network.pools.iter().filter_map(|pool| host_address(network, pool))
}

/// Whether the host takes part in a bridge of ours with IPv6. Without an address of its own,
/// containers shall not find it by a link-local one.
fn host_has_ipv6(network: &Network) -> bool {
    host_addresses(network).any(|address| address.addr().is_ipv6())
}

/// `route_localnet` lets the host reach published ports over 127.0.0.1; the firewall keeps
/// loopback addresses off the wire. Router advertisements of containers are not for the host.
/// The kernel forwards IPv6 only if all of it may; so does Docker, with its first IPv6 network.
fn sysctls(network: &Network, bridge: &IfName, settings: &Settings) -> Vec<Object> {
    let mut objects = Vec::new();
    if network.ipv4 && !network.internal {
        objects.push(host_sysctl(format!("net/ipv4/conf/{bridge}/route_localnet"), "1"));
    }
    if network.ipv6 && !network.bridge.existing {
        objects.push(host_sysctl(format!("net/ipv6/conf/{bridge}/accept_ra"), "0"));
    }
    if network.ipv6 && settings.ip_forward {
        objects.push(host_sysctl("net/ipv6/conf/all/forwarding".to_owned(), "1"));
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
    let leased = interface.ipv4.map(IpNet::V4).into_iter().chain(interface.ipv6.map(IpNet::V6));
    for address in leased.clone() {
        objects.extend(container_neighbour(network, interface, address.addr()));
        objects.extend(gateway_neighbour(network, interface, &inside, address.addr()));
        objects.extend(other_pools(network, interface, &inside, address.addr()));
    }
    objects.extend(leased.chain(interface.link_local.iter().copied()).map(|address| {
        let (ns, link) = (inside.clone(), interface.name.clone());
        Object::Address(Address { ns, link, address })
    }));
    objects.extend(interface.sysctls.iter().map(|(name, value)| {
        let (ns, value) = (inside.clone(), value.clone());
        Object::Sysctl(Sysctl { ns, name: sysctl_path(name), value })
    }));
    objects.push(Object::Fdb(Fdb { port: interface.host_link.clone(), mac: interface.mac }));
    objects.extend(guard::endpoint(network, interface, has_ipv6(network, interface)));
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
        ipv6: has_ipv6(network, interface),
    };
    Object::Link(Link {
        name: interface.host_link.clone(),
        mac: endpoint.host_mac(),
        mtu: mtu(network, settings),
        alias: format!("hawser endpoint {}", endpoint.id),
        kind: LinkKind::Veth(Veth {
            master: network.bridge_name(),
            isolated: guard::is_isolated(network),
            peer,
        }),
    })
}

/// Whether IPv6 is on: for an address, or where whoever runs inside may bring one.
fn has_ipv6(network: &Network, interface: &Interface) -> bool {
    let free = network.ipam_driver == IpamDriver::Null && network.ipv6;
    let link_local = interface.link_local.iter().any(|address| address.addr().is_ipv6());
    interface.ipv6.is_some() || link_local || free
}

/// The host knows the container without asking; not where it has no IPv6.
fn container_neighbour(network: &Network, interface: &Interface, ip: IpAddr) -> Option<Object> {
    let (link, mac) = (network.bridge_name(), interface.mac);
    let known = ip.is_ipv4() || network.bridge.existing || host_has_ipv6(network);
    known.then_some(Object::Neighbour(Neighbour { ns: Ns::Host, link, ip, mac }))
}

/// The container knows its gateway without asking, if that is the host.
fn gateway_neighbour(
    network: &Network,
    interface: &Interface,
    inside: &Ns,
    address: IpAddr,
) -> Option<Object> {
    let ip = host_address(network, network.pool_of(address)?)?.addr();
    let (ns, link, mac) = (inside.clone(), interface.name.clone(), network.gateway_mac());
    Some(Object::Neighbour(Neighbour { ns, link, ip, mac }))
}

/// The network's other subnets are on the same wire: neighbours there are reached also where the
/// way out is another network, or none.
fn other_pools(
    network: &Network,
    interface: &Interface,
    inside: &Ns,
    address: IpAddr,
) -> impl Iterator<Item = Object> {
    let same_family = move |subnet: IpNet| subnet.addr().is_ipv6() == address.is_ipv6();
    let subnets = network.pools.iter().map(|pool| pool.subnet);
    let others = subnets.filter(move |net| same_family(*net) && !net.contains(&address));
    others.map(|destination| {
        let (ns, link) = (inside.clone(), interface.name.clone());
        Object::Route(Route { ns, destination, via: None, link })
    })
}
