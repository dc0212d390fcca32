//! Section 3: names outside. Who is asked: the container's own name servers, those of its networks,
//! the daemon's, the host's; and what happens when that changes under running containers.

use hawser_testkit::{Cli, Client, EngineKind, TestHost};
use serde_json::json;

use crate::name_server::{name_server, resolves, set_host_resolvers};

with_both_clients!(the_hosts, in_order, changed_live);

fn resolv_conf(c: &Client<'_>, container: &str) -> String {
    c.ok(&format!("exec {container} cat /etc/resolv.conf"))
}

/// A line of a container's resolv.conf is there, word for word.
#[track_caller]
fn says(c: &Client<'_>, container: &str, line: &str) {
    let text = resolv_conf(c, container);
    assert!(text.lines().any(|l| l == line), "no {line:?} in {container}:\n{text}");
}

/// Resolvers on the host's loopback, as most machines have them today, are asked by the daemon.
fn the_hosts(cli: Cli) {
    let host = TestHost::new();
    set_host_resolvers(&host, "nameserver 127.0.0.54\nsearch host.example\noptions timeout:3\n");
    host.start_daemon(&[]);
    host.load_busybox();
    let server = name_server(&host, "127.0.0.54", 54);
    let c = host.client(cli);
    c.ok("network create net1");
    c.ok("network create --internal inside");
    c.ok("run -itd --name c1 --net net1 busybox");
    c.ok("run -itd --name c2 --net inside busybox");
    c.ok("run -itd --name plain busybox");
    resolves(&c, "c1", "outside.example", &["192.0.2.54"]);
    says(&c, "c1", "nameserver 127.0.0.11");
    says(&c, "c1", "search host.example");
    says(&c, "c1", "options timeout:3 ndots:0");
    // A container's name is nobody's business outside; a network without a way out asks nobody.
    resolves(&c, "c1", "c1.", &[&c.address("c1")]);
    resolves(&c, "c2", "c2.", &[&c.address("c2")]);
    if host.engine() == EngineKind::Docker {
        // 20.10 asks for internal networks too, tells names of one label outside, and gives
        // containers of the default bridge Google's servers.
        return;
    }
    resolves(&c, "c1", "nosuch.", &[]);
    resolves(&c, "c2", "secret.example", &[]);
    resolves(&c, "plain", "plain.example", &["192.0.2.54"]);
    let asked = server.stdout();
    assert!(asked.contains("asked plain.example."), "{asked}");
    for name in ["asked c1.", "asked nosuch.", "asked secret.example"] {
        assert!(!asked.contains(name), "{name} went out:\n{asked}");
    }
    // A way out that comes later is used at once, and one that goes is used no more.
    c.ok("network connect net1 c2");
    resolves(&c, "c2", "secret.example", &["192.0.2.54"]);
    c.ok("network disconnect net1 c2");
    resolves(&c, "c2", "secret.example", &[]);
    host.restart_daemon();
    for container in ["c1", "plain"] {
        resolves(&c, container, "outside.example", &["192.0.2.54"]);
    }
    resolves(&c, "c2", "secret.example", &[]);
}

/// The container's own, those of its networks as they lead to the outside, the daemon's: each of
/// the three lists by itself.
fn in_order(cli: Cli) {
    let host = TestHost::running_with(&["--dns=10.77.0.3", "--dns-search=daemon.example"]);
    let _servers = [1, 2, 3, 4].map(|n| name_server(&host, &format!("10.77.0.{n}"), n));
    let c = host.client(cli);
    c.ok("network create net1");
    c.ok("run -itd --name daemons --net net1 busybox");
    c.ok("run -itd --name own --net net1 --dns 10.77.0.4 --dns-search own.example \
          --dns-option timeout:4 busybox");
    c.ok("run -itd --name plain busybox");
    resolves(&c, "daemons", "outside.example", &["192.0.2.3"]);
    says(&c, "daemons", "search daemon.example");
    resolves(&c, "own", "outside.example", &["192.0.2.4"]);
    says(&c, "own", "search own.example");
    says(&c, "own", "options timeout:4 ndots:0");
    says(&c, "plain", "nameserver 10.77.0.3");
    resolves(&c, "plain", "outside.example", &["192.0.2.3"]);
    if host.engine() == EngineKind::Docker {
        return; // Networks have no name servers in Docker.
    }
    c.ok("network create -o hawser.dns=10.77.0.1 -o hawser.dns_search=front.example,example \
          -o hawser.dns_opt=timeout:1 front");
    c.ok("network create -o hawser.dns=10.77.0.2 back");
    c.ok("run -itd --name c1 --net back busybox");
    c.ok("run -itd --name c2 --net front --dns 10.77.0.4 busybox");
    let of_networks = || {
        resolves(&c, "c1", "outside.example", &["192.0.2.2"]);
        says(&c, "c1", "search daemon.example");
        resolves(&c, "c2", "outside.example", &["192.0.2.4"]);
        says(&c, "c2", "search front.example example");
        says(&c, "c2", "options timeout:1 ndots:0");
    };
    of_networks();
    c.ok("network connect --gw-priority 1 front c1");
    resolves(&c, "c1", "outside.example", &["192.0.2.1"]);
    says(&c, "c1", "search front.example example");
    c.ok("network disconnect front c1");
    of_networks();
    host.kill_daemon();
    host.start_again();
    of_networks();
    let refused = c.run("network create -o hawser.dns=10.77.0.1,nowhere wrong");
    assert!(refused.status == 1 && refused.stderr.contains("nowhere"), "{refused}");
}

/// A network gets other name servers while containers are on it.
fn changed_live(cli: Cli) {
    let host = TestHost::running_with(&["--dns=10.77.0.3"]);
    if host.engine() == EngineKind::Docker {
        return; // It can't.
    }
    let _servers = [1, 2, 3].map(|n| name_server(&host, &format!("10.77.0.{n}"), n));
    let c = host.client(cli);
    let update = |options: serde_json::Value| {
        let body = json!({ "Options": options });
        let answer = host.http().post("/hawser/networks/net1/update", &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    c.ok("network create -o hawser.dns=10.77.0.1 net1");
    c.ok("run -itd --name c1 --net net1 busybox");
    c.ok("run -itd --name edited --net net1 busybox");
    resolves(&c, "c1", "outside.example", &["192.0.2.1"]);
    let mine = "nameserver 127.0.0.11\n# mine";
    c.ok(&format!("exec edited sh -c 'echo \"{mine}\" > /etc/resolv.conf'"));
    update(json!({"hawser.dns": "10.77.0.2", "hawser.dns_search": "corp.example"}));
    resolves(&c, "c1", "outside.example", &["192.0.2.2"]);
    says(&c, "c1", "search corp.example");
    // What a user has edited stays; whom the name service asks is not in that file.
    assert_eq!(resolv_conf(&c, "edited"), mine);
    resolves(&c, "edited", "outside.example", &["192.0.2.2"]);
    host.restart_daemon();
    resolves(&c, "c1", "outside.example", &["192.0.2.2"]);
    assert_eq!(resolv_conf(&c, "edited"), mine);
    update(json!({"hawser.dns": null, "hawser.dns_search": null}));
    resolves(&c, "c1", "outside.example", &["192.0.2.3"]);
    assert!(!resolv_conf(&c, "c1").contains("corp.example"));
    // What makes no sense changes nothing.
    let body = json!({ "Options": {"hawser.dns": "nowhere"} });
    let answer = host.http().post("/hawser/networks/net1/update", &body);
    assert_eq!(answer.status, 400, "{}", answer.text());
    resolves(&c, "c1", "outside.example", &["192.0.2.3"]);
}
