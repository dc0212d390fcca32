//! Between networks: by published ports alone, and not even so for internal ones, whose containers
//! are out of everybody's reach as everybody is out of theirs (item 3).

use hawser_testkit::eventually;

use crate::isolation_street::{Place, Street, heard};

/// Container `web` of network `red` at its own addresses.
const DIRECT: [&str; 8] = [
    "icmp 10.5.1.2",
    "tcp 10.5.1.2 80",
    "udp 10.5.1.2 80",
    "tcp 10.5.1.2 81",
    "icmp fd05:1::2",
    "tcp fd05:1::2 80",
    "udp fd05:1::2 80",
    "tcp fd05:1::2 81",
];

/// Its published port, at an address of the host that nobody's network has, and at the gateways of
/// its own network and of `blue`.
const PUBLISHED: [&str; 8] = [
    "tcp 10.99.0.2 8088",
    "udp 10.99.0.2 8088",
    "tcp fd99::2 8088",
    "udp fd99::2 8088",
    "tcp 10.5.1.1 8088",
    "tcp fd05:1::1 8088",
    "tcp 10.5.2.1 8088",
    "tcp fd05:2::1 8088",
];

/// A port of `web` that only the relay carries, since the container it leads to has no IPv6.
const RELAYED: [&str; 2] = ["tcp fd99::2 8099", "tcp fd05:2::1 8099"];

const OUTSIDE: [&str; 6] = [
    "icmp 10.99.0.3",
    "tcp 10.99.0.3 9000",
    "udp 10.99.0.3 9000",
    "icmp fd99::3",
    "tcp fd99::3 9000",
    "udp fd99::3 9000",
];

const WEB: &str = "--net red --ip 10.5.1.2 --ip6 fd05:1::2 -p 8088:80 -p 8088:80/udp";

#[test]
fn bridges_reach_one_another_by_published_ports_alone() {
    let Some(street) = Street::new(&[]) else { return };
    street.network("red", "");
    street.network("blue", "");
    let web = street.run("web", WEB);
    let server = web.serve(&["80", "81"]);
    let (near, far) = (street.run("near", "--net red"), street.run("far", "--net blue"));
    let default = street.run("default", "");
    near.reaches_all(&DIRECT);
    for place in [&far, &default] {
        place.reaches_none(&DIRECT);
    }
    // Who knows the bridge of the others does not get there by it.
    far.sh("ip route add 10.5.1.2 via 10.5.2.1; ip -6 route add fd05:1::2 via fd05:2::1");
    far.reaches_none(&DIRECT);
    for place in [&near, &far, &web] {
        place.reaches_all(&PUBLISHED);
    }
    default.reaches_all(&PUBLISHED[..2]);
    assert!(!server.stdout().contains("10.5.2."), "masqueraded: {}", server.stdout());
    // On both networks: at both, and no way for others through it.
    street.client().ok("network connect --ip 10.5.2.99 --ip6 fd05:2::99 blue web");
    far.reaches_all(&["icmp 10.5.2.99", "tcp 10.5.2.99 80", "tcp fd05:2::99 80"]);
    far.sh("ip route del 10.5.1.2; ip -6 route del fd05:1::2");
    far.reaches_none(&DIRECT);
    street.client().ok("network disconnect blue web");
    far.reaches_none(&["icmp 10.5.2.99", "tcp 10.5.2.99 80", "tcp fd05:2::99 80"]);
}

/// `blue` is internal here, `red` is not.
#[test]
fn an_internal_network_reaches_nothing_outside_and_nothing_reaches_it() {
    let Some(street) = Street::new(&[]) else { return };
    street.network("red", "");
    street.network("blue", "--internal");
    let server = street.run("web", WEB).serve(&["80", "81"]);
    let four = street.run("four", "-p 8099:80");
    let _four = four.serve(&["80"]);
    let outside = street.outside();
    let outer = outside.serve(&["9000"]);
    let port = "--net blue --ip 10.5.2.2 --ip6 fd05:2::2 -p 8077:80 -p 8077:80/udp";
    let hidden = street.run("hidden", port);
    let hidden_server = hidden.serve(&["80"]);
    let peer = street.run("peer", "--net blue");
    let own = ["icmp 10.5.2.2", "tcp 10.5.2.2 80", "udp 10.5.2.2 80", "tcp fd05:2::2 80"];
    peer.reaches_all(&own);
    street.inside().reaches_all(&own);
    street.run("normal", "--net red").reaches_all(&[&OUTSIDE[..], &PUBLISHED, &RELAYED].concat());
    heard(&outer, "from 10.99.0.2");
    let (asked, outer_asked) = (server.stdout(), outer.stdout());
    // As they are, and as they would be with what an intruder adds.
    let gateways = "ip route add default via 10.5.2.1; ip -6 route add default via fd05:2::1; true";
    for preparation in ["true", gateways] {
        for place in [&hidden, &peer] {
            place.sh(preparation);
            place.reaches_none(&[&OUTSIDE[..], &DIRECT, &PUBLISHED, &RELAYED].concat());
        }
    }
    assert_eq!((server.stdout(), outer.stdout()), (asked, outer_asked));
    let inner_asked = hidden_server.stdout();
    let published =
        ["tcp 10.99.0.2 8077", "udp 10.99.0.2 8077", "tcp fd99::2 8077", "tcp 10.5.2.1 8077"];
    for place in [&outside, &Place::container(&street.host, "normal"), &four] {
        place.reaches_none(&[&own[..], &published].concat());
    }
    assert_eq!(hidden_server.stdout(), inner_asked);
}

