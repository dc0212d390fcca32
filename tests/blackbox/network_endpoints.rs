//! Containers and their networks: several at once, joined and left in every state.

use hawser_testkit::{Cli, Client, EngineKind, TestHost, eventually};
use serde_json::json;

use crate::seen::{interface_addresses, link_names};

with_both_clients!(joined_and_left, in_every_state, the_default_bridge_too, what_is_kept);
with_both_clients!(the_way_out, settings, several_at_once, by_force);

/// The networks of a container, by name.
fn networks(c: &Client<'_>, name: &str) -> String {
    c.inspect(name, "{{range $name, $n := .NetworkSettings.Networks}}{{$name}} {{end}}")
}

/// `via GATEWAY dev LINK` of the default route, or nothing.
fn way_out(c: &Client<'_>, name: &str) -> String {
    let routes = c.ok(&format!("exec {name} ip -4 route"));
    let default = routes.lines().find_map(|line| line.strip_prefix("default "));
    default.unwrap_or_default().trim().to_owned()
}

/// The names of a container's interfaces, sorted.
fn links(c: &Client<'_>, name: &str) -> String {
    let mut names = link_names(&c.ok(&format!("exec {name} ip -o link")));
    names.sort();
    names.join(" ")
}

/// Three networks with subnets that are easily told apart.
fn make_networks(c: &Client<'_>) {
    for (name, n) in [("net1", 1), ("net2", 2), ("net3", 3)] {
        c.ok(&format!("network create --subnet 10.{n}.0.0/24 {name}"));
    }
}

/// While it runs: the next `ethN` comes with each network and goes with it, and the rest goes on.
fn joined_and_left(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    make_networks(&c);
    c.ok("run -d --name peer --net net1 busybox sleep 1000");
    c.ok("run -d --name c1 --net net1 busybox sleep 1000");
    let before = host.inventory();
    // Traffic that nothing of what follows may disturb.
    let pings = c.spawn("exec c1 ping -i 0.05 -c 40 -W 1 10.1.0.2");
    pings.expect("seq=1 ");
    c.ok("network connect net2 c1");
    assert_eq!(links(&c, "c1"), "eth0 eth1 lo");
    assert_eq!(interface_addresses(&c, "c1", "eth1"), ["10.2.0.2/24"]);
    c.ok("network connect --ip 10.3.0.77 net3 c1");
    assert_eq!(links(&c, "c1"), "eth0 eth1 eth2 lo");
    assert_eq!(interface_addresses(&c, "c1", "eth2"), ["10.3.0.77/24"]);
    assert_eq!(networks(&c, "c1"), "net1 net2 net3");
    c.ok("network disconnect net2 c1");
    assert_eq!(links(&c, "c1"), "eth0 eth2 lo");
    for target in ["10.1.0.2", "10.1.0.1", "10.3.0.1"] {
        c.ok(&format!("exec c1 ping -c 1 -W 2 {target}"));
    }
    // And again at once: the address is free, the interface a new one.
    c.ok("network connect net2 c1");
    assert_eq!(c.inspect("c1", "{{.NetworkSettings.Networks.net2.IPAddress}}"), "10.2.0.2");
    c.ok("exec c1 ping -c 1 -W 2 10.2.0.1");
    c.ok("network disconnect net3 c1");
    c.ok("network disconnect net2 c1");
    assert_eq!(links(&c, "c1"), "eth0 lo");
    let pings = pings.finish().ok();
    assert!(pings.stdout.contains("40 packets transmitted, 40 packets received"), "{pings}");
    before.assert_restored(&host);
    // The last one as well, and back.
    c.ok("network disconnect net1 c1");
    assert_eq!((links(&c, "c1").as_str(), way_out(&c, "c1").as_str()), ("lo", ""));
    assert_eq!(networks(&c, "c1"), "");
    c.ok("network connect net1 c1");
    c.ok("exec c1 ping -c 1 -W 2 peer");
    c.ok("exec peer ping -c 1 -W 2 c1");
}

