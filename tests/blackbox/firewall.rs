//! The firewall stays what it must be, whoever flushes, deletes or adds; and nobody else's is touched.

use std::time::{Duration, Instant};

use hawser_testkit::{Client, EngineKind, Running, Segment, TestHost, eventually};
use serde_json::Value;

use crate::seen::{get, neighbour};

/// What takes a firewall away, or opens it.
const ATTACKS: [&str; 9] = [
    "flush ruleset",
    "delete table inet hawser",
    "flush table inet hawser",
    "flush chain inet hawser to_container",
    "flush chain inet hawser filter_forward",
    "flush set inet hawser bridges",
    "delete element inet hawser same_bridge { hawser0 . hawser0 }",
    "insert rule inet hawser to_container accept",
    "delete table bridge hawser",
];

/// Somebody else's tables.
const FOREIGN: &str = "table inet mine { chain c { type filter hook forward priority 5; }; }; \
                       table ip nat { chain POSTROUTING { type nat hook postrouting priority 100; }; }";

/// A host with a web server on 8088 and a second network, beside a neighbour that has a route to
/// its containers.
struct Scene {
    host: TestHost,
    neighbour: TestHost,
    _segment: Segment,
}

impl Scene {
    fn new(flags: &[&str]) -> Option<Scene> {
        let segment = Segment::new();
        let host = TestHost::running_with(flags);
        if host.engine() == EngineKind::Docker {
            return None; // it repairs no rules, and anybody may change them
        }
        let neighbour = neighbour(&segment, "10.99.0.3/24");
        host.join_segment(&segment, "wan0", "10.99.0.2/24");
        neighbour.sh("ip route add 172.17.0.0/16 via 10.99.0.2").ok();
        let c = host.docker();
        c.ok("run -d --name web -p 8088:80 busybox httpd -f -p 80 -h /var/www");
        c.ok("network create --subnet 10.5.0.0/24 net1");
        c.ok("run -d --name other --net net1 busybox sleep 1000");
        eventually("it serves", || (get(&neighbour, "10.99.0.2:8088").status == 0).then_some(()));
        Some(Scene { host, neighbour, _segment: segment })
    }

    /// Packets from where none may come from to the web server's container, 500 each second.
    fn intruders(&self) -> [Running; 2] {
        let ping = ["ping", "-i", "0.002", "-W", "1", "172.17.0.2"];
        let inside = self.host.docker().inspect("other", "{{.State.Pid}}");
        let enter = ["nsenter", "--net", "--target", &inside];
        let pings =
            [self.neighbour.spawn(ping), self.host.spawn(enter.iter().chain(ping.iter()).copied())];
        std::thread::sleep(Duration::from_millis(300));
        pings
    }
}

/// How many answers they got until now.
fn answers(intruders: &[Running]) -> usize {
    let each = intruders.iter().map(|ping| ping.stdout().matches("bytes from").count());
    each.sum()
}

fn rules(host: &TestHost) -> String {
    ["inet", "bridge"]
        .map(|family| host.sh(&format!("nft list table {family} hawser")).stdout)
        .concat()
}

/// All tables but ours.
fn foreign(host: &TestHost) -> String {
    let all = host.sh("nft list ruleset").ok().stdout;
    let mut ours = false;
    let is_foreign = |line: &&str| {
        let begins = ["table inet hawser {", "table bridge hawser {"];
        ours = begins.iter().any(|begin| line.starts_with(begin))
            || ours && !line.starts_with("table ");
        !ours
    };
    all.lines().filter(is_foreign).map(|line| format!("{line}\n")).collect()
}

/// The events of repairs, once there are as many.
fn repairs(c: &Client<'_>, count: usize) -> Vec<Value> {
    eventually(&format!("{count} repairs"), || {
        let told = c.ok("events --since 0 --until 0s --filter event=repair --format '{{json .}}'");
        let told: Vec<Value> =
            told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (told.len() == count).then_some(told)
    })
}

