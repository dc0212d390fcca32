//! What others' rules would do with packets of ours: found without sending any.

use std::process::Command;

use hawser_hoststate::Transport;

use super::*;
use crate::{Obstacle, Packet};

fn load(rules: &str) {
    let output = Command::new("nft").arg(rules).output().expect("nft");
    assert!(output.status.success(), "{output:?}");
}

/// From a container to the outside, and from there to a published port; of both families.
fn packets() -> Vec<Packet> {
    let packet = |inwards: bool, inside: &str, outside: &str| {
        let (bridge, uplink) = ("hawser0".to_owned(), "eth0".to_owned());
        let (from, to) = if inwards { (uplink, bridge) } else { (bridge, uplink) };
        let (inside, outside) = (inside.parse().expect(inside), outside.parse().expect(outside));
        let (source, destination) = if inwards { (outside, inside) } else { (inside, outside) };
        let (to, transport) = (Some(to), Transport::Tcp);
        Packet { from, to, source, destination, translated: inwards, transport, port: None }
    };
    [("172.17.0.2", "192.0.2.1"), ("fd17::2", "2001:db8::1")]
        .into_iter()
        .flat_map(|(inside, outside)| [false, true].map(|inwards| packet(inwards, inside, outside)))
        .collect()
}

/// Which of `packets` are dropped by `rules`.
fn dropped(rules: &'static str) -> Vec<usize> {
    let (sender, receiver) = std::sync::mpsc::channel();
    on_test_host(move |kernel| {
        load(rules);
        let found = kernel.obstacles(&packets()).expect("obstacles");
        sender.send(found.into_iter().map(|(place, _)| place).collect()).expect("send");
    });
    receiver.recv().expect("found")
}

const ALL: [usize; 4] = [0, 1, 2, 3];
const NONE: [usize; 0] = [];

#[test]
fn a_policy_that_drops_is_found() {
    on_test_host(|kernel| {
        load(
            "table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; chain DOCKER { }; }",
        );
        let found = kernel.obstacles(&packets()).expect("obstacles");
        let obstacle = Obstacle {
            family: "ip",
            table: "filter".to_owned(),
            chain: "FORWARD".to_owned(),
            by_policy: true,
            chains: vec!["DOCKER".to_owned(), "FORWARD".to_owned()],
        };
        assert_eq!(found, [(0, obstacle.clone()), (1, obstacle)]);
    });
}

#[test]
fn our_own_tables_are_no_obstacle() {
    on_test_host(|kernel| {
        let none = HostState::default();
        kernel.load_firewall(hawser_plan::SKELETONS, Ownership::Sole, &none).expect("load");
        assert_eq!(kernel.obstacles(&packets()).expect("obstacles"), []);
    });
}

#[test]
fn a_last_rule_that_rejects_is_found() {
    assert_eq!(
        dropped(
            "table inet f { chain c { type filter hook forward priority 10; \
             ct state established,related accept; ct status dnat accept; \
             ip6 daddr fe80::/10 drop; reject with icmpx admin-prohibited; }; }"
        ),
        [0, 2]
    );
}

#[test]
fn what_is_let_through_is_none() {
    for rules in [
        "table inet f { chain c { type filter hook forward priority 0; policy drop; \
         iifname \"hawser0\" accept; oifname \"hawser0\" accept; }; }",
        "table inet f { chain c { type filter hook forward priority 0; policy drop; \
         iifname \"haw*\" accept; oifname { eth7, hawser0 } accept; }; }",
        "table inet f { set ours { type ifname; elements = { hawser0 }; }; chain c { type filter \
         hook forward priority 0; policy drop; iifname @ours accept; oifname @ours accept; }; }",
        "table inet f { chain c { type filter hook forward priority 0; policy drop; \
         ip saddr 172.16.0.0/12 accept; ip daddr { 10.0.0.0/8, 172.16.0.0-172.31.255.255 } accept; \
         ip6 saddr fd00::/8 accept; ip6 daddr fd00::/8 accept; }; }",
        "table inet f { chain c { type filter hook forward priority 0; policy drop; \
         iifname vmap { \"hawser0\" : accept, \"eth0\" : goto in }; }; \
         chain in { oifname . meta l4proto { \"hawser0\" . tcp } accept; }; }",
        "table inet f { chain c { type filter hook forward priority 0; policy accept; \
         jump sub; oifname \"hawser0\" ct state invalid drop; }; \
         chain sub { meta mark 7 drop; tcp dport 80 drop; iifname \"eth9\" drop; return; drop; }; }",
        "table inet f { chain c { type filter hook input priority 0; policy drop; }; }",
        "table inet f { chain c { type nat hook postrouting priority 0; policy drop; }; }",
    ] {
        assert_eq!(dropped(rules), NONE, "{rules}");
    }
}

