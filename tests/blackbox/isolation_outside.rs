//! From outside: what is published is reached, and nothing else is, by whatever way a neighbour finds
//! (items 1 and 2 of the isolation that hawser promises).

use crate::isolation_street::{Counter, Place, Street, heard, port_of};

/// Both ports of container `web` at its own addresses: 80 is published, 81 is not.
const DIRECT: [&str; 10] = [
    "icmp 10.5.1.2",
    "tcp 10.5.1.2 80",
    "udp 10.5.1.2 80",
    "tcp 10.5.1.2 81",
    "udp 10.5.1.2 81",
    "icmp fd05:1::2",
    "tcp fd05:1::2 80",
    "udp fd05:1::2 80",
    "tcp fd05:1::2 81",
    "udp fd05:1::2 81",
];

/// Its published port at the host's addresses, on the wire and on the bridge.
const PUBLISHED: [&str; 8] = [
    "tcp 10.99.0.2 8088",
    "udp 10.99.0.2 8088",
    "tcp fd99::2 8088",
    "udp fd99::2 8088",
    "tcp 10.5.1.1 8088",
    "udp 10.5.1.1 8088",
    "tcp fd05:1::1 8088",
    "udp fd05:1::1 8088",
];

const WEB: &str = "--net red --ip 10.5.1.2 --ip6 fd05:1::2 -p 8088:80 -p 8088:80/udp";

#[test]
fn a_neighbour_with_a_route_reaches_what_is_published() {
    let Some(street) = Street::new(&[]) else { return };
    street.network("red", "");
    let server = street.run("web", WEB).serve(&["80", "81"]);
    street.outside().reaches_all(&PUBLISHED);
    for asked in ["tcp 80 from 10.99.0.3", "udp 80 from 10.99.0.3", "tcp 80 from fd99::3"] {
        heard(&server, asked);
    }
    street.outside().reaches_none(&DIRECT);
    assert!(!server.stdout().contains(" 81 "), "{}", server.stdout());
    // The host itself is no stranger.
    street.inside().reaches_all(&DIRECT);
    // The daemon's end changes nothing, nor does its return, nor a container's.
    street.host.kill_daemon();
    street.outside().reaches_all(&PUBLISHED);
    street.outside().reaches_none(&DIRECT);
    street.host.start_again();
    street.outside().reaches_none(&DIRECT);
    drop(server);
    street.client().ok("restart -t 0 web");
    let _server = Place::container(&street.host, "web").serve(&["80", "81"]);
    street.outside().reaches_all(&PUBLISHED);
    street.outside().reaches_none(&DIRECT);
}

#[test]
fn a_port_of_the_host_that_is_not_published_leads_to_no_container() {
    let Some(street) = Street::new(&[]) else { return };
    street.network("red", "");
    let _server = street.run("web", WEB).serve(&["80", "81"]);
    street.outside().reaches_none(&[
        "tcp 10.99.0.2 80",
        "udp 10.99.0.2 80",
        "tcp 10.99.0.2 81",
        "tcp fd99::2 80",
        "udp fd99::2 80",
        "tcp fd99::2 81",
        "tcp 10.5.1.1 80",
        "tcp fd05:1::1 80",
    ]);
    // Exposed is not published, and what was published is not once its container has ended.
    street.run("shy", "--net red --expose 81");
    assert_eq!(street.client().ok("port shy"), "");
    street.client().ok("stop -t 0 web");
    street.outside().reaches_none(&PUBLISHED);
}

#[test]
fn routed_networks_are_reached_where_they_are_published() {
    let Some(street) = Street::new(&[]) else { return };
    let mode = "-o com.docker.network.bridge.gateway_mode";
    street.network("red", &format!("{mode}_ipv4=routed {mode}_ipv6=routed"));
    let server = street.run("web", WEB).serve(&["80", "81"]);
    let open = DIRECT.into_iter().filter(|way| !way.ends_with("81")).collect::<Vec<_>>();
    street.outside().reaches_all(&open);
    street.outside().reaches_none(&[&PUBLISHED[..], &DIRECT[3..5], &DIRECT[8..]].concat());
    heard(&server, "tcp 80 from fd99::3");
    // Nor are they reached by containers of another network, but where they are published.
    street.network("blue", "");
    let other = street.run("other", "--net blue");
    assert_eq!(other.reaches(&DIRECT), open);
}

/// Makes of a place one that sends packets for loopback addresses to a gateway.
fn sends_loopback(place: &Place<'_>, link: &str, via4: &str, via6: &str) {
    place.sh(&format!(
        "ip addr flush dev lo; ip -4 rule add pref 0 lookup main; ip -6 rule add pref 0 lookup main; \
         ip route flush table local dev lo; ip -6 route flush table local dev lo; \
         echo 1 > /proc/sys/net/ipv4/conf/{link}/route_localnet; \
         ip route add 127.0.0.0/8 via {via4}; ip -6 route add ::1/128 via {via6}"
    ));
}

/// Ports of the host's loopback: 8090 is a container's, 7777 of a process of the host itself.
const LOOPBACK: [&str; 7] = [
    "tcp 127.0.0.1 8090",
    "udp 127.0.0.1 8090",
    "tcp ::1 8090",
    "udp ::1 8090",
    "tcp 127.0.0.1 7777",
    "udp 127.0.0.1 7777",
    "tcp ::1 7777",
];

#[test]
fn the_loopback_of_the_host_is_its_own() {
    let Some(street) = Street::new(&[]) else { return };
    street.network("red", "");
    let web = street.run(
        "web",
        "--net red --ip 10.5.1.2 --ip6 fd05:1::2 -p 127.0.0.1:8090:80 -p 127.0.0.1:8090:80/udp \
         -p [::1]:8090:80 -p [::1]:8090:80/udp",
    );
    let server = web.serve(&["80"]);
    let inside = street.inside();
    let own = inside.serve(&["7777"]);
    inside.reaches_all(&LOOPBACK);
    // At no other address, from nobody.
    let elsewhere = ["tcp 10.99.0.2 8090", "udp 10.99.0.2 8090", "tcp fd99::2 8090"];
    let other = street.run("other", "--net red");
    for place in [&street.outside(), &inside, &other] {
        place.reaches_none(&elsewhere);
    }
    let (asked, own_asked) = (server.stdout(), own.stdout());
    // Packets for 127.0.0.1 and ::1 that come by the wire, and from a container.
    let outside = street.outside();
    sends_loopback(&outside, "wan0", "10.99.0.2", "fd99::2");
    sends_loopback(&other, "eth0", "10.5.1.1", "fd05:1::1");
    let port = port_of(&street.host, "other");
    let arrived = ["wan0", &port].map(|link| {
        [inside.count(link, "ip daddr 127.0.0.1"), inside.count(link, "ip6 daddr ::1")]
    });
    for open in ["0", "1"] {
        // What other software of the host asks for (kube-proxy): not to be relied on.
        inside.sh(&format!("echo {open} > /proc/sys/net/ipv4/conf/all/route_localnet"));
        outside.reaches_none(&LOOPBACK);
        other.reaches_none(&LOOPBACK);
    }
    let arrived = arrived.as_flattened().iter().map(Counter::packets).collect::<Vec<_>>();
    assert!(arrived.iter().all(|count| *count > 2), "they did not come: {arrived:?}");
    assert_eq!((server.stdout(), own.stdout()), (asked, own_asked));
    inside.reaches_all(&LOOPBACK);
}