/// Created, running, paused, stopped, restarting: joining counts from then on or from the next start.
fn in_every_state(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    make_networks(&c);
    let attached = |network: &str| {
        c.ok(&format!(
            "network inspect -f '{{{{range .Containers}}}}{{{{.Name}}}} {{{{end}}}}' {network}"
        ))
    };
    // Created.
    c.ok("create --name c1 --net net1 busybox sleep 1000");
    c.ok("network connect --ip 10.2.0.22 --alias web net2 c1");
    c.ok("network connect net3 c1");
    c.ok("network disconnect net3 c1");
    assert_eq!((networks(&c, "c1").as_str(), attached("net2").as_str()), ("net1 net2", ""));
    c.ok("start c1");
    assert_eq!(links(&c, "c1"), "eth0 eth1 lo");
    assert_eq!(attached("net2"), "c1");
    c.ok("run --rm --net net2 busybox ping -c 1 -W 2 web");
    // Paused.
    c.ok("pause c1");
    c.ok("network connect net3 c1");
    assert_eq!(attached("net3"), "c1");
    c.ok("network disconnect net1 c1");
    c.ok("unpause c1");
    assert_eq!(networks(&c, "c1"), "net2 net3");
    c.ok("exec c1 ping -c 1 -W 2 10.3.0.1");
    assert!(!c.ok("exec c1 ip -4 addr").contains("10.1.0."));
    // Stopped: it has no addresses, but its networks.
    c.ok("stop -t 0 c1");
    assert_eq!((networks(&c, "c1").as_str(), attached("net3").as_str()), ("net2 net3", ""));
    assert_eq!(c.inspect("c1", "{{.NetworkSettings.Networks.net3.IPAddress}}"), "");
    c.ok("network disconnect net3 c1");
    c.ok("network connect net1 c1");
    c.ok("start c1");
    assert_eq!(networks(&c, "c1"), "net1 net2");
    assert_eq!(links(&c, "c1"), "eth0 eth1 lo");
    assert_eq!(c.inspect("c1", "{{.NetworkSettings.Networks.net2.IPAddress}}"), "10.2.0.22");
    // A network that is gone meanwhile: the start says so, and can be mended.
    c.ok("stop -t 0 c1");
    c.ok("network rm net1");
    c.fails("start c1", 1, "not found");
    c.ok("network disconnect -f net1 c1");
    c.ok("start c1");
    assert_eq!(links(&c, "c1"), "eth0 lo");
    assert_eq!(networks(&c, "c1"), "net2");
}

fn the_default_bridge_too(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    make_networks(&c);
    c.ok("run -d --name c1 --net net1 busybox sleep 1000");
    c.ok("network connect bridge c1");
    assert_eq!(interface_addresses(&c, "c1", "eth1"), ["172.17.0.2/16"]);
    c.ok("exec c1 ping -c 1 -W 2 172.17.0.1");
    c.ok("network disconnect net1 c1");
    assert_eq!(way_out(&c, "c1"), "via 172.17.0.1 dev eth1");
    c.ok("network disconnect bridge c1");
    assert_eq!(links(&c, "c1"), "lo");
    // One that was started on it.
    c.ok("run -d --name c2 busybox sleep 1000");
    c.ok("network disconnect bridge c2");
    c.ok("network connect net1 c2");
    assert_eq!(networks(&c, "c2"), "net1");
    c.ok("restart -t 0 c2");
    assert_eq!(links(&c, "c2"), "eth0 lo");
    assert_eq!(interface_addresses(&c, "c2", "eth0"), ["10.1.0.2/24"]);
}

