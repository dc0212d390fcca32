//! Isolation while somebody takes the firewall away (item 6), and beside the rules of a user, who
//! judges published ports as their clients named them (item 7).

use std::time::{Duration, Instant};

use crate::isolation_street::{Place, Street, heard};

const DIRECT: [&str; 6] = [
    "icmp 10.5.1.2",
    "tcp 10.5.1.2 80",
    "udp 10.5.1.2 81",
    "icmp fd05:1::2",
    "tcp fd05:1::2 80",
    "udp fd05:1::2 81",
];

const PUBLISHED: [&str; 4] =
    ["tcp 10.99.0.2 8088", "udp 10.99.0.2 8088", "tcp fd99::2 8088", "udp fd99::2 8088"];

const WEB: &str = "--net red --ip 10.5.1.2 --ip6 fd05:1::2 -p 8088:80 -p 8088:80/udp";

const TABLES: &str = "nft list table inet hawser; nft list table bridge hawser";

/// A neighbour's hardware address, which the guard of the container's port lets nobody take.
const FORGED: &str = "ip link set eth0 address 02:42:0a:05:01:99";

#[test]
fn nothing_is_open_while_somebody_flushes_all_the_time() {
    let Some(street) = Street::new(&[]) else { return };
    street.network("red", "");
    street.network("blue", "");
    let server = street.run("web", WEB).serve(&["80", "81"]);
    let far = street.run("far", "--net blue");
    let forger = street.run("forger", "--net red");
    forger.sh(FORGED);
    let before = street.inside().sh(TABLES);
    let attack = "while :; do nft flush ruleset; nft delete table inet hawser; \
                  nft delete table bridge hawser; nft flush chain bridge hawser guard; done 2> /dev/null";
    let mut attacker = street.host.spawn(["sh", "-c", attack]);
    for _ in 0..2 {
        for place in [&street.outside(), &far, &forger] {
            place.reaches_none(&DIRECT);
        }
        street.outside().reaches_all(&PUBLISHED);
    }
    assert!(!attacker.is_finished());
    drop(attacker);
    assert_eq!(street.inside().sh(TABLES), before);
    let asked = server.stdout();
    assert!(!asked.contains("from 10.5.") && !asked.contains("from fd05:"), "{asked}");
}

/// Where nothing keeps others from it (Linux before 6.9): each table, chain and element in turn.
#[test]
fn what_is_taken_away_is_back_within_a_second() {
    let Some(street) = Street::new(&["--firewall-lock=false"]) else { return };
    street.network("red", "-o com.docker.network.bridge.name=red0");
    let web = "--mac-address 02:42:0a:05:01:02";
    let _server = street.run("web", &format!("{WEB} {web}")).serve(&["80", "81"]);
    let forger = street.run("forger", "--net red");
    forger.sh(FORGED);
    let inside = street.inside();
    let before = inside.sh(TABLES);
    for attack in [
        "flush ruleset",
        "delete table bridge hawser",
        "flush chain bridge hawser guard",
        "flush chain bridge hawser prerouting; delete chain bridge hawser guard",
        "flush set bridge hawser guarded",
        "delete element inet hawser masquerade6 { fd05:1::/64 }",
        "delete element inet hawser publish_any6 { tcp . 8088 }",
    ] {
        let started = Instant::now();
        inside.sh(&format!("nft '{attack}'"));
        while inside.sh(&format!("{{ {TABLES}; }} 2> /dev/null; true")) != before {
            assert!(started.elapsed() < Duration::from_secs(1), "{attack}: {}", inside.sh(TABLES));
        }
    }
    forger.reaches_none(&DIRECT);
    street.outside().reaches_none(&DIRECT);
    street.outside().reaches_all(&PUBLISHED);
}

/// The user's table comes before address translation, so it has what the client used.
#[test]
fn a_users_own_policy_judges_what_the_client_asked_for() {
    let Some(street) = Street::new(&[]) else { return };
    street.network("red", "");
    let web = street.run("web", WEB);
    let server = web.serve(&["80"]);
    let (inside, outside) = (street.inside(), street.outside());
    let policies = [
        // Before translation.
        "type filter hook prerouting priority -150; \
         iifname wan0 ip daddr 10.99.0.2 tcp dport 8088 drop; \
         iifname wan0 ip6 daddr fd99::2 udp dport 8088 drop",
        // After it, by what conntrack remembers.
        "type filter hook forward priority -1; \
         iifname wan0 ct original ip daddr 10.99.0.2 tcp dport 80 ct original proto-dst 8088 drop; \
         iifname wan0 ct original ip6 daddr fd99::2 udp dport 80 ct original proto-dst 8088 drop",
    ];
    for policy in policies {
        outside.reaches_all(&PUBLISHED);
        inside.sh(&format!("nft 'table inet mine {{ chain c {{ {policy}; }}; }}'"));
        let mine = inside.sh("nft list table inet mine");
        let left = ["udp 10.99.0.2 8088", "tcp fd99::2 8088"];
        assert_eq!(outside.reaches(&PUBLISHED), left);
        street.host.restart_daemon();
        assert_eq!(outside.reaches(&PUBLISHED), left);
        // Other ways to the same container are not meant.
        outside.reaches_all(&["tcp 10.5.1.1 8088", "udp fd05:1::1 8088"]);
        inside.reaches_all(&PUBLISHED);
        assert_eq!(inside.sh("nft list table inet mine"), mine);
        inside.sh("nft delete table inet mine");
    }
    drop(server);
    street.client().ok("restart -t 0 web");
    let server = Place::container(&street.host, "web").serve(&["80"]);
    outside.reaches_all(&PUBLISHED);
    heard(&server, "udp 80 from fd99::3");
}
