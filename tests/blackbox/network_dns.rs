//! Beyond Docker: how a name is answered for a container and why (`hawser dns`), what is counted of
//! it, and the cache that can be switched off.

use hawser_testkit::{Cli, EngineKind, TestHost};

use crate::name_server::{name_server, resolves, set_host_resolvers};

fn running(flags: &[&str]) -> Option<TestHost> {
    let host = TestHost::new();
    if host.engine() == EngineKind::Docker {
        return None;
    }
    set_host_resolvers(&host, "nameserver 10.77.0.1\n");
    host.start_daemon(flags);
    host.load_busybox();
    Some(host)
}

#[test]
fn a_name_is_explained() {
    let Some(host) = running(&[]) else { return };
    let c = host.client(Cli::Hawser);
    c.ok("network create --subnet 10.5.0.0/24 front");
    c.ok("run -itd --name c1 --net front busybox");
    c.ok("run -itd --name c2 --net front --network-alias two busybox");
    c.ok("run -itd --name links --net front --link c2:other busybox");
    let says = |line: &str, wanted: &[&str]| {
        let said = c.ok(&format!("dns {line}"));
        for wanted in wanted {
            assert!(said.lines().any(|l| l.trim_start().starts_with(wanted)), "{wanted}:\n{said}");
        }
    };
    let file = "Its /etc/resolv.conf says: nameserver 127.0.0.11, options ndots:0.";
    says("c1 c2", &["c2 A: NOERROR", "A 10.5.0.3 (for", "A container on front has this", file]);
    says("c1 TWO.front", &["TWO.front A: NOERROR", "A 10.5.0.3", "A container on front"]);
    says("c1 c2 --type aaaa", &["c2 AAAA: NOERROR", "A container on front has this name, and no"]);
    says("links other", &["A 10.5.0.3", "A link of this container: it stands for c2 on front."]);
    says("c1 10.5.0.3", &["3.0.5.10.in-addr.arpa PTR: NOERROR", "PTR c2.front"]);
    says("c1 10.5.0.99", &["99.0.5.10.in-addr.arpa PTR: NXDOMAIN", "Nobody has this address"]);
    says("c1 other", &["other A: NXDOMAIN", "No neighbour has this name; names of one word"]);
    says("c1 nobody.front", &["nobody.front A: NXDOMAIN", "Nobody on front has this name"]);
    // A subnet that comes is the network's at once.
    c.ok("network update --subnet 10.6.0.0/24 front");
    says("c1 10.6.0.99", &["99.0.6.10.in-addr.arpa PTR: NXDOMAIN", "Nobody has this address"]);
    let server = name_server(&host, "10.77.0.1", 1);
    says(
        "c1 outside.example",
        &[
            "outside.example A: NOERROR",
            "A 192.0.2.1",
            "No neighbour has this name; the host's servers were asked:",
            "10.77.0.1:53, from the container,",
        ],
    );
    says("c1 outside.example", &["A 192.0.2.1", "Another server said so"]);
    assert!(server.stdout().contains("asked outside.example."), "{}", server.stdout());
    let json = c.ok("dns c1 --format json c2");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["Reason"]["Kind"], &json["Reason"]["Network"]),
        (&"name".into(), &"front".into())
    );
    assert_eq!(json["Answers"][0]["Data"], "10.5.0.3");
    set_host_resolvers(&host, "");
    crate::name_server::comes_to_resolve(&c, "c1", "nobody.example", &[]);
    says(
        "c1 nobody.example",
        &["nobody.example A: SERVFAIL", "No neighbour has this name, and there"],
    );
    c.ok("network create --internal inside");
    c.ok("run -itd --name in --net inside busybox");
    says(
        "in nobody.example",
        &["nobody.example A: SERVFAIL", "No neighbour has this name, and its"],
    );
    c.ok("run -itd --name told --net inside --dns 10.77.0.1 busybox");
    says("told nobody.example", &["No neighbour has this name; the servers of the container or"]);
    c.fails("dns c1 c2 --type nonsense", 1, "unknown type of record: nonsense");
    c.fails("dns nosuch c2", 1, "No such container: nosuch");
    c.ok("stop -t 0 c2");
    c.fails("dns c2 c1", 1, "is not running");
}

