//! What hawser's networks do beyond Docker's, through the API: they change and get other names while
//! containers are on them, tell beforehand what would be done, and explain what was.

use hawser_testkit::{
    Cli, Client, EngineKind, Response, Running, Segment, TestHost, built, eventually,
};
use serde_json::{Value, json};

use crate::seen::{get, neighbour, serve, serve_on_host};

/// A host with hawser's engine: the paths are not Docker's.
fn host() -> TestHost {
    let options = hawser_testkit::Options { engine: EngineKind::Hawser, ..Default::default() };
    let host = TestHost::with(options);
    host.start_daemon(&[]);
    host.load_busybox();
    host
}

fn post(host: &TestHost, path: &str, body: &Value) -> Response {
    let headers = [("Content-Type", "application/json")];
    host.http().request("POST", path, &headers, body.to_string().as_bytes())
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

#[track_caller]
fn explain(host: &TestHost, term: &str) -> Vec<String> {
    commands(&host.http().get(&format!("/hawser/explain/{term}")))
}

/// What of ours the host has, as the engine itself observes it.
#[track_caller]
fn observed(host: &TestHost) -> String {
    host.run([built("hawser-observe")]).ok().stdout
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

    events.expect("update n1\nupdate n1\nupdate n1\nupdate n1\nupdate n1\nupdate n1\nupdate n1\n");
    drop(far);
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

#[test]
fn a_network_gets_another_name() {
    let host = host();
    let c = host.client(Cli::Docker);
    let id = c.ok("network create --subnet 10.5.0.0/24 before");
    c.ok(&format!("run -d --name server --net before --network-alias db busybox {ECHO}"));
    c.ok("run -d --name gone --net before --ip 10.5.0.9 busybox sleep 1000");
    c.ok("stop -t 0 gone");
    c.ok("create --name fresh --net bridge busybox sleep 1000");
    c.ok("network connect --alias late before fresh");
    let talk = Talk::start(host.client(Cli::Docker), "talk", "before", "server.before");
    let events = events(&host, "-f type=network --format '{{.Action}} {{json .Actor.Attributes}}'");
    let answer = post(&host, "/hawser/networks/before/rename?name=after", &Value::Null);
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    events.expect(r#"rename {"name":"after","oldName":"before","type":"bridge"}"#);

    talk.goes_on();
    assert_eq!(c.ok("network inspect -f '{{.Id}} {{.Name}}' after"), format!("{id} after"));
    c.fails("network inspect before", 1, "network before not found");
    // Names inside follow at once.
    let looked_up = |name: &str| c.run(&format!("exec talk nslookup {name}")).status == 0;
    assert!(looked_up("server.after") && looked_up("db.after") && looked_up("server"));
    assert!(!looked_up("server.before"));
    // Records follow: of those who run, who have run, and who never did.
    let asked = |name: &str| {
        let template = "{{.HostConfig.NetworkMode}}{{range $n, $_ := .NetworkSettings.Networks}} {{$n}}{{end}}";
        c.inspect(name, template)
    };
    for (name, wanted) in
        [("server", "after after"), ("gone", "after after"), ("fresh", "bridge after bridge")]
    {
        assert_eq!(asked(name), wanted);
    }
    // The old name is free, and another network's business.
    c.ok("network create --subnet 10.6.0.0/24 before");
    host.kill_daemon();
    host.start_again();
    talk.goes_on();
    c.ok("start gone fresh");
    assert_eq!(c.address("gone"), "10.5.0.9");
    c.ok("exec talk ping -c 1 -W 2 late");
    c.ok("exec fresh ping -c 1 -W 2 server.after");
    c.ok("restart -t 0 server");
    assert_eq!(
        c.inspect("server", "{{json .NetworkSettings.Networks.after.Aliases}}"),
        r#"["db"]"#
    );
    c.ok("network disconnect after fresh");
    c.ok("rm -f server gone fresh talk");
    c.ok("network rm after before");
}

#[test]
fn names_with_slashes_are_names_here_too() {
    let host = host();
    let c = host.client(Cli::Docker);
    c.ok("network create a/b");
    assert_eq!(post(&host, "/hawser/networks/a/b/rename?name=c/d", &Value::Null).status, 204);
    let labels = json!({"Labels": {"x": "y"}});
    assert_eq!(post(&host, "/v1.43/hawser/networks/c/d/update", &labels).status, 200);
    assert_eq!(c.ok("network ls -q -f label=x=y").lines().count(), 1);
    assert_eq!(host.http().get("/hawser/explain/c/d").json()["Name"], "c/d");
    assert_eq!(host.http().get("/hawser/explain/nosuch").status, 404);
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

/// The same by hawser's own client.
#[test]
fn the_client_has_all_of_it() {
    let host = host();
    let h = host.client(Cli::Hawser);
    let planned = h.ok("network create --dry-run --subnet 10.5.0.0/24 n1");
    assert!(planned.contains("address add 10.5.0.1/24"), "{planned}");
    h.fails("network inspect n1", 1, "n1 not found");
    h.ok("network create --subnet 10.5.0.0/24 n1");
    let planned = h.ok("run --dry-run --name c1 --net n1 -p 8088:80 busybox sleep 1000");
    assert!(planned.contains("# hold tcp 0.0.0.0:8088"), "{planned}");
    h.ok("run -d --name c1 --net n1 -p 8088:80 busybox sleep 1000");
    let explained = h.ok("explain c1");
    assert_eq!(explained.lines().count(), planned.lines().count());
    assert!(explained.contains("address add 10.5.0.2/24"), "{explained}");
    assert!(h.ok("explain n1").contains("type bridge"));
    let planned = h.ok("network update --dry-run --mtu 1400 --icc=false --subnet 10.6.0.0/24 n1");
    for part in ["mtu 1400", "isolated on", "add element inet hawser isolated", "10.6.0.1/24"] {
        assert!(planned.contains(part), "{part}: {planned}");
    }
    h.ok("network update --mtu 1400 --label a=b --dns-search lan.example n1");
    assert_eq!(h.ok("exec c1 cat /sys/class/net/eth0/mtu"), "1400");
    h.ok("network update --opt-rm com.docker.network.driver.mtu --label-rm a n1");
    assert_eq!(h.ok("exec c1 cat /sys/class/net/eth0/mtu"), "1500");
    assert_eq!(h.ok("network inspect -f '{{json .Labels}}' n1"), "{}");
    h.ok("network rename n1 n2");
    assert_eq!(h.inspect("c1", "{{.HostConfig.NetworkMode}}"), "n2");
    h.fails("network rename nosuch n3", 1, "network nosuch not found");
    h.fails("explain nosuch", 1, "No such container or network: nosuch");
    h.fails("network update --mtu 5 n2", 1, "mtu");
}

/// What is told beforehand is what is done, but for what is named after an id.
#[test]
fn a_plan_changes_nothing_and_comes_true() {
    let host = host();
    let c = host.client(Cli::Docker);
    c.ok("network create --subnet 10.4.0.0/24 n0");
    let network = json!({
        "Name": "n1",
        "IPAM": {"Config": [{"Subnet": "10.5.0.0/24", "Gateway": "10.5.0.1"}]},
        "Options": {"com.docker.network.bridge.name": "br1", ICC: "false"},
    });
    let container = json!({
        "Image": "busybox",
        "Cmd": ["sleep", "1000"],
        "HostConfig": {"NetworkMode": "n0", "PortBindings": {"80/tcp": [{"HostPort": "8088"}]}},
    });
    let events = events(&host, "--format '{{.Type}} {{.Action}}'");
    let before = host.inventory();
    let planned = commands(&post(&host, "/hawser/networks/plan", &network));
    let start = commands(&post(&host, "/hawser/containers/plan?name=web", &container));
    before.assert_restored(&host);

    // The first free address is still free, the name is too.
    c.ok("run -d --name web --net n0 -p 8088:80 busybox sleep 1000");
    assert_eq!(c.address("web"), "10.4.0.2");
    assert_eq!(post(&host, "/networks/create", &network).status, 201);
    events.expect("network create\n");
    assert!(events.stdout().starts_with("container create\n"), "{}", events.stdout());
    let made = |lines: &[String]| lines.iter().map(|line| without_ids(line)).collect::<Vec<_>>();
    let explained = explain(&host, "n1");
    let forward = explained.iter().filter(|line| !line.contains("ip_forward")).cloned();
    assert_eq!(made(&forward.collect::<Vec<_>>()), made(&planned));
    assert_eq!(made(&explain(&host, "web")), made(&start));

    // What would be refused is refused beforehand.
    for (path, body, status, message) in [
        ("networks/plan", network.clone(), 409, "network with name n1 already exists"),
        ("networks/plan", json!({"Name": "n2", "Driver": "nosuch"}), 404, "nosuch"),
        ("containers/plan?name=web", container.clone(), 409, "is already in use by container"),
        ("containers/plan", json!({"Image": "nosuch", "Cmd": ["x"]}), 404, "nosuch"),
        ("containers/plan?name=c2", container, 500, "8088"),
    ] {
        let answer = post(&host, &format!("/hawser/{path}"), &body);
        let said = answer.text();
        assert!(answer.status == status && said.contains(message), "{path}: {said}");
    }
}

/// A line with everything that is made of an id taken out: aliases, namespaces, links, MACs.
fn without_ids(line: &str) -> String {
    let word = |word: &str| {
        let hex = |part: &str| part.len() >= 7 && part.chars().all(|c| c.is_ascii_hexdigit());
        let mac = word.len() == 17 && word.split(':').count() == 6;
        let parts = word.split(['/', '\'', '=']).map(|part| part.trim_start_matches("veth"));
        if mac || parts.clone().any(hex) { "*".to_owned() } else { word.to_owned() }
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The lines that explain a network and a container, run by a person on a container that has
/// nothing, give what the engine had made.
#[test]
fn what_is_explained_can_be_built_by_hand() {
    let segment = Segment::new();
    let outside = neighbour(&segment, "10.99.0.3/24");
    let host = host();
    host.join_segment(&segment, "wan0", "10.99.0.2/24");
    let c = host.client(Cli::Docker);
    let ipv6 = "--ipv6 --subnet 10.5.0.0/24 --subnet fd00:5::/64";
    c.ok(&format!("network create {ipv6} -o {ICC}=false -o {MTU}=1400 n1"));
    c.ok("network create --internal --subnet 10.6.0.0/24 n2");
    c.ok("run -d --name bare --net none busybox sleep 1000");
    c.ok("create --name web --net n1 -p 8088:80 --ip 10.5.0.7 busybox sleep 1000");
    c.ok("network connect n2 web");
    c.ok("start web");
    let wanted = observed(&host);
    let [n1, n2, web, bare] = ["n1", "n2", "web", "bare"].map(|term| explain(&host, term));
    let pin = |name: &str| c.inspect(name, "{{.Id}}")[..12].to_owned();
    let (from, to) = (pin("web"), pin("bare"));
    c.ok("rm -f web");
    c.ok("network rm n1 n2");

    let web: Vec<String> = web.iter().map(|line| line.replace(&from, &to)).collect();
    let lines = n1.iter().chain(&n2).chain(&web).filter(|line| !bare.contains(line));
    let script: Vec<&str> = lines.map(String::as_str).collect();
    host.sh(&format!("set -e\n{}", script.join("\n"))).ok();
    // Its own namespace is gone, the one that was bare takes its place.
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(|line| line.replace(&from, &to)).collect();
        lines.sort();
        lines.dedup();
        lines.join("\n")
    };
    assert_eq!(sorted(&observed(&host)), sorted(&wanted));

    // And it works.
    c.ok("exec bare ping -c 1 -W 2 10.5.0.1");
    c.ok("exec bare ping -c 1 -W 2 fd00:5::1");
    serve(&c, "bare", 80);
    get(&outside, "10.99.0.2:8088").ok();
    let server = serve_on_host(&outside, 7001);
    c.ok("exec bare wget -q -O - http://10.99.0.3:7001/");
    crate::seen::asked_by(&server, "10.99.0.2");
}

/// Of a container that does not run: what a start would make; of one without a network of its
/// own: whose it uses.
#[test]
fn every_container_is_explained() {
    let host = host();
    let c = host.client(Cli::Docker);
    c.ok("network create --subnet 10.5.0.0/24 n1");
    c.ok("create --name web --net n1 busybox sleep 1000");
    let before = explain(&host, "web");
    c.ok("start web");
    let strip = |lines: &[String]| lines.iter().map(|line| without_ids(line)).collect::<Vec<_>>();
    assert_eq!(strip(&explain(&host, "web")), strip(&before));
    c.ok("run -d --name side --net container:web busybox sleep 1000");
    c.ok("run -d --name onhost --net host busybox sleep 1000");
    for (name, wanted) in [
        ("side", "# side uses the network of container web: explain that"),
        ("onhost", "# onhost uses the host's network: nothing is made for it"),
        ("host", "# network host has nothing of its own on the host"),
    ] {
        assert_eq!(explain(&host, name), [wanted]);
    }
    c.ok("stop -t 0 side web");
    assert_eq!(explain(&host, "side"), ["# side uses the network of container web: explain that"]);
    c.ok("network disconnect n1 web");
    c.ok("network rm n1");
    c.ok("create --name lost --net n1 busybox true");
    let answer = host.http().get("/hawser/explain/lost");
    assert_eq!((answer.status, answer.message().as_str()), (404, "network n1 not found"));
}