/// Restart, rename, pause, a killed daemon: networks, addresses, aliases and MACs stay.
fn what_is_kept(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    make_networks(&c);
    c.ok("run -d --name peer --net net1 busybox sleep 1000");
    // The client wants a later Docker for it.
    let mac = "--mac-address 02:00:00:00:00:11";
    let mac = if host.engine() == EngineKind::Hawser { mac } else { "" };
    c.ok(&format!(
        "run -d --name c1 --net net1 --ip 10.1.0.11 --network-alias web {mac} busybox sleep 1000"
    ));
    c.ok("network connect --ip 10.2.0.12 --alias db net2 c1");
    let same = || {
        let first = c.inspect("c1", "{{.NetworkSettings.Networks.net1.IPAddress}}");
        let second = c.inspect("c1", "{{.NetworkSettings.Networks.net2.IPAddress}}");
        assert_eq!((first.as_str(), second.as_str()), ("10.1.0.11", "10.2.0.12"));
        assert_eq!(links(&c, "c1"), "eth0 eth1 lo");
        if host.engine() == EngineKind::Hawser {
            assert_eq!(c.ok("exec c1 cat /sys/class/net/eth0/address"), "02:00:00:00:00:11");
        }
        c.ok("exec peer ping -c 1 -W 2 web");
        c.ok("exec peer ping -c 1 -W 2 c1");
        c.ok("run --rm --net net2 busybox ping -c 1 -W 2 db");
    };
    same();
    c.ok("restart -t 0 c1");
    same();
    let links_before = host.sh("ip -o link | cut -d: -f 2").stdout;
    c.ok("pause c1");
    c.ok("unpause c1");
    assert_eq!(host.sh("ip -o link | cut -d: -f 2").stdout, links_before);
    same();
    c.ok("rename c1 other");
    c.ok("exec peer ping -c 1 -W 2 other");
    assert_ne!(c.run("exec peer ping -c 1 -W 1 c1").status, 0);
    c.ok("exec peer ping -c 1 -W 2 web");
    c.ok("rename other c1");
    same();
    if host.engine() == EngineKind::Hawser {
        host.kill_daemon();
        host.start_again();
        assert_eq!(host.sh("ip -o link | cut -d: -f 2").stdout, links_before);
        same();
    }
    c.ok("kill c1");
    c.ok("start c1");
    same();
}

/// The default route follows priority, then the network's name; an internal network has none.
fn the_way_out(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    make_networks(&c);
    c.ok("network create --internal --subnet 10.9.0.0/24 aaa");
    c.ok("run -d --name c1 --net net2 busybox sleep 1000");
    assert_eq!(way_out(&c, "c1"), "via 10.2.0.1 dev eth0");
    c.ok("network connect net3 c1");
    assert_eq!(way_out(&c, "c1"), "via 10.2.0.1 dev eth0");
    c.ok("network connect net1 c1");
    assert_eq!(way_out(&c, "c1"), "via 10.1.0.1 dev eth2");
    c.ok("network connect aaa c1");
    assert_eq!(way_out(&c, "c1"), "via 10.1.0.1 dev eth2");
    c.ok("network disconnect net1 c1");
    assert_eq!(way_out(&c, "c1"), "via 10.2.0.1 dev eth0");
    c.ok("network disconnect net2 c1");
    assert_eq!(way_out(&c, "c1"), "via 10.3.0.1 dev eth1");
    if host.engine() == EngineKind::Docker {
        return; // priorities came with Docker 28
    }
    c.ok("network connect --gw-priority 5 net2 c1");
    assert!(way_out(&c, "c1").starts_with("via 10.2.0.1 "));
    c.ok("network connect --gw-priority 7 net1 c1");
    assert!(way_out(&c, "c1").starts_with("via 10.1.0.1 "));
    let priority = "{{.NetworkSettings.Networks.net1.GwPriority}}";
    assert_eq!(c.inspect("c1", priority), "7");
    c.ok("restart -t 0 c1");
    assert!(way_out(&c, "c1").starts_with("via 10.1.0.1 "));
    c.ok("network disconnect net1 c1");
    assert!(way_out(&c, "c1").starts_with("via 10.2.0.1 "));
    // A negative one is the last to be taken.
    c.ok("run -d --name c2 --network name=net1,gw-priority=-1 --network net3 busybox sleep 1000");
    assert!(way_out(&c, "c2").starts_with("via 10.3.0.1 "));
    c.ok("network disconnect net3 c2");
    assert!(way_out(&c, "c2").starts_with("via 10.1.0.1 "));
}

