//! What would be done is told beforehand, and what was done is explained.

use hawser_testkit::{Cli, Segment, TestHost, built};
use serde_json::json;

use super::{ICC, MTU, commands, events, host, post};
use crate::seen::{get, neighbour, serve_on_host};

#[track_caller]
fn explain(host: &TestHost, term: &str) -> Vec<String> {
    commands(&host.http().get(&format!("/hawser/explain/{term}")))
}

/// What of ours the host has, as the engine itself observes it.
#[track_caller]
fn observed(host: &TestHost) -> String {
    host.run([built("hawser-observe")]).ok().stdout
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
    for part in
        ["mtu 1400", "bridge hawser apart", "add element inet hawser isolated", "10.6.0.1/24"]
    {
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
        let parts = word.split(['/', '\'', '=', '"']).map(|part| part.trim_start_matches("veth"));
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
    let routed = "-o com.docker.network.bridge.gateway_mode_ipv4=routed";
    c.ok(&format!("network create {routed} --subnet 10.7.0.0/24 n3"));
    c.ok("network create --ipv4=false --ipv6 --subnet fd00:8::/64 n4");
    c.ok("network create --ipam-driver null n5");
    c.ok("run -d --name bare --net none busybox sleep 1000");
    c.ok("create --name web --net n1 -p 8088:80 --ip 10.5.0.7 busybox sleep 1000");
    c.ok("network connect n2 web");
    c.ok("network connect --link-local-ip 169.254.7.7 n3 web");
    c.ok("network connect --driver-opt com.docker.network.endpoint.ifname=six n4 web");
    c.ok("network connect n5 web");
    c.ok("start web");
    let wanted = observed(&host);
    let networks = ["n1", "n2", "n3", "n4", "n5"].map(|term| explain(&host, term));
    let [web, bare] = ["web", "bare"].map(|term| explain(&host, term));
    let pin = |name: &str| c.inspect(name, "{{.Id}}")[..12].to_owned();
    let (from, to) = (pin("web"), pin("bare"));
    c.ok("rm -f web");
    c.ok("network rm n1 n2 n3 n4 n5");

    let pid = c.inspect("bare", "{{.State.Pid}}");
    // What the daemon did not make it would not leave, and its tables it shares with nobody.
    host.stop_daemon();

    let web: Vec<String> = web.iter().map(|line| line.replace(&from, &to)).collect();
    let lines = networks.iter().flatten().chain(&web).filter(|line| !bare.contains(line));
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
    let inside = |line: &str| host.sh(&format!("nsenter --all --target {pid} {line}")).ok();
    inside("ping -c 1 -W 2 10.5.0.1");
    inside("ping -c 1 -W 2 fd00:5::1");
    inside("httpd -p 80 -h /var/www");
    get(&outside, "10.99.0.2:8088").ok();
    let server = serve_on_host(&outside, 7001);
    inside("wget -q -O - http://10.99.0.3:7001/");
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
