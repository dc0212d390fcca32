//! Who may reach published ports: the engine's policy, a network's, a container's; over both
//! families, TCP and UDP, by translation, by relay and at containers' own addresses. And a policy of
//! the user's own, in a table of the user's own, which sees addresses and ports as the client used them.

use hawser_testkit::{Cli, EngineKind, TestHost};
use serde_json::Value;

use crate::isolation_street::{Place, Street};
use crate::refused::{Since, refused};

with_both_clients!(refusals);

/// At the host's addresses, all of the same port.
const ON_HOST: [&str; 4] =
    ["tcp 10.99.0.2 8088", "udp 10.99.0.2 8088", "tcp fd99::2 8088", "udp fd99::2 8088"];
const BY_IPV4: [&str; 2] = ["tcp 10.99.0.2 8088", "udp 10.99.0.2 8088"];
const BY_IPV6: [&str; 2] = ["tcp fd99::2 8088", "udp fd99::2 8088"];
const LOOPBACK: [&str; 3] = ["tcp 127.0.0.1 8088", "udp 127.0.0.1 8088", "tcp ::1 8088"];
const WEB: &str = "--ip 10.5.1.2 --ip6 fd05:1::2 -p 8088:80 -p 8088:80/udp";

/// The host reaches a port of its own, whatever anybody says.
fn the_host_reaches(street: &Street) {
    street.inside().reaches_all(&ON_HOST);
    street.inside().reaches_all(&LOOPBACK);
}

/// A network's policy, changed while its container runs; connections go on.
#[test]
fn a_networks() {
    let Some(street) = Street::new(&[]) else { return };
    let c = street.client();
    street.network("red", "-o hawser.publish_from=192.0.2.0/24,2001:db8::/32");
    street.network("blue", "");
    let web = street.run("web", &format!("--net red {WEB}"));
    let (near, far) = (street.run("near", "--net red"), street.run("far", "--net blue"));
    let _server = web.serve(&["80"]);
    let outside = street.outside();
    for place in [&outside, &near, &far, &web] {
        place.reaches_none(&ON_HOST);
    }
    the_host_reaches(&street);
    near.reaches_all(&["tcp 10.5.1.2 80", "udp fd05:1::2 80"]);
    let change = |sources: &str| {
        let line = format!("network update --opt hawser.publish_from={sources} red");
        street.host.client(Cli::Hawser).ok(&line);
    };
    change("10.99.0.0/24");
    assert_eq!(outside.reaches(&ON_HOST), BY_IPV4);
    far.reaches_none(&ON_HOST);
    change("fd99::3");
    assert_eq!(outside.reaches(&ON_HOST), BY_IPV6);
    change("iface:wan0");
    outside.reaches_all(&ON_HOST);
    far.reaches_none(&ON_HOST);
    // A container comes in by its bridge.
    change("10.5.2.0/24,fd05:2::/64");
    outside.reaches_none(&ON_HOST);
    far.reaches_all(&ON_HOST);
    street.host.kill_daemon();
    outside.reaches_none(&ON_HOST);
    street.host.start_daemon(&[]);
    outside.reaches_none(&ON_HOST);
    far.reaches_all(&ON_HOST);
    change("any");
    outside.reaches_all(&ON_HOST);
    c.ok("rm -f web near far");
    let rules = street.inside().sh("nft list table inet hawser");
    assert!(!rules.contains("8088"), "{rules}");
}

