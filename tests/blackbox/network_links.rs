//! Links: on the default bridge a hosts entry and variables, one way; on user-defined networks a
//! name that only the linking container knows. Both follow their target.

use hawser_testkit::{Cli, EngineKind, TestHost, eventually};
use serde_json::json;

use crate::name_server::{hosts_lines, resolve, resolves};
use crate::refused::{Since, refused};

with_both_clients!(by_hosts_file, by_id, variables, refusals, by_name, by_name_of_one_that_comes);

fn by_hosts_file(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -itd --name db --hostname inner busybox");
    c.ok("run -itd --name web --link db:store busybox");
    let entry = |address: &str| format!("{address} store inner db");
    assert!(hosts_lines(&c, "web").contains(&entry("172.17.0.2")));
    for name in ["store", "db", "inner"] {
        c.ok(&format!("exec web ping -c 1 -W 2 {name}"));
    }
    // One way, and nobody else.
    assert_ne!(c.run("exec db ping -c 1 -W 2 web").status, 0);
    c.ok("exec web sh -c 'echo 192.0.2.9 mine >> /etc/hosts'");
    // The target comes back elsewhere, also when another daemon sees it.
    c.ok("stop -t 0 db");
    c.ok("run -itd --name squatter busybox");
    host.restart_daemon();
    c.ok("start db");
    assert_eq!(c.address("db"), "172.17.0.4");
    let lines = hosts_lines(&c, "web");
    assert!(lines.contains(&entry("172.17.0.4")), "{lines:?}");
    assert!(!lines.contains(&entry("172.17.0.2")), "{lines:?}");
    assert!(lines.contains(&"192.0.2.9 mine".to_owned()), "a user's line stays: {lines:?}");
    c.ok("exec web ping -c 1 -W 2 store");
    // A second network changes nothing about it.
    c.ok("network create net1");
    c.ok("network connect net1 web");
    assert!(hosts_lines(&c, "web").contains(&entry("172.17.0.4")));
    // The next start needs the target, whether it rests or is gone.
    let message = "Cannot link to a non running container: /db AS /web/store";
    c.ok("stop -t 0 web db");
    c.fails("start web", 1, message);
    c.ok("rm -f db");
    c.fails("start web", 1, message);
    if host.engine() == EngineKind::Docker {
        return; // It means the very container.
    }
    c.ok("run -itd --name db busybox");
    c.ok("start web");
    c.ok("exec web ping -c 1 -W 2 store");
}

/// The start of an id names a container once, when it is typed: then there may be others.
fn by_id(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let id = c.ok("run -itd --name db busybox").trim().to_owned();
    for (number, digits) in [6, 12, 64].into_iter().enumerate() {
        let of_it = &id[..digits];
        c.ok(&format!("run -itd --name web{number} --link {of_it}:store busybox"));
        c.ok(&format!("exec web{number} ping -c 1 -W 2 store"));
    }
    // A name that is gone is not taken for the start of an id.
    let named = &id[..2];
    c.ok(&format!("run -itd --name {named} busybox"));
    c.ok(&format!("create --name late --link {named} busybox sleep 1000"));
    c.ok(&format!("rm -f {named}"));
    let message = format!("Cannot link to a non running container: /{named} AS /late/{named}");
    c.fails("start late", 1, &message);
}

