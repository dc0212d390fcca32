//! What is told of networks: create, connect, disconnect, destroy, prune, with Docker's attributes.

use hawser_testkit::{Cli, Client, EngineKind, Running, TestHost, eventually};
use serde_json::{Value, json};

with_both_clients!(told, of_the_host);

/// Follows the events that a filter lets through, once the stream is open.
fn follow(c: &Client<'_>, filter: &str) -> Running {
    let watcher = c.spawn(&format!("events {filter} --format '{{{{json .}}}}'"));
    eventually("the stream is open", || {
        c.ok("network create probe");
        c.ok("network rm probe");
        watcher.stdout().contains("probe").then_some(())
    });
    watcher
}

/// The events told since the last `probe`, once there are as many.
fn since_probe(watcher: &Running, count: usize) -> Vec<Value> {
    eventually(&format!("{count} events"), || {
        let text = watcher.stdout();
        let events: Vec<Value> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let is_probe = |event: &Value| event["Actor"]["Attributes"]["name"] == "probe";
        let first = events.iter().rposition(is_probe).map_or(0, |last| last + 1);
        let events = events[first..].to_vec();
        (events.len() >= count).then_some(events)
    })
}

fn told(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let watcher = follow(&c, "--filter type=network");
    let id = c.ok("network create --label a=b --subnet 10.7.0.0/24 net1");
    let c1 = c.ok("run -d --name c1 --net net1 busybox sleep 1000");
    c.ok("network disconnect net1 c1");
    c.ok("network connect net1 c1");
    c.ok("stop -t 0 c1");
    c.ok("start c1");
    c.ok("rm -f c1");
    c.ok("network rm net1");
    c.ok("network create net2");
    c.ok("network prune -f");
    let mut events = since_probe(&watcher, 11);
    if host.engine() == EngineKind::Docker {
        // 20.10 tells of a disconnect by hand twice.
        events.dedup_by(|one, other| one["Action"] == other["Action"]);
    }
    let actions: Vec<&str> = events.iter().map(|e| e["Action"].as_str().unwrap()).collect();
    let (join, leave) = ("connect", "disconnect");
    let expected =
        ["create", join, leave, join, leave, join, leave, "destroy", "create", "destroy", "prune"];
    assert_eq!(actions, expected);
    for event in &events[..10] {
        assert_eq!((&event["Type"], &event["scope"]), (&json!("network"), &json!("local")));
        assert_eq!(event["Actor"]["Attributes"]["type"], "bridge", "{event}");
        assert!(event["time"].is_u64() && event["timeNano"].is_u64(), "{event}");
    }
    for event in &events[..8] {
        assert_eq!(
            (&event["Actor"]["ID"], &event["Actor"]["Attributes"]["name"]),
            (&json!(id), &json!("net1"))
        );
    }
    for event in &events[1..7] {
        assert_eq!(event["Actor"]["Attributes"]["container"], c1, "{event}");
    }
    let keys = |event: &Value| event["Actor"]["Attributes"].as_object().unwrap().len();
    assert_eq!((keys(&events[0]), keys(&events[1]), keys(&events[7])), (2, 3, 2));
    assert_eq!(events[10]["Actor"], json!({ "ID": "", "Attributes": { "reclaimed": "0" } }));
    // Afterwards the same is told, and filters choose.
    for (filter, told) in [
        ("network=net1 --filter event=connect", "connect\nconnect\nconnect"),
        (&format!("network={id} --filter event=destroy"), "destroy"),
        ("type=network --filter event=prune", "prune"),
    ] {
        let past =
            format!("events --since 1h --until 0s --filter {filter} --format '{{{{.Action}}}}'");
        // Clients say an instant in whole seconds.
        eventually(&format!("{told} is told"), || (c.ok(&past) == told).then_some(()));
    }
}

/// A container with the host's network is on the network `host`, as on any other.
fn of_the_host(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let watcher = follow(&c, "--filter type=network");
    let c1 = c.ok("run -d --name c1 --net host busybox sleep 1000");
    let each = "{{range $id, $it := .Containers}}{{$id}} {{$it.Name}} {{$it.IPv4Address}}.{{end}}";
    let members = || c.ok(&format!("network inspect -f '{each}' host"));
    assert_eq!(members(), format!("{c1} c1 ."));
    assert_ne!(c.inspect("c1", "{{.NetworkSettings.Networks.host.EndpointID}}"), "");
    c.ok("rm -f c1");
    assert_eq!(members(), "");
    let told = since_probe(&watcher, 2);
    let id = c.ok("network inspect -f {{.Id}} host");
    let attributes = json!({ "container": c1, "name": "host", "type": "host" });
    for (event, action) in told.iter().zip(["connect", "disconnect"]) {
        assert_eq!(event["Action"], action);
        assert_eq!(event["Actor"], json!({ "ID": id, "Attributes": attributes }));
    }
}

/// What is refused or changes nothing is not told.
#[test]
fn nothing_happened() {
    let host = TestHost::running();
    let c = host.docker();
    c.ok("network create --subnet 10.7.0.0/24 net1");
    c.ok("run -d --name c1 --net net1 --ip 10.7.0.9 busybox sleep 1000");
    c.ok("run -d --name c2 busybox sleep 1000");
    let watcher = follow(&c, "");
    for line in [
        "create net1",
        "create --subnet 10.7.0.0/24 net2",
        "rm net1",
        "rm nosuch",
        "rm bridge",
        "connect net1 c1",
        "connect --ip 10.7.0.9 net1 c2",
        "disconnect net1 c2",
        "inspect nosuch",
    ] {
        assert_ne!(c.run(&format!("network {line}")).status, 0, "{line}");
    }
    c.ok("network ls");
    c.ok("network inspect net1");
    c.ok("network create last");
    let events = since_probe(&watcher, 1);
    if host.engine() == EngineKind::Hawser {
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0]["Actor"]["Attributes"]["name"], "last");
    }
}