#[test]
fn nobody_else_can_change_it() {
    let Some(scene) = Scene::new(&[]) else { return };
    let host = &scene.host;
    host.sh(&format!("nft '{FOREIGN}'")).ok();
    let before = rules(host);
    assert!(before.contains("flags owner"), "{before}");
    let intruders = scene.intruders();
    for _ in 0..5 {
        for attack in ATTACKS {
            let tried = host.sh(&format!("nft '{attack}'"));
            // A flush of everything does not fail: it passes over what is not to be touched.
            assert_eq!(tried.status == 0, attack == "flush ruleset", "{attack}: {tried}");
        }
        get(&scene.neighbour, "10.99.0.2:8088").ok();
    }
    assert_eq!(rules(host), before);
    assert_eq!(answers(&intruders), 0);
    repairs(&host.docker(), 0);
    // They would have been answered if they could.
    host.kill_daemon();
    host.sh("nft delete table inet hawser").ok();
    for intruder in &intruders {
        let intruder = std::slice::from_ref(intruder);
        eventually("it is let in", || (answers(intruder) > 0).then_some(()));
    }
}

#[test]
fn what_is_taken_away_comes_back_within_a_second() {
    let Some(scene) = Scene::new(&["--firewall-lock=false"]) else { return };
    let host = &scene.host;
    let before = rules(host);
    for (number, attack) in ATTACKS.into_iter().enumerate() {
        let started = Instant::now();
        host.sh(&format!("nft '{attack}'")).ok();
        while rules(host) != before {
            assert!(started.elapsed() < Duration::from_secs(1), "{attack}: {}", rules(host));
        }
        eprintln!("{attack}: restored and read after {:?}", started.elapsed());
        get(&scene.neighbour, "10.99.0.2:8088").ok();
        repairs(&host.docker(), number + 1);
    }
    let told = repairs(&host.docker(), ATTACKS.len());
    let told: Vec<_> = told.iter().map(|event| &event["Actor"]["Attributes"]).collect();
    assert_eq!(told[1]["restored"], "table inet hawser");
    assert_eq!(told[6]["restored"], "element same_bridge { \"hawser0\" . \"hawser0\" }");
    assert_eq!(told[7]["removed"], "a rule of chain to_container of table inet hawser");
    assert!(told[7]["by"].as_str().unwrap().starts_with("nft (process "), "{:?}", told[7]);
    let log = host.daemon_log();
    assert!(log.contains("somebody changed the firewall"), "{log}");
    // And then it is as tight as before.
    let intruders = scene.intruders();
    assert_eq!(answers(&intruders), 0);
}

/// Changes go on while somebody takes the table away again and again.
#[test]
fn containers_start_while_it_is_taken_away() {
    let Some(scene) = Scene::new(&["--firewall-lock=false"]) else { return };
    let host = &scene.host;
    let attacks = host.spawn(["sh", "-c", "while :; do nft flush ruleset; sleep 0.1; done"]);
    let c = host.docker();
    for port in 9000..9008 {
        c.ok(&format!("run -d --name c{port} -p {port}:80 busybox httpd -f -p 80 -h /var/www"));
    }
    drop(attacks);
    for port in 9000..9008 {
        let authority = format!("10.99.0.2:{port}");
        eventually("it is published", || {
            (get(&scene.neighbour, &authority).status == 0).then_some(())
        });
    }
}

#[test]
fn what_was_lost_without_a_daemon_comes_back_with_it() {
    let Some(scene) = Scene::new(&[]) else { return };
    let host = &scene.host;
    host.sh(&format!("nft '{FOREIGN}'")).ok();
    let (before, others) = (rules(host), foreign(host));
    for attack in ATTACKS.into_iter().skip(1).chain([""]) {
        host.kill_daemon();
        // It outlives its owner, and whoever wants can change it then.
        let orphan = rules(host);
        assert!(orphan.contains("172.17.0.2 . 80"), "{orphan}");
        get(&scene.neighbour, "10.99.0.2:8088").ok();
        host.sh(&format!("nft '{attack}'")).ok();
        host.start_again();
        assert_eq!(rules(host), before, "{attack}");
        get(&scene.neighbour, "10.99.0.2:8088").ok();
        assert_ne!(host.sh("nft delete table inet hawser").status, 0);
    }
    host.kill_daemon();
    host.sh("nft flush ruleset").ok();
    host.sh(&format!("nft '{FOREIGN}'")).ok();
    host.start_again();
    assert_eq!(rules(host), before);
    // From one way to the other and back; nothing of others is ever touched.
    for flags in [&["--firewall-lock=false"][..], &[]] {
        host.stop_daemon();
        host.start_daemon(flags);
        assert_eq!(rules(host).contains("flags owner"), flags.is_empty());
        get(&scene.neighbour, "10.99.0.2:8088").ok();
        assert_eq!(foreign(host), others);
    }
    assert_eq!(rules(host), before);
    host.docker().ok("rm -f web other");
    host.docker().ok("network rm net1");
    assert_eq!(foreign(host), others);
    host.stop_daemon();
    let program = host.engine().program().display().to_string();
    host.run([&program, "--purge"]).ok();
    assert_eq!(rules(host), "");
    assert_eq!(foreign(host), others);
}

