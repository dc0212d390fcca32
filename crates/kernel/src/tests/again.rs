//! What was taken away can be had again at once: names of links, and addresses by somebody else.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::attach::connect;
use super::*;
use crate::conntrack;

/// How often what the kernel does in the background is given a chance to be in the way.
const ROUNDS: usize = 20;

/// The removals that leave the namespace.
fn disconnection(state: &HostState) -> Vec<Change> {
    let stays = |change: &Change| !matches!(change, Change::Remove(Object::Namespace(_)));
    removals(state).into_iter().filter(stays).collect()
}

fn links_inside(kernel: &Kernel, ns: &NamespaceName) -> Vec<String> {
    let read = || std::fs::read_to_string("/proc/thread-self/net/dev").expect("read");
    let text = kernel.in_namespace(ns, read).expect("enter");
    let names = text.lines().filter_map(|line| line.split_once(':'));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

#[test]
fn an_interface_can_be_had_again_at_once() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2)]);
        kernel.apply(&additions(&all)).expect("apply");
        for round in 0..ROUNDS {
            kernel.apply(&disconnection(&endpoint(1, 2))).expect("disconnect");
            if round % 2 == 1 {
                // The deletion is under way.
                std::thread::sleep(Duration::from_millis(12));
            }
            kernel.apply(&additions(&endpoint(1, 2))).expect("connect");
            connect(kernel, ip(1, 2), &namespace_of(2));
        }
        kernel.settle();
        assert_same(&kernel.observe().expect("observe"), &all);
        assert_eq!(links_inside(kernel, &namespace_of(2)), ["lo", "eth0"]);
        connect(kernel, ip(1, 2), &namespace_of(2));
    });
}

#[test]
fn a_bridge_can_be_had_again_at_once() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2)]);
        for round in 0..ROUNDS {
            kernel.apply(&additions(&all)).expect("apply");
            connect(kernel, ip(1, 2), &namespace_of(2));
            kernel.apply(&removals(&all)).expect("remove");
            assert!(!kernel.link_exists(&bridge_name(1)).expect("ask"));
            if round % 2 == 1 {
                std::thread::sleep(Duration::from_millis(12));
            }
        }
        kernel.settle();
        assert!(kernel.observe().expect("observe").is_empty());
        let left = std::process::Command::new("ip").args(["-brief", "link"]).output();
        let left = String::from_utf8(left.expect("ip").stdout).expect("text");
        assert_eq!(left.lines().count(), 1, "the loopback alone is left: {left}");
    });
}

/// The same with IPv6 beside IPv4: `fd00:99:N::L` for `10.99.N.L`.
fn dual_stack(state: &HostState) -> HostState {
    let v6 = |ip: IpAddr| -> IpAddr {
        let IpAddr::V4(ip) = ip else { panic!("{ip} is IPv6 already") };
        let [_, _, network, last] = ip.octets();
        name(&format!("fd00:99:{network}::{last}"))
    };
    let both = |object: &Object| match object.clone() {
        Object::Link(mut link) => {
            match &mut link.kind {
                LinkKind::Bridge(bridge) => bridge.ipv6 = true,
                LinkKind::Veth(veth) => veth.peer.ipv6 = true,
            }
            vec![Object::Link(link)]
        }
        Object::Address(a) => {
            let address = name(&format!("{}/64", v6(a.address.addr())));
            vec![Object::Address(a.clone()), Object::Address(Address { address, ..a })]
        }
        Object::Neighbour(n) => {
            let ip = v6(n.ip);
            vec![Object::Neighbour(n.clone()), Object::Neighbour(Neighbour { ip, ..n })]
        }
        other => vec![other],
    };
    state.iter().flat_map(|(_, object)| both(object)).collect()
}