#[test]
fn who_has_no_name_service_is_told_who_is_asked() {
    let Some(host) = running(&[]) else { return };
    let c = host.client(Cli::Hawser);
    std::fs::write(host.files().join("mine"), "nameserver 192.0.2.99\n").unwrap();
    let mine = host.files().join("mine");
    c.ok("network create front");
    c.ok("run -itd --name plain busybox");
    c.ok("run -itd --name hosts --net host busybox");
    c.ok("run -itd --name alone --net none busybox");
    c.ok("run -itd --name shares --net container:plain busybox");
    c.ok(&format!(
        "run -itd --name own -v {}:/etc/resolv.conf --net front busybox",
        mine.display()
    ));
    let file = "Its /etc/resolv.conf says: nameserver 10.77.0.1.";
    for (container, why) in [
        ("plain", "plain is on no network with names: nobody answers names for it here."),
        ("hosts", "hosts uses the host's network: nobody answers names for it here."),
        ("alone", "alone is on no network: nobody answers names for it here."),
        ("shares", "shares uses the network of plain."),
    ] {
        let said = c.ok(&format!("dns {container} outside.example"));
        assert!(said.contains(why) && said.contains(file), "{container}:\n{said}");
    }
    let said = c.ok("dns own own");
    assert!(said.contains("Its /etc/resolv.conf is a mount of its own."), "{said}");
    c.ok("exec plain sh -c 'echo nameserver 192.0.2.9 > /etc/resolv.conf'");
    let said = c.ok("dns plain outside.example");
    assert!(said.contains("resolv.conf, edited inside says: nameserver 192.0.2.9."), "{said}");
}

/// A value of the metrics' text; none if there is no such line.
fn value(text: &str, line: &str) -> Option<f64> {
    let found = text.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(' '))?;
    found.parse().ok()
}

#[test]
fn names_are_counted() {
    let Some(host) = running(&["--metrics-addr=127.0.0.1:9323"]) else { return };
    let _server = name_server(&host, "10.77.0.1", 1);
    let c = host.docker();
    c.ok("network create front");
    c.ok("run -itd --name c1 --net front -p 8080:80 busybox");
    c.ok("run -d --name ended busybox true");
    let metrics = || {
        let answer = host.http().get("/hawser/metrics");
        assert_eq!(answer.status, 200);
        answer.text()
    };
    let before = metrics();
    resolves(&c, "c1", "c1.", &[&c.address("c1")]);
    resolves(&c, "c1", "outside.example", &["192.0.2.1"]);
    let after = metrics();
    let more = |line: &str| {
        value(&after, line).unwrap_or_else(|| panic!("no {line}:\n{after}"))
            - value(&before, line).unwrap_or(0.0)
    };
    // Of each name both families.
    assert_eq!(more("hawser_dns_queries_total"), 4.0);
    assert_eq!(more("hawser_dns_answers_total{by=\"names\"}"), 2.0);
    assert_eq!(more("hawser_dns_answers_total{by=\"upstream\"}"), 2.0);
    assert_eq!(more("hawser_dns_upstream_queries_total{upstream=\"10.77.0.1:53\"}"), 2.0);
    assert_eq!(more("hawser_dns_failures_total"), 0.0);
    for (line, wanted) in [
        ("engine_daemon_container_states_containers{state=\"running\"}", 1.0),
        ("engine_daemon_container_states_containers{state=\"stopped\"}", 1.0),
        ("hawser_networks", 4.0),
        ("hawser_endpoints", 1.0),
        ("hawser_held_ports", 2.0),
        ("hawser_dns_sandboxes", 1.0),
    ] {
        assert_eq!(value(&after, line), Some(wanted), "{line}:\n{after}");
    }
    // The same for Prometheus, and nothing else there.
    let get = |path: &str| host.sh(&format!("curl -sf http://127.0.0.1:9323{path}"));
    assert_eq!(value(&get("/metrics").ok().text(), "hawser_networks"), Some(4.0));
    assert_ne!(get("/containers/json").status, 0);
    host.stop_daemon();
    let refused = host.try_start_daemon(&["--metrics-addr=0.0.0.0:9323"]).unwrap_err();
    assert!(format!("{refused:#}").contains("refusing to serve metrics"), "{refused:#}");
}

#[test]
fn the_cache_can_be_off() {
    // The server says of nothing how long it is nothing (RFC 2308 5): that is asked each time.
    for (flags, more) in [(&[][..], 1), (&["--dns-cache=off"], 2)] {
        let Some(host) = running(flags) else { return };
        let server = name_server(&host, "10.77.0.1", 1);
        let c = host.docker();
        c.ok("network create front");
        c.ok("run -itd --name c1 --net front busybox");
        let asked = || server.stdout().matches("asked outside.example.").count();
        resolves(&c, "c1", "outside.example", &["192.0.2.1"]);
        let once = asked();
        resolves(&c, "c1", "outside.example", &["192.0.2.1"]);
        assert_eq!(asked() - once, more, "{flags:?}:\n{}", server.stdout());
    }
}

/// Where a daemon.json says so it is off, too.
#[test]
fn the_cache_is_a_key_of_the_file() {
    let host = TestHost::new();
    if host.engine() == EngineKind::Docker {
        return;
    }
    let validate = |text: &str| {
        std::fs::write(host.files().join("daemon.json"), text).unwrap();
        let file = host.files().join("daemon.json");
        let program = host.engine().program();
        host.sh(&format!("{} --validate --config-file {}", program.display(), file.display()))
    };
    validate(r#"{"dns-cache": false, "metrics-addr": "127.0.0.1:9323"}"#).ok();
    validate(r#"{"metrics-addr": "0.0.0.0:9323"}"#).fails(1, "refusing to serve metrics");
    validate(r#"{"dns-cache": "off"}"#).fails(1, "dns-cache");
}