/// The daemon's policy, and containers that say otherwise, for all ports and for one.
#[test]
fn the_engines_and_a_containers() {
    let Some(street) = Street::new(&["--publish-policy", "local"]) else { return };
    let c = street.client();
    let outside = street.outside();
    c.ok("network create --ipv6 --subnet 10.5.1.0/24 --subnet fd05:1::/64 red");
    let run = |labels: &str| {
        let web = street.run("web", &format!("--net red {WEB} -p 10.99.0.2:8089:81 {labels}"));
        web.serve(&["80", "81"])
    };
    let all = [&ON_HOST[..], &["tcp 10.99.0.2 8089"]].concat();
    for (labels, reached) in [
        ("", &[][..]),
        ("--label hawser.publish_from=any", &all[..]),
        ("--label hawser.publish_from.81/tcp=10.99.0.3", &["tcp 10.99.0.2 8089"]),
        (
            "--label hawser.publish_from=any --label hawser.publish_from.80/udp=local",
            &["tcp 10.99.0.2 8088", "tcp fd99::2 8088", "tcp 10.99.0.2 8089"],
        ),
    ] {
        let _server = run(labels);
        assert_eq!(outside.reaches(&all), reached, "{labels}");
        the_host_reaches(&street);
        c.ok("restart -t 0 web");
        let _server = Place::container(&street.host, "web").serve(&["80", "81"]);
        assert_eq!(outside.reaches(&all), reached, "{labels}, again");
        c.ok("rm -f web");
    }
}

/// The label of an image opens nothing: who builds one has no say in that.
#[test]
fn an_images_label_is_none() {
    let Some(street) = Street::new(&["--publish-policy", "local"]) else { return };
    let c = street.client();
    c.ok("create --name base busybox");
    let dir = street.host.files().join("image");
    std::fs::create_dir_all(&dir).unwrap();
    street.host.sh(&format!("tar -C {0} -cf {0}.tar .", dir.display())).ok();
    let archive = format!("{}.tar", dir.display());
    let label = "LABEL hawser.publish_from=any hawser.publish_from.80/tcp=any kept=1";
    c.ok(&format!("import -c '{label}' {archive} opening"));
    c.ok("create --name web -p 8088:80 opening /nothing");
    let labels: Value = serde_json::from_str(&c.inspect("web", "{{json .Config.Labels}}")).unwrap();
    assert_eq!(labels, serde_json::json!({"kept": "1"}));
}

/// What is relayed from one family to the other is kept from the same.
#[test]
fn where_it_is_relayed() {
    let Some(street) = Street::new(&[]) else { return };
    let c = street.client();
    c.ok("network create --subnet 10.5.1.0/24 -o hawser.publish_from=10.99.0.0/24 red");
    let web = street.run("web", "--net red -p 8088:80 -p 8088:80/udp");
    let _server = web.serve(&["80"]);
    let outside = street.outside();
    assert_eq!(outside.reaches(&ON_HOST), BY_IPV4);
    the_host_reaches(&street);
    street.host.client(Cli::Hawser).ok("network update --opt hawser.publish_from=fd99::/64 red");
    assert_eq!(outside.reaches(&ON_HOST), BY_IPV6);
}

/// Ports at containers' own addresses: routed, unprotected, and by trusted links.
#[test]
fn at_their_own_addresses() {
    let Some(street) = Street::new(&[]) else { return };
    let c = street.client();
    let outside = street.outside();
    let own = ["tcp 10.5.1.2 80", "udp 10.5.1.2 80", "tcp fd05:1::2 80", "udp fd05:1::2 80"];
    let both = |mode: &str| {
        let option = "-o com.docker.network.bridge.gateway_mode_ipv";
        format!("{option}4={mode} {option}6={mode}")
    };
    let trusted = "-o com.docker.network.bridge.trusted_host_interfaces=wan0".to_owned();
    for options in [both("routed"), both("nat-unprotected"), trusted] {
        street.network("red", &format!("{options} -o hawser.publish_from=10.99.0.0/24"));
        let web = street.run("web", &format!("--net red {WEB}"));
        let _server = web.serve(&["80"]);
        let near = street.run("near", "--net red");
        assert_eq!(outside.reaches(&own), own[..2], "{options}");
        near.reaches_all(&own);
        street.inside().reaches_all(&own);
        street.host.client(Cli::Hawser).ok("network update --opt hawser.publish_from=any red");
        outside.reaches_all(&own);
        c.ok("rm -f web near");
        c.ok("network rm red");
    }
}

