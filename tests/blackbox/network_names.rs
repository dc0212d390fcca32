//! Section 3: names on networks: who is known under which name, to whom, from when on; and what a
//! container finds in its hosts file.

use hawser_testkit::{Cli, Client, EngineKind, TestHost};

use crate::name_server::{hosts_lines, resolve, resolves};

with_both_clients!(at_once, in_turn, of_both_families, on_internal_networks, hosts_files);

/// Names follow what is done to containers; nobody has to wait.
fn at_once(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("network create --subnet 10.6.0.0/24 net2");
    c.ok("run -itd --name c1 --net net1 busybox");
    c.ok("run -itd --name c2 --net net1 --network-alias one --hostname inner busybox");
    let short = c.inspect("c2", "{{.Id}}")[..12].to_owned();
    let all = ["c2", "C2", "one", "inner", &short, "c2.net1", "one.net1"];
    let knows = |names: &[&str], address: &[&str]| {
        names.iter().for_each(|name| resolves(&c, "c1", name, address));
    };
    knows(&all, &["10.5.0.3"]);
    assert_eq!(reverse(&c, "10.5.0.3"), "c2.net1");
    c.ok("rename c2 c3");
    knows(&["c3", "one", "inner", &short], &["10.5.0.3"]);
    knows(&["c2", "c2.net1"], &[]);
    assert_eq!(reverse(&c, "10.5.0.3"), "c3.net1");
    c.ok("network disconnect net1 c3");
    knows(&["c3", "one", "inner", &short], &[]);
    c.ok("network connect --alias two --ip 10.5.0.30 net1 c3");
    knows(&["c3", "two", "inner", &short], &["10.5.0.30"]);
    knows(&["one"], &[]);
    // A name on another network is known to those on it alone, and from when on they are.
    c.ok("network connect --alias far net2 c3");
    knows(&["far", "c3.net2"], &[]);
    c.ok("network connect net2 c1");
    knows(&["far", "c3.net2"], &["10.6.0.2"]);
    c.ok("pause c3");
    knows(&["c3.net1"], &["10.5.0.30"]);
    c.ok("unpause c3");
    host.restart_daemon();
    knows(&["two", "c3.net1"], &["10.5.0.30"]);
    knows(&["far", "c3.net2"], &["10.6.0.2"]);
    c.ok("stop -t 0 c3");
    knows(&["c3", "two", "far", &short], &[]);
    c.ok("start c3");
    knows(&["two"], &["10.5.0.30"]);
}

/// The name that an address has, as c1 is told.
fn reverse(c: &Client<'_>, address: &str) -> String {
    let said = c.run(&format!("exec c1 nslookup {address}")).stdout;
    let name = said.lines().find_map(|line| Some(line.split_once("name = ")?.1.trim().to_owned()));
    name.unwrap_or(said)
}

/// Several containers on one alias: each is the first in its turn.
fn in_turn(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("run -itd --name asks --net net1 busybox");
    for name in ["p1", "p2", "p3"] {
        c.ok(&format!("run -itd --name {name} --net net1 --network-alias pool busybox"));
    }
    let mut first = std::collections::BTreeSet::new();
    for _ in 0..30 {
        let all = resolve(&c, "asks", "pool");
        let mut sorted = all.clone();
        sorted.sort();
        assert_eq!(sorted, ["10.5.0.3", "10.5.0.4", "10.5.0.5"]);
        first.insert(all[0].clone());
    }
    assert_eq!(first.len(), 3, "{first:?}");
    c.ok("rm -f p2");
    assert_eq!(resolve(&c, "asks", "pool").len(), 2);
}

