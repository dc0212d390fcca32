//! Laws of `diff`, held by an imitation of a kernel: removing a namespace or a link takes along
//! what is on it, adding what is there or removing what is not is an error.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers outside of `#[test]` too")]

use std::net::IpAddr;

use hawser_hoststate::{
    Address, Bridge, Change, Element, ElementData, Fdb, HeldPort, HostState, IfName, Key, Link,
    LinkKind, MacAddr, NameServer, NamespaceName, Neighbour, Ns, Object, Peer, Route, Sysctl,
    Transport, Veth, commands, diff,
};
use ipnet::IpNet;
use proptest::prelude::*;

fn name(n: u8) -> IfName {
    format!("l{n}").parse().unwrap()
}

fn namespace(n: u8) -> NamespaceName {
    format!("n{n}").parse().unwrap()
}

fn mac(n: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, n])
}

fn net(n: u8) -> IpNet {
    IpNet::new(IpAddr::from([10, 0, n, 1]), 24).unwrap()
}

fn server(n: u8, last: u8) -> NameServer {
    NameServer { ns: namespace(n), address: [127, 0, 0, last].into() }
}

fn ns() -> impl Strategy<Value = Ns> + Clone {
    prop_oneof![Just(Ns::Host), (0..3u8).prop_map(|n| Ns::Named(namespace(n)))]
}

/// Bridges are l0 to l2, near ends l3 to l5, far ends l6 to l8.
fn link() -> impl Strategy<Value = Object> {
    let bridge =
        (0..3u8, any::<bool>()).prop_map(|(n, ipv6)| (n, LinkKind::Bridge(Bridge { ipv6 })));
    let veth =
        (3..6u8, 0..3u8, any::<bool>(), 0..3u8, 6..9u8).prop_map(|(n, b, isolated, s, p)| {
            let peer = Peer { ns: namespace(s), name: name(p), mac: mac(n), ipv6: isolated };
            (n, LinkKind::Veth(Veth { master: name(b), isolated, peer }))
        });
    (prop_oneof![bridge, veth], prop_oneof![Just(1500), Just(1400)]).prop_map(|((n, kind), mtu)| {
        Object::Link(Link { name: name(n), mac: mac(n), mtu, alias: "hawser x".to_owned(), kind })
    })
}

fn object() -> impl Strategy<Value = Object> {
    let on_link = (ns(), 0..9u8, 0..3u8, 0..3u8);
    prop_oneof![
        (0..3u8).prop_map(|n| Object::Namespace(namespace(n))),
        link(),
        link(),
        on_link.clone().prop_map(|(ns, l, n, _)| Object::Address(Address {
            ns,
            link: name(l),
            address: net(n)
        })),
        on_link.clone().prop_map(|(ns, l, n, m)| Object::Neighbour(Neighbour {
            ns,
            link: name(l),
            ip: net(n).addr(),
            mac: mac(m)
        })),
        on_link.clone().prop_map(|(ns, l, n, v)| Object::Route(Route {
            ns,
            destination: net(n).trunc(),
            via: Some(net(v).addr()),
            link: name(l)
        })),
        on_link.prop_map(|(ns, l, v, _)| Object::Sysctl(Sysctl {
            ns,
            name: format!("net/ipv4/conf/l{l}/forwarding"),
            value: v.to_string()
        })),
        (3..6u8, 0..3u8).prop_map(|(p, m)| Object::Fdb(Fdb { port: name(p), mac: mac(m) })),
        (0..3u16).prop_map(|port| Object::HeldPort(HeldPort {
            address: IpAddr::from([0, 0, 0, 0]),
            transport: Transport::Tcp,
            port: port + 1
        })),
        (0..3u16, 0..3u8).prop_map(|(port, n)| Object::Element(
            Element::PublishAny4(Transport::Tcp, port + 1),
            ElementData::Destination(net(n).addr(), 80)
        )),
        (0..3u8, 1..3u8).prop_map(|(n, last)| Object::NameServer(server(n, last))),
    ]
}

fn state() -> impl Strategy<Value = HostState> {
    prop::collection::vec(object(), 0..30).prop_map(HostState::from_iter)
}

fn is_on(object: &Object, gone: &Object) -> bool {
    if let Object::NameServer(server) = object {
        return *gone == Object::Namespace(server.ns.clone());
    }
    let (ns, link) = match object {
        Object::Address(a) => (&a.ns, a.link.clone()),
        Object::Neighbour(n) => (&n.ns, n.link.clone()),
        Object::Route(r) => (&r.ns, r.link.clone()),
        Object::Sysctl(s) => (&s.ns, s.link().unwrap()),
        Object::Fdb(f) => (&Ns::Host, f.port.clone()),
        _ => return false,
    };
    match gone {
        Object::Namespace(name) => *ns == Ns::Named(name.clone()),
        Object::Link(l) => {
            let near = *ns == Ns::Host && link == l.name;
            let far = |v: &Veth| *ns == Ns::Named(v.peer.ns.clone()) && link == v.peer.name;
            near || matches!(&l.kind, LinkKind::Veth(v) if far(v))
        }
        _ => false,
    }
}