#[test]
fn what_is_not_let_through_is_found() {
    for (rules, found) in [
        // The port is anybody's guess.
        (
            "table inet f { chain c { type filter hook forward priority 0; policy drop; \
             tcp dport 8080 accept; iifname \"hawser0\" accept; }; }",
            vec![1, 3],
        ),
        // The address is not translated yet.
        (
            "table inet f { chain c { type filter hook prerouting priority -300; policy drop; \
             ip daddr 172.17.0.2 accept; oifname \"hawser0\" accept; meta nfproto ipv6 accept; }; }",
            vec![0, 1],
        ),
        ("table ip6 f { chain c { type filter hook postrouting priority 0; drop; }; }", vec![2, 3]),
        (
            "table inet f { chain c { type filter hook forward priority 0; \
             ip saddr != 10.0.0.0/8 ip saddr 172.17.0.2/31 goto no; }; chain no { drop; }; }",
            vec![0],
        ),
        (
            "table inet f { chain c { type filter hook forward priority 0; policy drop; \
             limit rate 10/second accept; fib daddr type local accept; }; }",
            ALL.to_vec(),
        ),
        // firewalld's shape: zones by link, and a last word.
        (
            "table inet firewalld { chain filter_FORWARD { type filter hook forward priority 10; \
             ct state { established, related } accept; ct status dnat accept; iifname \"lo\" accept; \
             jump filter_FORWARD_POLICIES; ct state { invalid } drop; \
             reject with icmpx admin-prohibited; }; \
             chain filter_FORWARD_POLICIES { iifname \"eth0\" jump zone; jump zone; }; \
             chain zone { meta l4proto { icmp, ipv6-icmp } accept; }; }",
            vec![0, 2],
        ),
    ] {
        assert_eq!(dropped(rules), found, "{rules}");
    }
}

/// For the host itself: its address is anybody's guess, its port is not.
#[test]
fn a_port_of_the_host_passes_other_chains() {
    on_test_host(|kernel| {
        let packet = |transport, port| Packet {
            from: "eth0".to_owned(),
            to: None,
            source: "2001:db8::1".parse().expect("address"),
            destination: "::".parse().expect("address"),
            translated: false,
            transport,
            port: Some(port),
        };
        let packets = [
            packet(Transport::Tcp, 8080),
            packet(Transport::Udp, 8080),
            packet(Transport::Tcp, 53),
        ];
        load(
            "table inet f { chain forward { type filter hook forward priority 0; policy drop; }; }",
        );
        assert_eq!(kernel.obstacles(&packets).expect("obstacles"), []);
        load(
            "table inet f { chain in { type filter hook input priority 0; policy drop; \
             iifname lo accept; ip6 daddr 2001:db8::7 accept; tcp dport { 22, 8000-8100 } accept; \
             th dport 53 accept; }; }",
        );
        let found = kernel.obstacles(&packets).expect("obstacles");
        let found: Vec<_> = found.into_iter().map(|(place, o)| (place, o.chain)).collect();
        assert_eq!(found, [(1, "in".to_owned())]);
    });
}

#[test]
fn the_uplink_is_that_of_the_default_route() {
    on_test_host(|kernel| {
        assert_eq!(kernel.uplink().expect("uplink"), None);
        for line in ["link add wan0 type bridge", "link set wan0 up", "route add default dev wan0"]
        {
            let status = Command::new("ip").args(line.split(' ')).status();
            assert!(status.expect("ip").success(), "{line}");
        }
        assert_eq!(kernel.uplink().expect("uplink").as_deref(), Some("wan0"));
    });
}