/// What `nslookup` in a container has as an answer from the resolver outside: the resolver gives none,
/// it is the question that must not get out.
#[test]
fn names_are_no_way_out_of_an_internal_network() {
    for flags in [&["--dns", "10.99.0.3", "--dns", "fd99::3"][..], &[]] {
        let Some(street) = Street::new(&[]) else { return };
        street.host.stop_daemon();
        // Without the flags the host's own resolver is asked: it listens on the loopback.
        let resolv = "nameserver 127.0.0.53\nnameserver 10.99.0.3\n";
        street.host.sh(&format!("printf '{resolv}' > /etc/resolv.conf")).ok();
        let stub = street.inside().serve(&["53"]);
        street.host.start_daemon(flags);
        street.network("red", "");
        street.network("blue", "--internal");
        street.run("web", "--net blue");
        let outside = street.outside();
        let asked = [outside.count("wan0", "udp dport 53"), outside.count("wan0", "tcp dport 53")];
        let told = || {
            asked.iter().map(|counter| counter.packets()).sum::<u32>() as usize
                + stub.stdout().matches(" 53 from").count()
        };
        let c = street.client();
        for options in ["--net blue", "--net blue --dns 10.99.0.3", "--net blue --dns 127.0.0.53"] {
            let ask = format!("run --rm {options} busybox timeout 5 nslookup");
            assert_ne!(c.run(&format!("{ask} secret.example")).status, 0);
            assert_ne!(c.run(&format!("{ask} 198.51.100.7")).status, 0);
            // Its own names it has.
            assert!(c.ok(&format!("{ask} web")).contains("10.5.2."));
            assert_eq!(told(), 0, "{options}");
        }
        // It would have been told of it.
        c.run("run --rm --net red busybox timeout 2 nslookup public.example");
        eventually("the resolver is asked", || (told() > 0).then_some(()));
    }
}

/// A resolver that is a neighbour on an internal network is asked.
#[test]
fn a_resolver_inside_an_internal_network_is_asked() {
    let Some(street) = Street::new(&[]) else { return };
    street.network("blue", "--internal");
    let resolver = street.run("resolver", "--net blue --ip 10.5.2.53");
    let asked = resolver.count("eth0", "udp dport 53");
    street.client().run("run --rm --net blue --dns 10.5.2.53 busybox timeout 2 nslookup a.example");
    assert!(asked.packets() > 0);
}

#[test]
fn an_isolated_network_has_nobody_but_its_containers() {
    let Some(street) = Street::new(&[]) else { return };
    let mode = "-o com.docker.network.bridge.gateway_mode";
    let name = "-o com.docker.network.bridge.name=blue0";
    street.network("blue", &format!("--internal {mode}_ipv4=isolated {mode}_ipv6=isolated {name}"));
    let hidden = street.run("hidden", "--net blue --ip 10.5.2.2 --ip6 fd05:2::2");
    let server = hidden.serve(&["80"]);
    let own = ["icmp 10.5.2.2", "tcp 10.5.2.2 80", "icmp fd05:2::2", "tcp fd05:2::2 80"];
    street.run("peer", "--net blue").reaches_all(&own);
    // No address at all on the host, so nothing there to talk to, whatever either side tries.
    assert_eq!(street.host.sh("ip -o addr show dev blue0").ok().stdout, "");
    let asked = server.stdout();
    let inside = street.inside();
    let (host_server, link_local) = (inside.serve(&["7777"]), "fe80::1%eth0");
    inside.reaches_none(&own);
    hidden.sh("ip route add default dev eth0; ip -6 route add default dev eth0");
    hidden.reaches_none(&[
        "icmp 10.99.0.2",
        "tcp 10.99.0.2 7777",
        "tcp fd99::2 7777",
        "icmp 10.99.0.3",
        &format!("tcp {link_local} 7777"),
    ]);
    street.outside().reaches_none(&own);
    assert_eq!(server.stdout(), asked);
    assert_eq!(host_server.stdout(), "ready\n");
}