fn apply(state: &mut HostState, change: &Change) {
    match change {
        Change::Add(object) => {
            assert!(state.get(&object.key()).is_none(), "{object:?} is there already");
            state.insert(object.clone());
        }
        Change::Remove(object) => {
            assert_eq!(state.remove(&object.key()).as_ref(), Some(object));
            let gone = state.iter().filter(|(_, other)| is_on(other, object));
            let gone: Vec<Key> = gone.map(|(key, _)| key.clone()).collect();
            for key in gone {
                state.remove(&key);
            }
        }
        Change::Replace { old, new } => {
            assert_eq!(state.get(&new.key()), Some(old));
            state.insert(new.clone());
        }
    }
}

proptest! {
    #[test]
    fn applying_the_changes_gives_the_wanted_state(from in state(), to in state()) {
        let mut now = from.clone();
        for change in diff(&from, &to) {
            apply(&mut now, &change);
        }
        prop_assert_eq!(now, to);
    }

    #[test]
    fn nothing_is_done_when_nothing_differs(state in state()) {
        prop_assert!(diff(&state, &state).is_empty());
    }

    #[test]
    fn removals_come_first_and_backwards(from in state(), to in state()) {
        let changes = diff(&from, &to);
        let removed = changes.iter().take_while(|c| matches!(c, Change::Remove(_))).count();
        let (first, then) = changes.split_at(removed);
        prop_assert!(then.iter().all(|c| !matches!(c, Change::Remove(_))));
        let key = |change: &Change| match change {
            Change::Add(o) | Change::Remove(o) | Change::Replace { new: o, .. } => o.key(),
        };
        prop_assert!(first.iter().map(key).rev().is_sorted());
        prop_assert!(then.iter().map(key).is_sorted());
    }
}

#[test]
fn a_namespace_takes_along_what_is_in_it_but_not_links() {
    let link = Link {
        name: name(3),
        mac: mac(1),
        mtu: 1500,
        alias: "hawser x".to_owned(),
        kind: LinkKind::Veth(Veth {
            master: name(0),
            isolated: false,
            peer: Peer { ns: namespace(0), name: name(6), mac: mac(2), ipv6: false },
        }),
    };
    let address = Address { ns: Ns::Named(namespace(0)), link: name(6), address: net(0) };
    let from = HostState::from_iter([
        Object::Namespace(namespace(0)),
        Object::Link(link.clone()),
        Object::Address(address),
    ]);
    let wanted =
        vec![Change::Remove(Object::Link(link)), Change::Remove(Object::Namespace(namespace(0)))];
    assert_eq!(diff(&from, &HostState::default()), wanted);
}

#[test]
fn a_change_prints_what_differs() {
    let link = |mtu, ipv6| {
        let kind = LinkKind::Bridge(Bridge { ipv6 });
        Object::Link(Link { name: name(0), mac: mac(1), mtu, alias: "hawser x".to_owned(), kind })
    };
    let change = Change::Replace { old: link(1500, false), new: link(1400, true) };
    let print = |change: Change| commands(&[change], &|ns| format!("/run/ns/{ns}").into());
    let lines = [
        "ip link set l0 mtu 1400",
        "sysctl -w net/ipv6/conf/l0/accept_dad=0",
        "sysctl -w net/ipv6/conf/l0/disable_ipv6=0",
    ];
    assert_eq!(print(change), lines);
    let route = |via: [u8; 4]| {
        let destination = IpNet::new(IpAddr::from([0, 0, 0, 0]), 0).unwrap();
        let ns = Ns::Named(namespace(0));
        Object::Route(Route { ns, destination, via: Some(via.into()), link: name(0) })
    };
    let change = Change::Replace { old: route([10, 0, 0, 1]), new: route([10, 0, 0, 2]) };
    let inside = "nsenter --net=/run/ns/n0 ip route";
    let replaced = format!("{inside} replace default via 10.0.0.2 dev l0 protocol 104");
    assert_eq!(print(change), [replaced]);
    let deleted = format!("{inside} delete default via 10.0.0.1 dev l0");
    assert_eq!(print(Change::Remove(route([10, 0, 0, 1]))), [deleted]);
}

#[test]
fn a_name_server_prints_rules_of_its_namespace() {
    let print = |change: Change| commands(&[change], &|ns| format!("/run/ns/{ns}").into());
    let lines = print(Change::Add(Object::NameServer(server(0, 11))));
    let inside = "nsenter --net=/run/ns/n0 nft";
    let rule = |rule: &str| format!("{inside} 'add rule ip hawser name_server {rule}'");
    assert_eq!(lines[0], "# answer names in /run/ns/n0 at udp and tcp 127.0.0.11:53053");
    assert_eq!(lines.len(), 7);
    assert_eq!(
        lines[3..5],
        [
            rule("ip daddr 127.0.0.11 udp dport 53 notrack udp dport set 53053"),
            rule("ip saddr 127.0.0.11 udp sport 53053 notrack udp sport set 53"),
        ]
    );
    let removed = print(Change::Remove(Object::NameServer(server(0, 11))));
    assert_eq!(removed, [format!("{inside} 'delete table ip hawser'")]);
}