/// The endpoint of another namespace, with another hardware address, at the address `last`.
fn successor(last: u8, of: u8) -> HostState {
    let own = dual_stack(&endpoint(1, of));
    let renumber = |ip: IpAddr| match ip {
        IpAddr::V4(v4) if v4.octets()[3] == of => self::ip(1, last),
        IpAddr::V6(v6) if v6.octets()[15] == of => name(&format!("fd00:99:1::{last}")),
        other => other,
    };
    let renumbered = own.iter().map(|(_, object)| match object.clone() {
        Object::Address(a) => {
            let net = format!("{}/{}", renumber(a.address.addr()), a.address.prefix_len());
            Object::Address(Address { address: name(&net), ..a })
        }
        Object::Neighbour(n) => Object::Neighbour(Neighbour { ip: renumber(n.ip), ..n }),
        other => other,
    });
    renumbered.collect()
}

#[test]
fn neighbours_reach_a_new_owner_of_an_address_at_once() {
    on_test_host(|kernel| {
        let (first, watcher) = (dual_stack(&endpoint(1, 2)), dual_stack(&endpoint(1, 3)));
        let all = union([&dual_stack(&network(1)), &first, &watcher]);
        kernel.apply(&additions(&all)).expect("apply");
        let addresses: [IpAddr; 2] = [ip(1, 2), name("fd00:99:1::2")];
        let reach = |owner: &NamespaceName| {
            for address in addresses {
                let at = SocketAddr::new(address, 80);
                let listener = listener(kernel, owner, at);
                let start = Instant::now();
                let connected = kernel.in_namespace(&namespace_of(3), move || {
                    std::net::TcpStream::connect_timeout(&at, Duration::from_secs(5))
                });
                connected.expect("enter").expect("connect");
                let took = start.elapsed();
                assert!(took < Duration::from_millis(500), "{address} took {took:?}");
                drop(listener);
            }
        };
        reach(&namespace_of(2));
        // The neighbour is sure of what it knows; the next owner has another hardware address.
        kernel.apply(&removals(&first)).expect("remove");
        kernel.apply(&additions(&successor(2, 4))).expect("apply");
        reach(&namespace_of(4));
    });
}

#[test]
fn an_address_is_used_again_when_its_connections_are_forgotten() {
    on_test_host(|kernel| {
        track_connections();
        kernel.apply(&additions(&union([&network(1), &endpoint(1, 2)]))).expect("apply");
        let mut socket = Socket::netfilter().expect("socket");
        for round in 0..ROUNDS {
            // From the container to the host: that is what is tracked here.
            let host = UdpSocket::bind((ip(1, 1), 0)).expect("bind");
            let at = host.local_addr().expect("address");
            let talk = move || UdpSocket::bind((ip(1, 2), 0))?.send_to(b"x", at);
            kernel.in_namespace(&namespace_of(2), talk).expect("enter").expect("send");
            assert_eq!(conntrack::tests::count(&mut socket, ip(1, 2)), 1, "round {round}");
            kernel.apply(&removals(&endpoint(1, 2))).expect("remove");
            kernel.apply(&additions(&endpoint(1, 2))).expect("apply");
            assert_eq!(conntrack::tests::count(&mut socket, ip(1, 2)), 0, "round {round}");
        }
    });
}

#[test]
fn a_namespace_is_pinned_again() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2)]);
        kernel.apply(&additions(&all)).expect("apply");
        let ns = namespace_of(2);
        // As a process in it keeps it alive.
        let alive = std::fs::File::from(kernel.open_namespace(&ns).expect("open"));
        assert!(!kernel.pin_again(&ns, &alive).expect("it is pinned"));
        let flags = rustix::mount::UnmountFlags::DETACH;
        rustix::mount::unmount(kernel.namespace_path(&ns), flags).expect("unmount");
        assert_ne!(kernel.observe().expect("observe"), all);
        assert!(kernel.pin_again(&ns, &alive).expect("pin"));
        assert_same(&kernel.observe().expect("observe"), &all);
        connect(kernel, ip(1, 2), &ns);
        let own = std::fs::File::open("/proc/thread-self/ns/net").expect("own");
        let file = std::fs::File::open("/etc/passwd").expect("file");
        for wrong in [own, file] {
            let error = kernel.pin_again(&name("other"), &wrong).expect_err("refused");
            assert_eq!(error.kind, crate::ErrorKind::Invalid);
        }
    });
}
