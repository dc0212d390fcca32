//! Tests on real kernels: each runs in a network and mount namespace of its own, which vanish with
//! its thread. They need root.

mod again;
mod attach;
mod by_hand;
mod elements;
mod failure;
mod firewall;
mod ports;
mod server;
mod small_packets;
mod trace;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use hawser_hoststate::{
    Address, Bridge, Change, Fdb, HostState, IfName, Link, LinkKind, MacAddr, NamespaceName,
    Neighbour, Ns, Object, Peer, Route, Veth,
};
use rustix::mount::{MountFlags, MountPropagationFlags};

use crate::netlink::Socket;
use crate::nft::Firewall;
use crate::{Config, Kernel, Ownership, link, sys};

/// The sets of the skeleton without its rules.
pub(crate) const SKELETON: &str = include_str!("tests/sets.nft");

/// Runs a test on a host of its own, with the skeleton loaded.
pub(crate) fn on_test_host(test: impl FnOnce(&Kernel) + Send + 'static) {
    let host = std::thread::spawn(move || {
        sys::unshare_network_and_mounts().expect("a test needs root");
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        rustix::mount::mount_change("/", private).expect("private mounts");
        rustix::mount::mount("tmpfs", "/mnt", "tmpfs", MountFlags::empty(), None).expect("tmpfs");
        Socket::route().expect("socket").request(link::set_up(1)).expect("loopback up");
        let kernel = open();
        let none = HostState::default();
        kernel.load_firewall(&[SKELETON], Ownership::Sole, &none).expect("skeleton");
        test(&kernel);
        kernel.settle();
    });
    if let Err(panic) = host.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A rule that looks at connections makes the kernel track them.
pub(crate) fn track_connections() {
    let rule = "table inet track { chain in { type filter hook input priority 0; \
                ct state new accept; }; }";
    let status = std::process::Command::new("nft").arg(rule).status().expect("nft");
    assert!(status.success());
}

/// As if the process that owns the tables had ended.
fn orphan_tables(kernel: &Kernel) {
    *kernel.firewall() = Firewall::open().expect("socket");
}

/// Who listens in a namespace.
fn listener(kernel: &Kernel, ns: &NamespaceName, at: SocketAddr) -> TcpListener {
    kernel.in_namespace(ns, move || TcpListener::bind(at)).expect("visit").expect("listen")
}

fn open() -> Kernel {
    Kernel::open(Config { netns_dir: "/mnt/netns".into() }).expect("open")
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect(text)
}

pub(crate) fn ip(network: u8, last: u8) -> IpAddr {
    Ipv4Addr::new(10, 99, network, last).into()
}

pub(crate) fn bridge_name(network: u8) -> IfName {
    name(&format!("br{network}"))
}

pub(crate) fn mac(network: u8, last: u8) -> MacAddr {
    MacAddr([2, 0x42, 10, 99, network, last])
}

fn address(ns: Ns, link: IfName, network: u8, last: u8) -> Object {
    let net = format!("{}/24", ip(network, last));
    Object::Address(Address { ns, link, address: name(&net) })
}

/// A bridge network 10.99.`network`.0/24 with the host at .1.
pub(crate) fn network(network: u8) -> HostState {
    let bridge = Link {
        name: bridge_name(network),
        mac: mac(network, 1),
        mtu: 1500,
        alias: format!("hawser network {network}"),
        kind: LinkKind::Bridge(Bridge { ipv6: false }),
    };
    let at = address(Ns::Host, bridge.name.clone(), network, 1);
    HostState::from_iter([Object::Link(bridge), at])
}

fn namespace_of(last: u8) -> NamespaceName {
    name(&format!("box{last}"))
}

/// Everything of the endpoint 10.99.`network`.`last`, on link `eth0` of its namespace.
fn endpoint(network: u8, last: u8) -> HostState {
    let ns = namespace_of(last);
    let eth0: IfName = name("eth0");
    let port: IfName = name(&format!("v{network}x{last}"));
    let station = mac(network, last);
    let peer = Peer { ns: ns.clone(), name: eth0.clone(), mac: station, ipv6: false };
    let veth = Veth { master: bridge_name(network), isolated: false, peer };
    let link = Link {
        name: port.clone(),
        mac: MacAddr([0xfe, 0x42, 10, 99, network, last]),
        mtu: 1500,
        alias: format!("hawser endpoint {network} {last}"),
        kind: LinkKind::Veth(veth),
    };
    let inside = Ns::Named(ns.clone());
    let neighbour = |ns, link, last| {
        Object::Neighbour(Neighbour { ns, link, ip: ip(network, last), mac: mac(network, last) })
    };
    HostState::from_iter([
        Object::Namespace(ns),
        Object::Link(link),
        address(inside.clone(), eth0.clone(), network, last),
        neighbour(inside.clone(), eth0.clone(), 1),
        neighbour(Ns::Host, bridge_name(network), last),
        Object::Fdb(Fdb { port, mac: station }),
        Object::Route(Route {
            ns: inside,
            destination: name("0.0.0.0/0"),
            via: Some(ip(network, 1)),
            link: eth0,
        }),
    ])
}

pub(crate) fn additions(state: &HostState) -> Vec<Change> {
    state.iter().map(|(_, object)| Change::Add(object.clone())).collect()
}

/// As `diff` lists them: in reverse, and without what goes with its namespace.
pub(crate) fn removals(state: &HostState) -> Vec<Change> {
    let goes_alone = |object: &&Object| match object {
        Object::Address(Address { ns, .. })
        | Object::Neighbour(Neighbour { ns, .. })
        | Object::Route(Route { ns, .. }) => *ns == Ns::Host,
        _ => true,
    };
    let objects = state.iter().rev().map(|(_, object)| object);
    objects.filter(goes_alone).map(|object| Change::Remove(object.clone())).collect()
}

fn union<'a>(states: impl IntoIterator<Item = &'a HostState>) -> HostState {
    states.into_iter().flat_map(HostState::iter).map(|(_, object)| object.clone()).collect()
}

fn assert_same(observed: &HostState, wanted: &HostState) {
    let lines = |state: &HostState| {
        state.iter().map(|(_, object)| format!("{object:?}")).collect::<Vec<_>>()
    };
    assert_eq!(lines(observed), lines(wanted));
}
