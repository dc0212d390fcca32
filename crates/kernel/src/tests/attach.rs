//! Bridges and endpoints: they carry traffic at once, are observed as applied, and leave nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::*;

/// Connects from the host to the endpoint and returns how long it took.
fn connect(kernel: &Kernel, at: IpAddr, ns: &NamespaceName) -> Duration {
    let address = SocketAddr::new(at, 80);
    let listener = kernel.in_namespace(ns, move || TcpListener::bind(address)).expect("enter");
    let listener = listener.expect("listen");
    let start = Instant::now();
    let mut client = TcpStream::connect_timeout(&address, Duration::from_secs(5)).expect("connect");
    let took = start.elapsed();
    client.write_all(b"x").expect("write");
    let (mut server, _) = listener.accept().expect("accept");
    let mut byte = [0];
    server.read_exact(&mut byte).expect("read");
    assert_eq!(byte, *b"x");
    took
}

#[test]
fn an_endpoint_is_reachable_and_reaches_out() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2)]);
        kernel.apply(&additions(&all)).expect("apply");
        connect(kernel, ip(1, 2), &namespace_of(2));
        // The other way: the host listens, the namespace connects.
        let host = TcpListener::bind(SocketAddr::new(ip(1, 1), 81)).expect("listen");
        let at = host.local_addr().expect("address");
        let reached = kernel.in_namespace(&namespace_of(2), move || TcpStream::connect(at));
        let peer = reached.expect("enter").expect("connect").local_addr().expect("address");
        assert_eq!(peer.ip(), ip(1, 2));
    });
}

#[test]
fn endpoints_of_one_bridge_reach_one_another() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2), &endpoint(1, 3)]);
        kernel.apply(&additions(&all)).expect("apply");
        let address = SocketAddr::new(ip(1, 3), 80);
        let listener = kernel.tcp_listener(&namespace_of(3), address).expect("listen");
        let start = Instant::now();
        let client = kernel.in_namespace(&namespace_of(2), move || TcpStream::connect(address));
        client.expect("enter").expect("connect");
        assert!(start.elapsed() < Duration::from_millis(500), "the first packet was lost");
        drop(listener);
    });
}

#[test]
fn isolated_ports_do_not_reach_one_another() {
    on_test_host(|kernel| {
        let isolate = |state: HostState| -> HostState {
            let isolated = |object: Object| match object {
                Object::Link(mut link) => {
                    if let LinkKind::Veth(veth) = &mut link.kind {
                        veth.isolated = true;
                    }
                    Object::Link(link)
                }
                other => other,
            };
            state.iter().map(|(_, object)| isolated(object.clone())).collect()
        };
        let all = isolate(union([&network(1), &endpoint(1, 2), &endpoint(1, 3)]));
        kernel.apply(&additions(&all)).expect("apply");
        assert_same(&kernel.observe().expect("observe"), &all);
        connect(kernel, ip(1, 2), &namespace_of(2));
        let address = SocketAddr::new(ip(1, 3), 80);
        let _listener = kernel.tcp_listener(&namespace_of(3), address).expect("listen");
        let client = kernel.in_namespace(&namespace_of(2), move || {
            TcpStream::connect_timeout(&address, Duration::from_millis(300))
        });
        client.expect("enter").expect_err("an isolated port let a connection through");
    });
}

#[test]
fn what_is_applied_is_observed() {
    on_test_host(|kernel| {
        let all = union([&network(1), &network(2), &endpoint(1, 2), &endpoint(2, 3)]);
        kernel.apply(&additions(&all)).expect("apply");
        assert_same(&kernel.observe().expect("observe"), &all);
    });
}

#[test]
fn applying_again_changes_nothing() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2)]);
        kernel.apply(&additions(&all)).expect("apply");
        kernel.apply(&additions(&all)).expect("apply again");
        assert_same(&kernel.observe().expect("observe"), &all);
        connect(kernel, ip(1, 2), &namespace_of(2));
    });
}

#[test]
fn removal_leaves_nothing() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2), &endpoint(1, 3)]);
        kernel.apply(&additions(&all)).expect("apply");
        kernel.apply(&removals(&all)).expect("remove");
        kernel.settle();
        assert_same(&kernel.observe().expect("observe"), &HostState::default());
        let links = Socket::route().expect("socket").dump(&link::dump()).expect("dump");
        assert_eq!(links.len(), 1, "only the loopback is left");
        assert_eq!(std::fs::read_dir("/mnt/netns").expect("directory").count(), 0);
        kernel.apply(&removals(&all)).expect("removing what is gone is no error");
    });
}

#[test]
fn names_are_free_again_after_removal() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2)]);
        for _ in 0..3 {
            kernel.apply(&additions(&all)).expect("apply");
            connect(kernel, ip(1, 2), &namespace_of(2));
            kernel.apply(&removals(&all)).expect("remove");
        }
        // The same interface of a namespace that stays.
        let link = |change: &Change| !matches!(change, Change::Remove(Object::Namespace(_)));
        for _ in 0..3 {
            kernel.apply(&additions(&all)).expect("apply");
            let changes: Vec<_> = removals(&all).into_iter().filter(link).collect();
            kernel.apply(&changes).expect("disconnect");
        }
    });
}

