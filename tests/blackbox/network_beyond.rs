//! What hawser's networks do beyond Docker's, through the API: they change and get other names while
//! containers are on them, tell beforehand what would be done, and explain what was.

mod explain;
mod rename;

use hawser_testkit::{
    Cli, Client, EngineKind, Http, Response, Running, Segment, TestHost, eventually,
};
use serde_json::{Value, json};

use crate::seen::neighbour;

/// A host with hawser's engine: the paths are not Docker's.
fn host() -> TestHost {
    let options = hawser_testkit::Options { engine: EngineKind::Hawser, ..Default::default() };
    let host = TestHost::with(options);
    host.start_daemon(&[]);
    host.load_busybox();
    host
}

fn post(host: &TestHost, path: &str, body: &Value) -> Response {
    send(&host.http(), path, body)
}

fn send(http: &Http, path: &str, body: &Value) -> Response {
    let headers = [("Content-Type", "application/json")];
    http.request("POST", path, &headers, body.to_string().as_bytes())
}

/// The commands of an answer that is a success.
#[track_caller]
fn commands(answer: &Response) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let lines = json["Commands"].as_array().unwrap().iter();
    lines.map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn update(host: &TestHost, network: &str, body: &Value) -> Vec<String> {
    commands(&post(host, &format!("/hawser/networks/{network}/update"), body))
}

/// Events from now on, whenever the client gets round to asking for them.
fn events(host: &TestHost, how: &str) -> Running {
    let now = host.sh("date +%s.%N").ok().text();
    host.docker().spawn(&format!("events --since {now} {how}"))
}

fn option(key: &str, value: &Value) -> Value {
    json!({"Options": {key: value}})
}

const MTU: &str = "com.docker.network.driver.mtu";
const ICC: &str = "com.docker.network.bridge.enable_icc";
const MASQUERADE: &str = "com.docker.network.bridge.enable_ip_masquerade";

/// A TCP connection that is used all the time: numbers go out and come back.
struct Talk<'h> {
    client: Client<'h>,
    container: &'static str,
}

impl<'h> Talk<'h> {
    fn start(client: Client<'h>, container: &'static str, network: &str, to: &str) -> Self {
        let count = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done";
        let ready = format!("until nc {to} 7000 < /dev/null; do sleep 0.1; done");
        let line = format!("sh -c '{ready}; ({count}) | nc {to} 7000'");
        client.ok(&format!("run -d --name {container} --net {network} busybox {line}"));
        let talk = Self { client, container };
        talk.goes_on();
        talk
    }

    fn heard(&self) -> Vec<u32> {
        let lines = self.client.ok(&format!("logs {}", self.container));
        lines.lines().map(|line| line.parse().unwrap()).collect()
    }

    /// More comes back than has until now, over the same connection: without a hole.
    #[track_caller]
    fn goes_on(&self) {
        let before = self.heard().len();
        eventually("the connection is used", || (self.heard().len() > before + 2).then_some(()));
        let heard = self.heard();
        assert!(heard.iter().zip(1..).all(|(number, wanted)| *number == wanted), "{heard:?}");
        let running = self.client.inspect(self.container, "{{.State.Running}}");
        assert_eq!(running, "true", "{} ended", self.container);
    }
}

const ECHO: &str = "nc -ll -p 7000 -e cat";