/// Rules that drop our traffic, who keeps them, and whether what is said mends it.
#[test]
fn foreign_firewalls_that_drop_our_traffic_are_told() {
    let Some(scene) = Scene::new(&[]) else { return };
    let (host, c) = (&scene.host, scene.host.docker());
    let outside = || host.exec_in("web", "ping -c 1 -W 1 10.99.0.3").status == 0;
    let published = || get(&scene.neighbour, "10.99.0.2:8088").status == 0;
    let warnings = || {
        let all: Vec<String> =
            serde_json::from_str(&c.ok("info --format '{{json .Warnings}}'")).unwrap_or_default();
        all.into_iter().filter(|warning| warning.contains(" drops what ")).collect::<Vec<_>>()
    };
    assert_eq!((outside(), published(), warnings()), (true, true, Vec::new()));
    // As iptables-nft keeps `-P FORWARD DROP`.
    host.sh("nft 'table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }'").ok();
    assert_eq!((outside(), published()), (false, false));
    let told = warnings();
    assert_eq!(told.len(), 1, "{told:?}");
    let (what, mend) = told[0].split_once("; this lets it through: ").unwrap();
    assert!(
        what.starts_with("WARNING: the policy of chain FORWARD of table ip filter drops"),
        "{what}"
    );
    eventually("the log says it, too", || {
        host.daemon_log().contains("the policy of chain FORWARD of table ip filter").then_some(())
    });
    host.sh(mend).ok();
    assert_eq!((outside(), published(), warnings()), (true, true, Vec::new()), "{mend}");
    // A network that comes later is not let through by that.
    c.ok("network create --subnet 10.6.0.0/24 later");
    assert_eq!(warnings().len(), 1);
    c.ok("network rm later");
    host.sh("nft delete table ip filter").ok();
    // As firewalld has it: what was published passes, the rest is rejected.
    host.sh(
        "nft 'table inet firewalld { chain filter_FORWARD { type filter hook forward priority 10; \
         ct state established,related accept; ct status dnat accept; iifname lo accept; \
         reject with icmpx admin-prohibited; }; }'",
    )
    .ok();
    assert_eq!((outside(), published()), (false, true));
    let told = warnings();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("a rule of chain filter_FORWARD of table inet firewalld"), "{told:?}");
    assert!(told[0].contains("firewall-cmd --permanent --zone=trusted"), "{told:?}");
    host.sh("nft delete table inet firewalld").ok();
    // As ufw has it.
    host.sh(
        "nft 'table ip filter { chain ufw-before-forward { ct state related,established accept; \
         meta l4proto icmp accept; }; chain FORWARD { type filter hook forward priority 0; \
         policy drop; jump ufw-before-forward; }; }'",
    )
    .ok();
    assert_eq!((outside(), published()), (true, false));
    let told = warnings();
    assert!(told.len() == 1 && told[0].contains("ufw route allow in on hawser0"), "{told:?}");
    host.sh("nft delete table ip filter").ok();
    assert_eq!((outside(), published(), warnings()), (true, true, Vec::new()));
    // Clients with IPv6 come to the relay, which is the host's own.
    host.sh("nft 'table ip6 filter { chain INPUT { type filter hook input priority 0; policy drop; }; }'").ok();
    let told = warnings();
    assert!(told.len() == 1 && told[0].contains("ports of the host: 8088/tcp"), "{told:?}");
    host.sh(told[0].split_once("lets it through: ").unwrap().1).ok();
    assert_eq!(warnings(), Vec::<String>::new());
}
