//! Containers of one network that shall not talk (`enable_icc=false`), but by published ports:
//! over both families, whether bridges lead packets through the host's firewall or not (item 4).

use crate::isolation_street::{Place, Street};

const DIRECT: [&str; 6] = [
    "icmp 10.5.1.2",
    "tcp 10.5.1.2 80",
    "udp 10.5.1.2 80",
    "icmp fd05:1::2",
    "tcp fd05:1::2 80",
    "udp fd05:1::2 80",
];

const PUBLISHED: [&str; 6] = [
    "tcp 10.99.0.2 8088",
    "udp 10.99.0.2 8088",
    "tcp fd99::2 8088",
    "udp fd99::2 8088",
    "tcp 10.5.1.1 8088",
    "tcp fd05:1::1 8088",
];

const WEB: &str = "--net red --ip 10.5.1.2 --ip6 fd05:1::2 -p 8088:80 -p 8088:80/udp";

/// Whether bridged packets pass the firewall's rules for IP.
pub fn bridges_call(street: &Street, switch: &str) {
    for which in ["iptables", "ip6tables"] {
        let file = format!("/proc/sys/net/bridge/bridge-nf-call-{which}");
        street.inside().sh(&format!("echo {switch} > {file}"));
    }
}

/// Ways of their own: a route through the host, and a neighbour's hardware address.
fn go_round(near: &Place<'_>, web: &Place<'_>) {
    let mac = web.sh("ip -o link show eth0");
    let mac = mac.split("link/ether ").nth(1).unwrap().split(' ').next().unwrap();
    near.sh(&format!(
        "ip neigh replace 10.5.1.2 lladdr {mac} dev eth0; ip neigh replace fd05:1::2 lladdr {mac} dev eth0"
    ));
    near.reaches_none(&DIRECT);
    near.sh("ip route add 10.5.1.2 via 10.5.1.1; ip -6 route add fd05:1::2 via fd05:1::1");
    near.reaches_none(&DIRECT);
    near.sh("ip route del 10.5.1.2; ip -6 route del fd05:1::2");
}

#[test]
fn without_icc_there_are_published_ports_alone() {
    let Some(street) = Street::new(&[]) else { return };
    for guard in ["true", "false"] {
        let icc = "-o com.docker.network.bridge.enable_icc=false";
        street.network("red", &format!("{icc} -o hawser.source_guard={guard}"));
        let web = street.run("web", WEB);
        let _server = web.serve(&["80"]);
        let near = street.run("near", "--net red");
        for switch in ["0", "1"] {
            bridges_call(&street, switch);
            near.reaches_none(&DIRECT);
            go_round(&near, &web);
            for place in [&near, &web, &street.outside()] {
                place.reaches_all(&PUBLISHED);
            }
            street.inside().reaches_all(&DIRECT);
            near.reaches_all(&[
                "icmp 10.99.0.3",
                "icmp fd99::3",
                "icmp 10.5.1.1",
                "icmp fd05:1::1",
            ]);
        }
        street.client().ok("rm -f web near");
        street.client().ok("network rm red");
    }
}