/// `port --all`: where each port is reached, and from where.
#[test]
fn all_of_it_is_listed() {
    let Some(street) = Street::new(&[]) else { return };
    let c = street.client();
    street.network("red", "-o hawser.publish_from=10.99.0.0/24,iface:wan0");
    street.network("blue", "-o com.docker.network.bridge.gateway_mode_ipv4=routed");
    c.ok("network create --internal inner");
    c.ok("run -d --name web --net red --ip 10.5.1.2 -p 8088:80 -p 127.0.0.1:8089:81 busybox sleep 1000");
    c.ok("run -d --name own --net blue --ip 10.5.2.2 -p 0.0.0.0:53:53/udp busybox sleep 1000");
    c.ok("run -d --name none --net inner -p 8090:80 busybox sleep 1000");
    c.ok("run -d --name quiet --net red busybox sleep 1000");
    let hawser = street.host.client(Cli::Hawser);
    let table = hawser.ok("port --all");
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split("  ").filter(|w| !w.is_empty()).map(str::trim).collect())
        .collect();
    let wanted: [&[&str]; 7] = [
        &["CONTAINER", "PORT", "ADDRESS", "REACHED FROM"],
        &["none", "80/tcp", "-", "nowhere"],
        &["none", "80/tcp", "-", "nowhere"],
        &["own", "53/udp", "10.5.2.2:53", "any"],
        &["web", "80/tcp", "0.0.0.0:8088", "local, 10.99.0.0/24, iface:wan0"],
        &["web", "80/tcp", "[::]:8088", "local, iface:wan0"],
        &["web", "81/tcp", "127.0.0.1:8089", "local"],
    ];
    assert_eq!(lines, wanted, "{table}");
    assert_eq!(hawser.ok("port --all={{.Container}}").lines().count(), 6);
    street.inside().sh("nft 'table inet theirs2 { chain f { type filter hook forward priority 1; policy drop; }; }'");
    let said = hawser.run("port --all");
    assert!(said.stderr.contains("theirs2"), "{said}");
}

/// A table of the user's own, before translation: it sees the address and port of the client's.
/// docs/firewall.md has this one.
#[test]
fn a_policy_of_the_users_own() {
    let Some(street) = Street::new(&[]) else { return };
    street.network("red", "");
    let web = street.run("web", &format!("--net red {WEB} -p 9090:81"));
    let _server = web.serve(&["80", "81"]);
    let outside = street.outside();
    outside.reaches_all(&ON_HOST);
    let text = include_str!("../../docs/firewall.md");
    let table = text.split("```nft\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(table.contains("priority dstnat - 10"), "{table}");
    let file = street.host.files().join("policy.nft");
    std::fs::write(&file, table.replace("eth0", "wan0")).unwrap();
    street.inside().sh(&format!("nft -f {}", file.display()));
    // It lets 8088 in from 192.0.2.0/24 alone, and says nothing of others.
    outside.reaches_none(&BY_IPV4);
    outside.reaches_all(&["tcp 10.99.0.2 9090"]);
    the_host_reaches(&street);
    street.host.restart_daemon();
    outside.reaches_none(&BY_IPV4);
}

fn refusals(cli: Cli) {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // hawser's own
    }
    host.client(cli).ok("network create taken");
    let want =
        "want any, local, or a list with commas of addresses, networks (CIDR) and iface:NAME";
    refused(
        &host,
        cli,
        Since::Today,
        125,
        &[
            ("run --rm --label hawser.publish_from=here busybox true", 400, want),
            ("run --rm --label hawser.publish_from= busybox true", 400, want),
            (
                "run --rm --label hawser.publish_from.x=any busybox true",
                400,
                "invalid port specification",
            ),
        ],
    );
    let network = [
        ("network create -o hawser.publish_from=any,local n", 400, want),
        ("network create -o hawser.publish_from=10.0.0.0/33 n", 400, want),
    ];
    refused(&host, cli, Since::Today, 1, &network);
    if cli == Cli::Hawser {
        let update = [("network update --opt hawser.publish_from=x taken", 400, want)];
        refused(&host, cli, Since::Today, 1, &update);
    }
}