fn variables(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -itd --name db --expose 80-82 --expose 99/udp --expose 90 -e KEY=value busybox");
    c.ok("run -itd --name web --link db:the-store -e THE_STORE_PORT_90_TCP_PORT=mine busybox");
    let environment = |line: &str| -> Vec<String> {
        let text = c.ok(line);
        let mine = text.lines().map(str::trim_end).filter(|l| l.starts_with("THE_STORE_"));
        let mut lines: Vec<_> = mine.map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let first = environment("exec web cat /proc/1/environ | tr '\\0' '\\n'");
    let has = |lines: &[String], line: &str| {
        assert!(lines.iter().any(|l| l == line), "{line}: {lines:?}")
    };
    for line in [
        "THE_STORE_NAME=/web/the-store",
        "THE_STORE_PORT=tcp://172.17.0.2:80",
        "THE_STORE_PORT_81_TCP=tcp://172.17.0.2:81",
        "THE_STORE_PORT_81_TCP_ADDR=172.17.0.2",
        "THE_STORE_PORT_80_TCP_START=tcp://172.17.0.2:80",
        "THE_STORE_PORT_80_TCP_PORT_START=80",
        "THE_STORE_PORT_80_TCP_END=tcp://172.17.0.2:82",
        "THE_STORE_PORT_80_TCP_PORT_END=82",
        "THE_STORE_PORT_99_UDP_PROTO=udp",
        "THE_STORE_PORT_90_TCP_PORT=mine",
        "THE_STORE_ENV_KEY=value",
    ] {
        has(&first, line);
    }
    assert!(!first.iter().any(|l| l.starts_with("THE_STORE_ENV_PATH")), "{first:?}");
    // A command run later sees the address of then; what the container was given itself stays.
    c.ok("stop -t 0 db");
    c.ok("run -itd --name squatter busybox");
    c.ok("start db");
    let later = environment("exec web env");
    has(&later, "THE_STORE_PORT=tcp://172.17.0.4:80");
    has(&later, "THE_STORE_PORT_90_TCP_PORT=mine");
    assert!(!later.iter().any(|l| l.contains("172.17.0.2")), "{later:?}");
}

fn refusals(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create net1");
    c.ok("run -itd --name apart --net net1 busybox");
    c.ok("run -itd --name hosts --net host busybox");
    c.ok("create --name rests busybox sleep 1000");
    c.ok("create --name late --link rests:r busybox sleep 1000");
    c.ok("create --name strays --link apart busybox sleep 1000");
    refused(
        &host,
        cli,
        Since::Docker20,
        125,
        &[
            (
                "run -d --link nosuch:x busybox true",
                400,
                "could not get container for nosuch: No such container: nosuch",
            ),
            (
                "run -d --link hosts busybox true",
                400,
                "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
            ),
            (
                "run -d --net host --link rests busybox true",
                400,
                "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
            ),
        ],
    );
    refused(
        &host,
        cli,
        Since::Docker20,
        1,
        &[
            ("start late", 500, "Cannot link to a non running container: /rests AS /late/r"),
            (
                "start strays",
                500,
                "Cannot link to /apart, as it does not belong to the default network",
            ),
        ],
    );
    if host.engine() == EngineKind::Hawser {
        for (path, body) in [
            ("/containers/create", json!({"Image": "busybox", "HostConfig": {"Links": ["a:b:c"]}})),
            (
                "/networks/net1/connect",
                json!({"Container": "rests", "EndpointConfig": {"Links": ["a:b:c"]}}),
            ),
        ] {
            let answer = host.http().post(path, &body);
            assert_eq!(answer.status, 400, "{}", answer.text());
            assert!(answer.message().contains("bad format for links: a:b:c"), "{}", answer.text());
        }
    }
    // What it waited for is there: nothing of the refusal stays.
    c.ok("start rests");
    c.ok("start late");
    c.ok("exec late ping -c 1 -W 2 r");
}

fn by_name(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("run -itd --name db --net net1 busybox");
    c.ok("run -itd --name web --net net1 --link db:store busybox");
    c.ok("run -itd --name other busybox");
    c.ok("network connect --link db:base net1 other");
    let known = |name: &str, address: &str| {
        let who = if name == "base" { "other" } else { "web" };
        let wanted: Vec<_> = [address].into_iter().filter(|a| !a.is_empty()).collect();
        resolves(&c, who, name, &wanted);
    };
    for name in ["store", "store.net1", "base"] {
        known(name, "10.5.0.2");
    }
    if host.engine() == EngineKind::Hawser {
        known("STORE", "10.5.0.2"); // To 20.10 that is another name.
    }
    // Nobody else knows it, and there is nothing of it in files and variables.
    resolves(&c, "other", "store", &[]);
    resolves(&c, "web", "base", &[]);
    assert!(!c.ok("exec web cat /etc/hosts").contains("store"));
    assert!(!c.ok("exec web env").contains("STORE"));
    // It follows the target: to another address, under another name, after the daemon's restart.
    c.ok("stop -t 0 db");
    known("store", "");
    c.ok("run -itd --name squatter --net net1 busybox");
    if host.engine() == EngineKind::Hawser {
        host.restart_daemon(); // 20.10 forgets links of containers that run on.
    }
    c.ok("start db");
    known("store", "10.5.0.5");
    if host.engine() == EngineKind::Hawser {
        // Docker's link goes on naming the old name, that is nobody.
        c.ok("rename db db2");
        known("store", "10.5.0.5");
        known("base", "10.5.0.5");
        host.kill_daemon();
        host.start_again();
        known("store", "10.5.0.5");
        c.ok("rename db2 db");
    }
    // The link is the endpoint's: it goes with it.
    c.ok("network disconnect net1 other");
    c.ok("network connect net1 other");
    assert!(resolve(&c, "other", "base").is_empty());
}

/// A link is to a name: compose makes the target anew, or later.
fn by_name_of_one_that_comes(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("run -itd --name web --net net1 --link db:store busybox");
    assert!(resolve(&c, "web", "store").is_empty());
    c.ok("run -itd --name db --net net1 --ip 10.5.0.9 busybox");
    resolves(&c, "web", "store", &["10.5.0.9"]);
    c.ok("rm -f db");
    assert!(resolve(&c, "web", "store").is_empty());
    c.ok("run -itd --name db --net net1 --ip 10.5.0.10 busybox");
    resolves(&c, "web", "store", &["10.5.0.10"]);
    c.ok("restart -t 0 web");
    eventually("it answers", || (resolve(&c, "web", "store") == ["10.5.0.10"]).then_some(()));
}