#[test]
fn a_network_changes_under_connections() {
    let segment = Segment::new();
    let outside = neighbour(&segment, "10.99.0.3/24");
    let host = host();
    host.join_segment(&segment, "wan0", "10.99.0.2/24");
    host.sh("ip route add default via 10.99.0.3").ok();
    let far = outside.spawn(["busybox", "nc", "-ll", "-p", "7000", "-e", "cat"]);
    let c = host.client(Cli::Docker);
    c.ok("network create --subnet 10.5.0.0/24 --label tier=db --label old=1 n1");
    c.ok(&format!("run -d --name server --net n1 busybox {ECHO}"));
    c.ok("run -d --name other --net n1 busybox sleep 1000");
    let near = Talk::start(host.client(Cli::Docker), "near", "n1", "server");
    let away = Talk::start(host.client(Cli::Docker), "away", "n1", "10.99.0.3");
    let id = c.ok("network inspect -f '{{.Id}}' n1");
    let bridge = format!("br-{}", &id[..12]);
    let both = || [&near, &away].map(Talk::goes_on);
    let events = events(&host, "-f type=network --format '{{.Action}} {{.Actor.Attributes.name}}'");

    // Labels: nothing to do for the kernel.
    let labels = json!({"Labels": {"tier": "web", "old": null, "new": ""}});
    assert_eq!(update(&host, "n1", &labels), Vec::<String>::new());
    assert_eq!(c.ok("network inspect -f '{{json .Labels}}' n1"), r#"{"new":"","tier":"web"}"#);
    both();

    // MTU: of the bridge, and of both ends of every wire.
    let change = option(MTU, &json!("1400"));
    let planned = commands(&post(&host, "/hawser/networks/n1/update?dryRun=1", &change));
    assert_eq!(c.ok("exec other cat /sys/class/net/eth0/mtu"), "1500");
    assert_eq!(update(&host, "n1", &change), planned);
    assert_eq!(c.ok("exec other cat /sys/class/net/eth0/mtu"), "1400");
    let links = host.sh(&format!("ip -o link show master {bridge}; ip -o link show {bridge}"));
    assert_eq!(links.ok().stdout.matches(" mtu 1400 ").count(), 5);
    both();
    update(&host, "n1", &option(MTU, &Value::Null));
    assert_eq!(c.ok("exec other cat /sys/class/net/eth0/mtu"), "1500");

    // Masquerading: who talks goes on as he began, who comes is seen as he is.
    let masqueraded = || host.sh("nft list set inet hawser masquerade4").ok().stdout;
    assert!(masqueraded().contains("10.5.0.0/24"));
    update(&host, &id[..12], &option(MASQUERADE, &json!("false")));
    assert!(!masqueraded().contains("10.5.0.0/24"));
    both();
    update(&host, "n1", &option(MASQUERADE, &json!("true")));
    assert!(masqueraded().contains("10.5.0.0/24"));

    // icc: neighbours don't reach one another, and do again, over the same connection.
    update(&host, "n1", &option(ICC, &json!("false")));
    away.goes_on();
    c.run("exec other ping -c 1 -W 1 server").fails(1, "");
    let stalled = near.heard().len();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(near.heard().len() <= stalled + 1);
    update(&host, "n1", &option(ICC, &json!("true")));
    both();
    c.ok("exec other ping -c 1 -W 1 server");

    events.expect(&"update n1\n".repeat(7));
    drop(far);
}

/// Whom the name service asks, and what is searched and set in containers that run.
#[test]
fn resolvers_change_under_containers() {
    let segment = Segment::new();
    let outside = neighbour(&segment, "10.99.0.3/24");
    let rules = "add table ip seen; \
                 add chain ip seen in { type filter hook input priority 0; }; \
                 add rule ip seen in udp dport 53 counter";
    outside.sh(&format!("nft '{rules}'")).ok();
    let host = host();
    host.join_segment(&segment, "wan0", "10.99.0.2/24");
    let c = host.client(Cli::Docker);
    c.ok("network create --subnet 10.5.0.0/24 n1");
    c.ok("run -d --name c1 --net n1 busybox sleep 1000");
    c.ok("run -d --name own --net n1 --dns-search mine.example busybox sleep 1000");
    let conf = |name: &str| c.ok(&format!("exec {name} cat /etc/resolv.conf"));
    let before = conf("c1");
    let resolvers = json!({"Options": {
        "hawser.dns": "10.99.0.3", "hawser.dns_search": "lan.example", "hawser.dns_opt": "timeout:3",
    }});
    update(&host, "n1", &resolvers);
    let now = conf("c1");
    assert!(now.contains("search lan.example\noptions timeout:3 ndots:0"), "{now}");
    assert!(conf("own").contains("search mine.example\n"), "{}", conf("own"));
    eventually("the new resolver is asked", || {
        c.run("exec c1 timeout 1 nslookup whereabouts.example");
        (!outside.sh("nft list table ip seen").ok().stdout.contains("packets 0 ")).then_some(())
    });
    c.ok("exec c1 ping -c 1 -W 2 own");
    let defaults = json!({"Options": {
        "hawser.dns": null, "hawser.dns_search": null, "hawser.dns_opt": null,
    }});
    update(&host, "n1", &defaults);
    assert_eq!(conf("c1"), before);
}

#[test]
fn a_subnet_is_added_to_a_network_that_is_full() {
    let host = host();
    let c = host.client(Cli::Docker);
    c.ok("network create --subnet 10.5.0.0/30 n1");
    c.ok(&format!("run -d --name server --net n1 busybox {ECHO}"));
    c.run("run -d --name late --net n1 busybox sleep 1000")
        .fails(125, "no available IPv4 addresses");
    let subnets = json!({"Subnets": [{"Subnet": "10.6.0.0/24", "Gateway": "10.6.0.254"}]});
    let lines = update(&host, "n1", &subnets);
    assert!(lines.iter().any(|line| line.contains("address add 10.6.0.254/24")), "{lines:?}");
    let shown = c.ok("network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' n1");
    assert_eq!(shown, "10.5.0.0/30 10.6.0.0/24");
    c.ok("start late");
    assert_eq!(c.address("late"), "10.6.0.1");
    // Each reaches its gateway, and the other by way of it.
    c.ok("exec late ping -c 1 -W 2 10.6.0.254");
    c.ok("exec late ping -c 1 -W 2 server");
    c.ok("exec server ping -c 1 -W 2 late");
    c.ok("run -d --name fixed --net n1 --ip 10.6.0.77 busybox sleep 1000");
    host.kill_daemon();
    host.start_again();
    assert_eq!(c.address("fixed"), "10.6.0.77");
    c.ok("exec fixed ping -c 1 -W 2 server");
    // Its space is its own from now on.
    c.fails("network create --subnet 10.6.0.0/16 n2", 1, "overlaps with other one");
}

#[test]
fn a_change_that_makes_no_sense_changes_nothing() {
    let host = host();
    let c = host.client(Cli::Docker);
    c.ok("network create --subnet 10.5.0.0/24 --label a=b n1");
    c.ok("network create --subnet 10.6.0.0/24 n2");
    c.ok("run -d --name c1 --net n1 busybox sleep 1000");
    c.ok("create --name c2 --net n1 --network n3 busybox true");
    let before = host.inventory();
    let shown = c.ok("network inspect n1 n2 bridge");
    let subnets = |subnet: &str| json!({"Subnets": [{"Subnet": subnet}]});
    let table = [
        ("nosuch", json!({"Labels": {"a": "c"}}), 404, "network nosuch not found"),
        ("n1", json!({}), 400, "nothing to change"),
        ("n1", json!({"Label": {"a": "c"}}), 400, "unknown field `Label`"),
        ("n1", json!({"Labels": ["a"]}), 400, "invalid JSON"),
        ("n1", option(MTU, &json!("small")), 400, MTU),
        ("n1", option(MTU, &json!("67")), 400, MTU),
        ("n1", option(ICC, &json!("perhaps")), 400, ICC),
        ("n1", option("com.docker.network.bridge.name", &json!("br1")), 400, "bridge.name"),
        ("n1", option("com.docker.network.bridge.nosuch", &json!("1")), 400, "bridge.nosuch"),
        ("n1", option("hawser.dns", &json!("here")), 400, "hawser.dns"),
        ("n1", subnets("10.6.0.128/25"), 403, "overlap"),
        ("n1", subnets("10.5.0.128/25"), 403, "overlap"),
        ("n1", subnets("10.7.0.1/24"), 400, "10.7.0.0/24"),
        ("n1", subnets("fd00:7::/64"), 400, "IPv6 is not enabled on network n1"),
        ("n1", option("com.example.other", &json!("1")), 400, "com.example.other"),
        ("n1", subnets("here"), 400, "invalid subnet here"),
        ("bridge", option(MTU, &json!("1400")), 403, "predefined"),
        ("host", json!({"Labels": {"a": "c"}}), 403, "predefined"),
    ];
    for (network, body, status, message) in table {
        for dry in ["", "?dryRun=true"] {
            let answer = post(&host, &format!("/hawser/networks/{network}/update{dry}"), &body);
            let said = answer.text();
            assert!(answer.status == status && said.contains(message), "{network} {body}: {said}");
        }
    }
    let long = "x".repeat(2000);
    for (network, new, status, message) in [
        ("nosuch", "n9", 404, "network nosuch not found"),
        ("n1", "", 400, "name"),
        ("n1", "%20", 400, "name"),
        ("n1", long.as_str(), 400, "name"),
        ("n1", "n1", 400, "Renaming a network with the same name as its current name"),
        ("n1", "n2", 409, "network with name n2 already exists"),
        ("n1", "n3", 409, "container c2 asks for a network n3 besides n1"),
        ("n1", "host", 403, "host"),
        ("bridge", "n9", 403, "predefined"),
    ] {
        let path = format!("/hawser/networks/{network}/rename?name={new}");
        let answer = post(&host, &path, &Value::Null);
        let said = answer.text();
        assert!(answer.status == status && said.contains(message), "{network} → {new}: {said}");
    }
    before.assert_restored(&host);
    assert_eq!(c.ok("network inspect n1 n2 bridge"), shown);
    c.ok("run --rm --net n1 busybox true");
}

/// A change that the kernel refuses half-way is taken back, on the host and in the records.
#[test]
fn a_change_that_fails_is_taken_back() {
    let host = host();
    let c = host.client(Cli::Docker);
    let id = c.ok("network create --subnet 10.5.0.0/24 n1");
    let bridge = format!("br-{}", &id[..12]);
    c.ok("run -d --name c1 --net n1 busybox sleep 1000");
    c.ok("run -d --name c2 --net n1 busybox sleep 1000");
    let shown = c.ok("network inspect n1");
    // Somebody takes a wire away: its MTU can't change.
    let wires = host.sh(&format!("ip -o link show master {bridge}")).ok().stdout;
    let wire = wires.lines().last().unwrap().split(": ").nth(1).unwrap().split('@').next().unwrap();
    host.sh(&format!("ip link delete {wire}")).ok();
    let before = host.inventory();
    let change = json!({
        "Labels": {"a": "b"},
        "Options": {MTU: "1400"},
        "Subnets": [{"Subnet": "10.6.0.0/24"}],
    });
    let answer = post(&host, "/hawser/networks/n1/update", &change);
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert!(answer.message().starts_with("failed to set up the network"), "{}", answer.text());
    before.assert_restored(&host);
    assert_eq!(c.ok("network inspect n1"), shown);
    // The next start mends the wire, and knows nothing of the change.
    host.restart_daemon();
    assert_eq!(c.ok("network inspect n1"), shown);
    c.ok("exec c1 ping -c 1 -W 2 c2");
    assert_eq!(c.ok("exec c2 cat /sys/class/net/eth0/mtu"), "1500");
    assert!(!update(&host, "n1", &change).is_empty());
    c.ok("exec c1 ping -c 1 -W 2 c2");
}
