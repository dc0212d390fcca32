//! Bridges and endpoints: they carry traffic at once, are observed as applied, and leave nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::*;

/// Connects from the host to the endpoint and returns how long it took.
pub(super) fn connect(kernel: &Kernel, at: IpAddr, ns: &NamespaceName) -> Duration {
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
        let listener = listener(kernel, &namespace_of(3), address);
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
        let _listener = listener(kernel, &namespace_of(3), address);
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
        // What a daemon killed in the middle of a creation leaves: a link without its alias.
        let mut socket = Socket::route().expect("socket");
        socket.request(link::create_bridge(&orphan(), 77)).expect("create");
        let watcher = open();
        let found = watcher.observe().expect("observe");
        assert_eq!(found.get(&Object::Link(orphan()).key()), Some(&Object::Link(orphan())));
        drop(watcher);
        // And in the middle of a removal: a link marked, not yet deleted.
        let there = crate::apply::find(&mut socket, &orphan().name).expect("find");
        socket.request(link::set_trash_group(there.index)).expect("mark");
        let second = open();
        second.settle();
        assert_same(&second.observe().expect("observe"), &all);
        assert!(!second.link_exists(&orphan().name).expect("ask"));
        connect(&second, ip(1, 2), &namespace_of(2));
    });
}

/// What a daemon killed in the middle of an attach leaves: a far end that is down, without its
/// addresses and routes. The ordinary difference mends it.
#[test]
fn a_half_made_endpoint_is_mended() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2)]);
        kernel.apply(&additions(&all)).expect("apply");
        let down = || {
            let mut inside = Socket::route().expect("socket");
            let eth0 = crate::apply::find(&mut inside, &name("eth0")).expect("find");
            inside.request(link::set_down(eth0.index)).expect("down");
        };
        kernel.in_namespace(&namespace_of(2), down).expect("enter");
        let observed = kernel.observe().expect("observe");
        assert_ne!(observed, all);
        kernel.apply(&hawser_hoststate::diff(&observed, &all)).expect("mend");
        assert_same(&kernel.observe().expect("observe"), &all);
        connect(kernel, ip(1, 2), &namespace_of(2));
    });
}

fn orphan() -> Link {
    Link {
        name: name("orphan"),
        mac: mac(9, 9),
        mtu: 1500,
        alias: String::new(),
        kind: LinkKind::Bridge(Bridge { ipv6: true }),
    }
}

#[test]
fn a_port_moves_to_another_bridge_in_place() {
    on_test_host(|kernel| {
        let before = union([&network(1), &network(2), &endpoint(1, 2)]);
        kernel.apply(&additions(&before)).expect("apply");
        let port = |object: &Object| match object {
            Object::Link(link) => match &link.kind {
                LinkKind::Veth(veth) => Some((link.clone(), veth.clone())),
                LinkKind::Bridge(_) => None,
            },
            _ => None,
        };
        let (old, veth) = before.iter().find_map(|(_, object)| port(object)).expect("port");
        let moved = Veth { master: bridge_name(2), ..veth };
        let new = Link { kind: LinkKind::Veth(moved), ..old.clone() };
        let change = Change::Replace { old: Object::Link(old), new: Object::Link(new.clone()) };
        kernel.apply(&[change]).expect("replace");
        let observed = kernel.observe().expect("observe");
        let link = Object::Link(new);
        assert_eq!(observed.get(&link.key()), Some(&link));
        let inside = |object: &Object| matches!(object, Object::Route(_));
        assert!(observed.iter().any(|(_, object)| inside(object)), "the route stayed");
    });
}

#[test]
fn a_subnet_and_a_default_route_are_free_at_once() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2)]);
        kernel.apply(&additions(&all)).expect("apply");
        // The namespace stays, another interface takes over its default route.
        let stays = |change: &Change| !matches!(change, Change::Remove(Object::Namespace(_)));
        let link = |change: &Change| matches!(change, Change::Remove(Object::Link(_)));
        let mut changes: Vec<_> = removals(&all).into_iter().filter(stays).collect();
        changes.retain(link);
        let successor = union([&renamed(&network(1)), &renamed(&endpoint(1, 2))]);
        changes.extend(additions(&successor));
        kernel.apply(&changes).expect("apply");
        connect(kernel, ip(1, 2), &namespace_of(2));
        kernel.settle();
        assert_same(&kernel.observe().expect("observe"), &successor);
        connect(kernel, ip(1, 2), &namespace_of(2));
    });
}

#[test]
fn neighbours_learn_of_a_new_owner_of_an_address() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2)]);
        kernel.apply(&additions(&all)).expect("apply");
        let shell = |script: &str| {
            let arguments = ["--net=/mnt/netns/box2", "sh", "-c", script];
            let output = std::process::Command::new("nsenter").args(arguments).output();
            String::from_utf8(output.expect("nsenter").stdout).expect("text")
        };
        // The last owner of the address, as its neighbour remembers it.
        shell("ip neigh add 10.99.1.3 lladdr 02:00:00:00:00:99 dev eth0 nud stale");
        assert!(shell("ip neigh show to 10.99.1.3").contains("02:00:00:00:00:99"));
        kernel.apply(&additions(&endpoint(1, 3))).expect("apply");
        let start = Instant::now();
        let wanted = mac(1, 3).to_string();
        while !shell("ip neigh show to 10.99.1.3").contains(&wanted) {
            assert!(start.elapsed() < Duration::from_secs(5), "nobody was told");
            std::thread::sleep(Duration::from_millis(10));
        }
    });
}

/// The same with other names of links.
fn renamed(state: &HostState) -> HostState {
    let other = |link: &IfName| -> IfName {
        match link.as_str() {
            "eth0" => name("eth1"),
            text => name(&format!("n{text}")),
        }
    };
    let rename = |object: &Object| match object.clone() {
        Object::Link(mut link) => {
            link.name = other(&link.name);
            if let LinkKind::Veth(veth) = &mut link.kind {
                veth.master = other(&veth.master);
                veth.peer.name = other(&veth.peer.name);
            }
            Object::Link(link)
        }
        Object::Address(a) => Object::Address(Address { link: other(&a.link), ..a }),
        Object::Neighbour(n) => Object::Neighbour(Neighbour { link: other(&n.link), ..n }),
        Object::Fdb(f) => Object::Fdb(Fdb { port: other(&f.port), ..f }),
        Object::Route(r) => Object::Route(Route { link: other(&r.link), ..r }),
        object => object,
    };
    state.iter().map(|(_, object)| rename(object)).collect()
}

#[test]
fn closing_leaves_neither_table_nor_directory() {
    on_test_host(|first| {
        orphan_tables(first);
        let kernel = open();
        kernel.apply(&additions(&network(1))).expect("apply");
        kernel.apply(&removals(&network(1))).expect("remove");
        kernel.close().expect("close");
        assert!(!std::path::Path::new("/mnt/netns").exists());
        let table = std::process::Command::new("nft").args(["list", "tables"]).output();
        assert_eq!(String::from_utf8_lossy(&table.expect("nft").stdout), "");
    });
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
        let (least, median, p95) =
            (times[0], times[times.len() / 2], times[times.len() * 95 / 100]);
        println!("attach: least {least:?}, median {median:?}, p95 {p95:?}");
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