fn of_both_families(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --ipv6 --subnet 10.5.0.0/24 --subnet fd05::/64 dual");
    c.ok("run -itd --name c1 --net dual busybox");
    c.ok("run -itd --name c2 --net dual busybox");
    let (v4, v6) = ("10.5.0.3", "fd05::3");
    resolves(&c, "c1", "c2", &[v4, v6]);
    for ping in ["ping", "ping6"] {
        c.ok(&format!("exec c1 {ping} -c 1 -W 2 c2"));
    }
    let id = c.inspect("c2", "{{.Id}}")[..12].to_owned();
    assert_eq!(hosts_lines(&c, "c2"), [format!("{v4} {id}"), format!("{v6} {id}")]);
    assert_eq!(reverse(&c, v6), "c2.dual");
    // A container of one family is known with that alone, and the other is an empty answer.
    c.ok("network create --subnet 10.6.0.0/24 four");
    c.ok("network connect four c1");
    c.ok("run -itd --name c4 --net four busybox");
    resolves(&c, "c1", "c4", &["10.6.0.3"]);
    assert_ne!(c.run("exec c1 ping6 -c 1 -W 2 c4").status, 0);
    if host.engine() == EngineKind::Docker {
        return; // 20.10 has no networks without IPv4.
    }
    c.ok("network create --ipv4=false --ipv6 --subnet fd06::/64 six");
    c.ok("run -itd --name s1 --net six busybox");
    c.ok("run -itd --name s2 --net six --network-alias both busybox");
    host.restart_daemon();
    for name in ["s2", "both", "s2.six"] {
        resolves(&c, "s1", name, &["fd06::3"]);
    }
    c.ok("exec s1 ping6 -c 1 -W 2 both");
    let id = c.inspect("s2", "{{.Id}}")[..12].to_owned();
    assert_eq!(hosts_lines(&c, "s2"), [format!("fd06::3 {id}")]);
}

fn on_internal_networks(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --internal --subnet 10.5.0.0/24 inside");
    c.ok("run -itd --name c1 --net inside busybox");
    c.ok("run -itd --name c2 --net inside --network-alias db busybox");
    for name in ["c2", "db", "c2.inside"] {
        resolves(&c, "c1", name, &["10.5.0.3"]);
    }
    c.ok("exec c1 ping -c 1 -W 2 db");
    assert!(c.ok("exec c1 cat /etc/resolv.conf").contains("nameserver 127.0.0.11"));
    host.restart_daemon();
    resolves(&c, "c1", "db", &["10.5.0.3"]);
}

fn hosts_files(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("network create --ipv6 --subnet 10.6.0.0/24 --subnet fd06::/64 net2");
    c.ok("run -itd --name c1 --net net1 --hostname box --domainname example.org \
          --add-host db:192.0.2.7 --add-host db6:2001:db8::7 busybox");
    let given = ["192.0.2.7 db".to_owned(), "2001:db8::7 db6".to_owned()];
    let own = |address: &str| format!("{address} box.example.org box");
    let expect = |addresses: &[&str], more: &[&str]| {
        let mut lines = hosts_lines(&c, "c1");
        // What was given comes first, so that it wins over what is found.
        assert_eq!(lines[..2], given);
        let mut wanted: Vec<_> =
            given.iter().cloned().chain(addresses.iter().map(|a| own(a))).collect();
        wanted.extend(more.iter().map(|line| (*line).to_owned()));
        lines.sort();
        wanted.sort();
        assert_eq!(lines, wanted);
    };
    expect(&["10.5.0.2"], &[]);
    assert_eq!(c.ok("exec c1 hostname -f"), "box.example.org");
    c.ok("network connect net2 c1");
    expect(&["10.5.0.2", "10.6.0.2", "fd06::2"], &[]);
    c.ok("exec c1 sh -c 'echo 192.0.2.9 mine >> /etc/hosts'");
    if host.engine() == EngineKind::Docker {
        return; // 20.10 leaves the lines of a network that was left.
    }
    c.ok("network disconnect net1 c1");
    expect(&["10.6.0.2", "fd06::2"], &["192.0.2.9 mine"]);
    host.restart_daemon();
    expect(&["10.6.0.2", "fd06::2"], &["192.0.2.9 mine"]);
    c.ok("network connect net1 c1");
    expect(&["10.5.0.2", "10.6.0.2", "fd06::2"], &["192.0.2.9 mine"]);
    // A start begins anew.
    c.ok("restart -t 0 c1");
    expect(&["10.5.0.2", "10.6.0.2", "fd06::2"], &[]);
    // Of another container and of the host.
    c.ok("run -itd --name shares --net container:c1 busybox");
    assert_eq!(c.ok("exec shares cat /etc/hosts"), c.ok("exec c1 cat /etc/hosts"));
    host.sh("echo 192.0.2.50 neighbour > /etc/hosts").ok();
    assert_eq!(c.ok("run --rm --net host busybox cat /etc/hosts"), "192.0.2.50 neighbour");
    let added = c.ok("run --rm --net host --add-host neighbour:192.0.2.51 busybox cat /etc/hosts");
    assert!(added.contains("192.0.2.51\tneighbour") && !added.contains("192.0.2.50"), "{added}");
}