/// What can be said of an endpoint.
fn settings(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    make_networks(&c);
    c.ok(
        "run -d --name c1 --net net1 --ip 10.1.0.11 --link-local-ip 169.254.7.7 busybox sleep 1000",
    );
    if host.engine() == EngineKind::Docker {
        return; // the rest came later
    }
    let eth0 = interface_addresses(&c, "c1", "eth0");
    assert!(eth0.contains(&"10.1.0.11/24".to_owned()), "{eth0:?}");
    assert!(eth0.contains(&"169.254.7.7/16".to_owned()), "{eth0:?}");
    c.ok("run -d --name c2 --net net1 --link-local-ip 169.254.7.8 busybox sleep 1000");
    c.ok("exec c2 ping -c 1 -W 2 169.254.7.7");
    let ipam = c.inspect("c1", "{{json .NetworkSettings.Networks.net1.IPAMConfig}}");
    assert!(ipam.contains(r#""LinkLocalIPs":["169.254.7.7"]"#), "{ipam}");
    // A name of the user's for the interface, and settings of it.
    // (Clients take a list with commas as several options, unless it is quoted.)
    let endpoint = "com.docker.network.endpoint";
    let sysctls = "net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.IFNAME.rp_filter=2";
    c.ok(&format!(
        "network connect --driver-opt {endpoint}.ifname=wan7 \
         --driver-opt '\"{endpoint}.sysctls={sysctls}\"' net2 c1"
    ));
    assert_eq!(links(&c, "c1"), "eth0 lo wan7");
    let martians = "exec c1 cat /proc/sys/net/ipv4/conf/wan7/log_martians \
                    /proc/sys/net/ipv4/conf/wan7/rp_filter";
    assert_eq!(c.ok(martians), "1\n2");
    assert_eq!(c.ok("exec c1 cat /proc/sys/net/ipv4/conf/eth0/log_martians"), "0");
    c.ok("restart -t 0 c1");
    assert_eq!(c.ok(martians), "1\n2");
    let wrong = c.run(&format!("network connect --driver-opt {endpoint}.ifname=wan7 net3 c1"));
    assert!(wrong.status == 1 && wrong.stderr.contains("wan7"), "{wrong}");
    assert_eq!(links(&c, "c1"), "eth0 lo wan7");
    // A MAC of the user's is the interface's, and nobody else's.
    c.ok("run -d --name c3 --net net3 --mac-address 02:42:00:00:00:33 busybox sleep 1000");
    assert_eq!(c.ok("exec c3 cat /sys/class/net/eth0/address"), "02:42:00:00:00:33");
    let shown = c.inspect("c3", "{{.NetworkSettings.Networks.net3.MacAddress}}");
    assert_eq!(shown, "02:42:00:00:00:33");
}

/// Several `--network` of one `run`, each with its own settings.
fn several_at_once(cli: Cli) {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // needs API 1.44
    }
    let c = host.client(cli);
    make_networks(&c);
    c.ok("network create --ipv6 --subnet 10.6.0.0/24 --subnet fd06::/64 six");
    c.ok("run -d --name peer --net net2 --ip 10.2.0.99 busybox sleep 1000");
    c.ok("run -d --name c1 --network name=net1,ip=10.1.0.11,alias=web,alias=www \
          --network name=net2,ip=10.2.0.12,mac-address=02:00:00:00:00:12,link-local-ip=169.254.1.2 \
          --network name=six,ip6=fd06::66,gw-priority=3,driver-opt=com.docker.network.endpoint.ifname=wan0 \
          busybox sleep 1000");
    assert_eq!(networks(&c, "c1"), "net1 net2 six");
    let shown = |network: &str| {
        let settings = format!(".NetworkSettings.Networks.{network}");
        c.inspect("c1", &format!("{{{{{settings}.IPAddress}}}} {{{{{settings}.MacAddress}}}}"))
    };
    assert!(shown("net1").starts_with("10.1.0.11 "));
    assert_eq!(shown("net2"), "10.2.0.12 02:00:00:00:00:12");
    assert!(links(&c, "c1").contains("wan0"));
    assert!(interface_addresses(&c, "c1", "wan0").contains(&"fd06::66/64".to_owned()));
    assert!(way_out(&c, "c1").ends_with("dev wan0"));
    c.ok("exec c1 ping -c 1 -W 2 peer");
    for alias in ["web", "www"] {
        c.ok(&format!("run --rm --net net1 busybox ping -c 1 -W 2 {alias}"));
        assert_ne!(c.run(&format!("exec peer ping -c 1 -W 1 {alias}")).status, 0);
    }
    assert_eq!(c.inspect("c1", "{{.HostConfig.NetworkMode}}"), "net1");
    // All or nothing: one that cannot be had, and it has none.
    let before = host.inventory();
    c.fails(
        "run --rm --network net1 --network name=net2,ip=10.2.0.99 busybox true",
        125,
        "Address already in use",
    );
    before.assert_restored(&host);
    c.ok("restart -t 0 c1");
    assert_eq!(shown("net2"), "10.2.0.12 02:00:00:00:00:12");
    c.ok("rm -f c1");
}

/// `-f`, and containers that ended meanwhile.
fn by_force(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    make_networks(&c);
    let before = host.inventory();
    c.ok("run -d --name c1 --net net1 busybox sleep 1000");
    c.ok("network disconnect -f net1 c1");
    assert_eq!(links(&c, "c1"), "lo");
    c.ok("network connect net1 c1");
    c.ok("stop -t 0 c1");
    c.ok("network disconnect --force net1 c1");
    assert_eq!(networks(&c, "c1"), "");
    c.ok("start c1");
    assert_eq!(links(&c, "c1"), "lo");
    c.ok("rm -f c1");
    // It ends by itself while it is on several networks.
    c.ok("run -d --name c2 --net net1 busybox sleep 0.5");
    c.ok("network connect net2 c2");
    eventually("it ended", || (c.inspect("c2", "{{.State.Status}}") == "exited").then_some(()));
    eventually("its places are free", || {
        let left = "{{len .Containers}}";
        (c.ok(&format!("network inspect -f '{left}' net1 net2")) == "0\n0").then_some(())
    });
    c.ok("rm c2");
    before.assert_restored(&host);
}

/// Many at the same time come to what they would have come to one after the other.
#[test]
fn all_at_the_same_time() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return;
    }
    let c = host.docker();
    make_networks(&c);
    for i in 0..4 {
        c.ok(&format!("run -d --name c{i} --net net1 busybox sleep 1000"));
    }
    let before = host.inventory();
    let http = host.http();
    let change = &|verb: &str, network: &str, i: u32| {
        let body = json!({ "Container": format!("c{i}") });
        let answer = http.post(&format!("/networks/{network}/{verb}"), &body);
        assert_eq!(answer.status, 200, "{verb} {network} c{i}: {}", answer.text());
    };
    std::thread::scope(|scope| {
        for i in 0..4 {
            scope.spawn(move || {
                for verb in ["connect", "disconnect"].repeat(3) {
                    change(verb, "net2", i);
                    change(verb, "net3", i);
                }
            });
        }
    });
    before.assert_restored(&host);
    let all = c.ok("inspect -f '{{.NetworkSettings.Networks.net1.IPAddress}}' c0 c1 c2 c3");
    let mut all: Vec<&str> = all.lines().collect();
    all.sort_unstable();
    assert_eq!(all, ["10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5"]);
}