#[test]
fn no_first_packet_is_lost() {
    on_test_host(|kernel| {
        let mut slow = Vec::new();
        for last in 2..52 {
            // A fresh bridge each time: it must forward at once, too.
            let all = union([&network(last), &endpoint(last, last)]);
            kernel.apply(&additions(&all)).expect("apply");
            let took = connect(kernel, ip(last, last), &namespace_of(last));
            if took > Duration::from_millis(500) {
                slow.push((last, took));
            }
        }
        assert!(slow.is_empty(), "{slow:?}");
    });
}

#[test]
fn a_link_changes_in_place() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2)]);
        kernel.apply(&additions(&all)).expect("apply");
        let resized = |object: &Object| match object {
            Object::Link(old) => {
                let new = Link { mtu: 1400, alias: "hawser changed".to_owned(), ..old.clone() };
                Some((object.clone(), Object::Link(new)))
            }
            _ => None,
        };
        let mut wanted = all.clone();
        for (old, new) in all.iter().filter_map(|(_, object)| resized(object)) {
            wanted.insert(new.clone());
            kernel.apply(&[Change::Replace { old, new }]).expect("replace");
        }
        assert_same(&kernel.observe().expect("observe"), &wanted);
        connect(kernel, ip(1, 2), &namespace_of(2));
    });
}

#[test]
fn a_successor_finds_what_was_made_and_sweeps_what_was_removed() {
    on_test_host(|_| {
        let first = open();
        let all = union([&network(1), &endpoint(1, 2)]);
        first.apply(&additions(&all)).expect("apply");
        drop(first);
        // What a daemon killed in the middle of a removal leaves: a link marked, not yet deleted.
        let mut socket = Socket::route().expect("socket");
        socket.request(link::create_bridge(&orphan())).expect("create");
        let there = crate::apply::find(&mut socket, &orphan().name).expect("find");
        socket.request(link::set_trash_group(there.index)).expect("mark");
        let second = open();
        second.settle();
        assert_same(&second.observe().expect("observe"), &all);
        assert!(!second.link_exists(&orphan().name).expect("ask"));
        connect(&second, ip(1, 2), &namespace_of(2));
    });
}

fn orphan() -> Link {
    Link {
        name: name("orphan"),
        mac: mac(9, 9),
        mtu: 1500,
        alias: String::new(),
        kind: LinkKind::Bridge(Bridge::default()),
    }
}

#[test]
fn ipv6_works_where_it_is_asked_for() {
    on_test_host(|kernel| {
        let v6 = |ns: Ns, link: &str, net: &str| {
            Object::Address(Address { ns, link: name(link), address: name(net) })
        };
        let enable = |object: &Object| match object.clone() {
            Object::Link(mut link) => {
                match &mut link.kind {
                    LinkKind::Bridge(bridge) => bridge.ipv6 = true,
                    LinkKind::Veth(veth) => veth.peer.ipv6 = true,
                }
                Object::Link(link)
            }
            other => other,
        };
        let plain = union([&network(1), &endpoint(1, 2)]);
        let mut all: HostState = plain.iter().map(|(_, object)| enable(object)).collect();
        let inside = Ns::Named(namespace_of(2));
        all.extend([
            v6(Ns::Host, "br1", "fd00:99::1/64"),
            v6(inside.clone(), "eth0", "fd00:99::2/64"),
            Object::Route(Route {
                ns: inside,
                destination: name("::/0"),
                via: Some(name("fd00:99::1")),
                link: name("eth0"),
            }),
        ]);
        kernel.apply(&additions(&all)).expect("apply");
        assert_same(&kernel.observe().expect("observe"), &all);
        connect(kernel, name("fd00:99::2"), &namespace_of(2));
    });
}

/// Not a limit that may fail on a busy machine: prints the median for comparison with facts.
#[test]
fn attach_takes_about_a_millisecond() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&network(1))).expect("apply");
        let mut times: Vec<_> = (2..102)
            .map(|last| {
                let changes = additions(&endpoint(1, last));
                let start = Instant::now();
                kernel.apply(&changes).expect("apply");
                start.elapsed()
            })
            .collect();
        times.sort();
        let (median, p95) = (times[times.len() / 2], times[times.len() * 95 / 100]);
        println!("attach: median {median:?}, p95 {p95:?}");
        let start = Instant::now();
        for last in 2..102 {
            kernel.apply(&removals(&endpoint(1, last))).expect("remove");
        }
        println!("detach: mean {:?}", start.elapsed() / 100);
        kernel.settle();
        println!("all gone after {:?}", start.elapsed());
        assert!(median < Duration::from_millis(50), "{median:?}");
    });
}
