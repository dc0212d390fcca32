//! Making networks: every option, seen in `inspect`, in the host and in a container.

use hawser_testkit::{Cli, Client, EngineKind, TestHost};
use serde_json::{Value, json};

use crate::seen::{interface_addresses, link_names, ports};

with_both_clients!(options_are_kept, names_are_free, found_by, bridge_options, templates);
with_both_clients!(nobodys_addresses);

fn inspect(c: &Client<'_>, name: &str) -> Value {
    c.run(&format!("network inspect {name}")).ok().json()[0].clone()
}

fn options_are_kept(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    let id = c.ok("network create --driver bridge --subnet 10.7.0.0/16 --ip-range 10.7.9.0/24 \
         --gateway 10.7.0.9 --aux-address a=10.7.9.0 --aux-address b=10.7.9.1 --ipv6 \
         --subnet fd07::/64 --gateway fd07::9 --attachable --label tier=db --label empty \
         --opt com.docker.network.driver.mtu=1400 -o com.example.kept=1 full");
    let full = inspect(&c, "full");
    let expected = json!({
        "Name": "full", "Id": id, "Scope": "local", "Driver": "bridge", "EnableIPv6": true,
        "Internal": false, "Attachable": true, "Ingress": false, "ConfigOnly": false,
        "ConfigFrom": { "Network": "" }, "Containers": {},
        "Labels": { "tier": "db", "empty": "" },
        "Options": { "com.docker.network.driver.mtu": "1400", "com.example.kept": "1" },
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&full[key], value, "{key}");
    }
    assert!(full["Created"].as_str().unwrap().starts_with("20"), "{full}");
    assert_eq!(full["IPAM"]["Driver"], "default");
    assert_eq!(full["IPAM"]["Options"], json!({}));
    let four = json!({
        "Subnet": "10.7.0.0/16", "IPRange": "10.7.9.0/24", "Gateway": "10.7.0.9",
        "AuxiliaryAddresses": { "a": "10.7.9.0", "b": "10.7.9.1" },
    });
    let six = json!({ "Subnet": "fd07::/64", "Gateway": "fd07::9" });
    // docker's client sends them in no order of its own.
    let config = full["IPAM"]["Config"].as_array().unwrap();
    assert!(config.len() == 2 && config.contains(&four) && config.contains(&six), "{config:?}");
    let link = format!("br-{}", &id[..12]);
    let shown = host.sh(&format!("ip -o addr show {link}")).stdout;
    assert!(shown.contains("10.7.0.9/16") && shown.contains("fd07::9/64"), "{shown}");
    c.ok("run -d --name c1 --net full busybox sleep 1000");
    assert_eq!(interface_addresses(&c, "c1", "eth0"), ["10.7.9.2/16", "fd07::1/64"]);
    assert_eq!(c.ok("exec c1 cat /sys/class/net/eth0/mtu"), "1400");
    let attached = &inspect(&c, "full")["Containers"][c.inspect("c1", "{{.Id}}")];
    assert_eq!(attached["Name"], "c1");
    assert_eq!(attached["IPv4Address"], "10.7.9.2/16");
    assert_eq!(attached["IPv6Address"], "fd07::1/64");
    assert_eq!(attached["MacAddress"], c.ok("exec c1 cat /sys/class/net/eth0/address"));
    c.ok("rm -f c1");
    // Nothing asked for: Docker's defaults.
    c.ok("network create plain");
    let plain = inspect(&c, "plain");
    assert_eq!(plain["IPAM"]["Config"][0]["Subnet"], "172.18.0.0/16");
    assert_eq!((&plain["Options"], &plain["Labels"]), (&json!({}), &json!({})));
    assert_eq!((&plain["EnableIPv6"], &plain["Internal"]), (&json!(false), &json!(false)));
    if host.engine() == EngineKind::Hawser {
        assert_eq!((&plain["EnableIPv4"], &full["EnableIPv4"]), (&json!(true), &json!(true)));
    }
    assert_eq!(c.ok("network rm full plain"), "full\nplain");
    before.assert_restored(&host);
}

/// A name may hold what Docker's may: anything that is not white space alone.
fn names_are_free(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    for name in ["a b", "a/b", "ünï", "-o", "UPPER", "a.b_c-d", "0123", "Bridge"] {
        let id = c.ok(&format!("network create -- '{name}'"));
        assert_eq!(c.ok(&format!("network inspect -f '{{{{.Id}}}}' -- '{name}'")), id, "{name}");
        c.ok(&format!("run -d --name c1 --network='{name}' busybox sleep 1000"));
        let networks =
            c.inspect("c1", "{{range $name, $n := .NetworkSettings.Networks}}{{$name}}{{end}}");
        assert_eq!(networks, name);
        c.ok("rm -f c1");
        assert_eq!(c.ok(&format!("network rm -- '{name}'")), name);
    }
    // Lower and upper case are different names.
    c.ok("network create same");
    c.ok("network create Same");
}

/// A whole id goes before a name, and a name before the beginning of an id.
fn found_by(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let first = c.ok("network create first");
    let by_prefix = c.ok(&format!("network create {}", &first[..12]));
    let by_id = c.ok(&format!("network create {first}"));
    let id_of = |term: &str| c.ok(&format!("network inspect -f '{{{{.Id}}}}' {term}"));
    assert_eq!(id_of("first"), first);
    assert_eq!(id_of(&first), first);
    assert_eq!(id_of(&first[..12]), by_prefix);
    assert_eq!(id_of(&first[..11]), first);
    // The same with every command.
    c.ok("run -d --name c1 busybox sleep 1000");
    let joined = |c: &Client<'_>| {
        c.inspect("c1", "{{range $n := .NetworkSettings.Networks}}{{$n.NetworkID}} {{end}}")
    };
    for (term, id) in [("first", &first), (&first, &first), (&first[..12], &by_prefix)] {
        c.ok(&format!("network connect {term} c1"));
        assert!(joined(&c).contains(id.as_str()), "{term}");
        c.ok(&format!("network disconnect {term} c1"));
        assert!(!joined(&c).contains(id.as_str()), "{term}");
        c.ok(&format!("run -d --name c2 --net {term} busybox sleep 1000"));
        let network = "{{range $n := .NetworkSettings.Networks}}{{$n.NetworkID}}{{end}}";
        assert_eq!(c.inspect("c2", network), *id, "{term}");
        c.ok("rm -f c2");
    }
    c.ok(&format!("network rm {first}"));
    assert_eq!(id_of(&first), by_id);
    c.ok(&format!("network rm {}", &first[..12]));
    c.fails(&format!("network rm {}", &by_prefix[..12]), 1, "not found");
    c.ok(&format!("network rm {}", &by_id[..9]));
    // A beginning of several.
    for i in 0..17 {
        c.ok(&format!("network create n{i}"));
    }
    let ids = c.ok("network ls -q --no-trunc");
    let begins = |digit: &str| ids.lines().filter(|id| id.starts_with(digit)).count();
    let digit = ids.lines().map(|id| &id[..1]).find(|digit| begins(digit) > 1).unwrap();
    let count = begins(digit);
    let words = format!("network {digit} is ambiguous ({count} matches found based on ID prefix)");
    c.fails(&format!("network rm {digit}"), 1, &words);
    assert_eq!(c.ok("network ls -q").lines().count(), 20);
}

fn bridge_options(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    let option = "-o com.docker.network.bridge";
    c.ok(&format!("network create {option}.name=brx {option}.host_binding_ipv4=127.0.0.1 named"));
    c.ok("run -d --name c1 --net named -p 8088:80 busybox sleep 1000");
    assert_eq!(ports(&host, "brx").len(), 1);
    assert_eq!(c.ok("port c1"), "80/tcp -> 127.0.0.1:8088");
    c.ok("network create -o com.docker.network.container_iface_prefix=net prefixed");
    c.ok("network connect prefixed c1");
    let names = link_names(&c.ok("exec c1 ip -o link"));
    assert_eq!(names[..2], ["lo", "eth0"]);
    assert!(names[2].starts_with("net"), "{names:?}");
    if host.engine() == EngineKind::Hawser {
        // dockerd's way needs br_netfilter, which this machine may not have.
        c.ok(&format!("network create {option}.enable_icc=false apart"));
        c.ok("run -d --name c2 --net apart busybox sleep 1000");
        c.ok("run -d --name c3 --net apart busybox sleep 1000");
        let gateway = c.inspect("c2", "{{.NetworkSettings.Networks.apart.Gateway}}");
        c.ok(&format!("exec c2 ping -c 1 -W 2 {gateway}"));
        assert_ne!(c.run(&format!("exec c2 ping -c 1 -W 1 {}", c.address("c3"))).status, 0);
        c.ok("rm -f c2 c3");
        c.ok("network rm apart");
        // No address of the host on the bridge: neighbours reach one another, and that is all.
        c.ok(&format!("network create {option}.inhibit_ipv4=true {option}.name=bare bare"));
        assert_eq!(host.sh("ip -o -4 addr show bare").text(), "");
        c.ok("run -d --name c2 --net bare busybox sleep 1000");
        c.ok("run --rm --net bare busybox ping -c 1 -W 2 c2");
        c.ok("rm -f c2");
        c.ok("network rm bare");
    }
    c.ok("rm -f c1");
    c.ok("network rm named prefixed");
    before.assert_restored(&host);
}

fn templates(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    c.ok("network create --config-only --subnet 10.6.0.0/24 --gateway 10.6.0.9 --label tier=db \
         -o com.docker.network.driver.mtu=1300 template");
    let template = inspect(&c, "template");
    assert_eq!((&template["ConfigOnly"], &template["Driver"]), (&json!(true), &json!("null")));
    assert_eq!((&template["Scope"], &template["Labels"]["tier"]), (&json!("local"), &json!("db")));
    assert!(!host.sh("ip -o link").stdout.contains("br-"));
    let id = c.ok("network create --config-from template --attachable made");
    let made = inspect(&c, "made");
    assert_eq!(made["ConfigFrom"], json!({ "Network": "template" }));
    assert_eq!((&made["ConfigOnly"], &made["Driver"]), (&json!(false), &json!("bridge")));
    assert_eq!(
        made["IPAM"]["Config"][0],
        json!({ "Subnet": "10.6.0.0/24", "Gateway": "10.6.0.9" })
    );
    assert_eq!((&made["Labels"]["tier"], &made["Attachable"]), (&json!("db"), &json!(true)));
    assert_eq!(made["Options"]["com.docker.network.driver.mtu"], "1300");
    c.ok("run -d --name c1 --net made busybox sleep 1000");
    assert_eq!(c.ok("exec c1 cat /sys/class/net/eth0/mtu"), "1300");
    c.ok("exec c1 ping -c 1 -W 2 10.6.0.9");
    let ls = c.ok("network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'");
    assert!(ls.lines().any(|line| line == "template null local"), "{ls}");
    // It is no network that is not used: it stays.
    c.ok("network prune -f");
    c.ok("network inspect template");
    if host.engine() == EngineKind::Hawser {
        host.restart_daemon();
        let again = inspect(&c, "made");
        assert_eq!((&again["Id"], &again["ConfigFrom"]), (&json!(id), &made["ConfigFrom"]));
        c.fails("network rm template", 1, "configuration network \"template\" is in use");
    }
    c.ok("rm -f c1");
    c.ok("network rm made");
    c.ok("network rm template");
    before.assert_restored(&host);
}

/// Address management `null`: interfaces with a MAC, and whoever runs in them brings addresses.
fn nobodys_addresses(cli: Cli) {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // its bridges need an address pool
    }
    let c = host.client(cli);
    let before = host.inventory();
    c.ok("network create --ipam-driver null --ipam-opt a=b unmanaged");
    let ipam = &inspect(&c, "unmanaged")["IPAM"];
    assert_eq!((&ipam["Driver"], &ipam["Options"]), (&json!("null"), &json!({ "a": "b" })));
    for name in ["c1", "c2"] {
        c.ok(&format!(
            "run -d --name {name} --cap-add NET_ADMIN --net unmanaged busybox sleep 1000"
        ));
        assert_eq!(link_names(&c.ok(&format!("exec {name} ip -o link"))), ["lo", "eth0"]);
        assert_eq!(interface_addresses(&c, name, "eth0"), [""; 0]);
        assert_eq!(c.address(name), "");
    }
    let mac = c.ok("exec c1 cat /sys/class/net/eth0/address");
    assert_eq!(c.inspect("c1", "{{.NetworkSettings.Networks.unmanaged.MacAddress}}"), mac);
    c.ok("exec c1 ip addr add 10.42.0.1/24 dev eth0");
    c.ok("exec c2 ip addr add 10.42.0.2/24 dev eth0");
    c.ok("exec c1 ping -c 1 -W 2 10.42.0.2");
    c.ok("rm -f c1 c2");
    c.ok("network rm unmanaged");
    before.assert_restored(&host);
}

/// Several subnets of a family: the first one that has a free address gives it.
#[test]
fn several_subnets() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // "bridge driver doesn't support multiple subnets"
    }
    // docker's client tells them in no certain order.
    let c = host.client(Cli::Hawser);
    let before = host.inventory();
    c.ok("network create --subnet 10.1.0.0/30 --subnet 10.2.0.0/24 --gateway 10.2.0.9 wide");
    for (name, address) in [("c1", "10.1.0.2"), ("c2", "10.2.0.1"), ("c3", "10.2.0.2")] {
        c.ok(&format!("run -d --name {name} --net wide busybox sleep 1000"));
        assert_eq!(c.address(name), address);
    }
    assert!(c.ok("exec c1 ip route").contains("default via 10.1.0.1"));
    assert!(c.ok("exec c2 ip route").contains("default via 10.2.0.9"));
    c.ok("exec c1 ping -c 1 -W 2 c2");
    c.ok("exec c2 ping -c 1 -W 2 10.1.0.1");
    c.ok("run -d --name c4 --net wide --ip 10.2.0.200 busybox sleep 1000");
    c.ok("exec c4 ping -c 1 -W 2 10.1.0.2");
    c.ok("rm -f c1 c2 c3 c4");
    c.ok("network rm wide");
    before.assert_restored(&host);
}

/// A bridge of somebody else's becomes a network, and is none the worse for it.
#[test]
fn an_existing_bridge_becomes_a_network() {
    let host = TestHost::running();
    let c = host.docker();
    let make = "ip link add own type bridge && ip addr add 10.77.0.1/24 dev own && \
                ip link set own up && ip link add port0 type veth peer name nobridge && \
                ip link set port0 master own up";
    host.sh(make).ok();
    let shown = || {
        let settings = "cd /sys/class/net/own/bridge && grep . stp_state forward_delay \
                        multicast_snooping nf_call_iptables";
        host.sh(&format!("ip -o link show own; ip -o -4 addr show own; {settings}")).ok().stdout
    };
    let (before, bridge) = (host.inventory(), shown());
    let name = "-o com.docker.network.bridge.name";
    c.ok(&format!("network create --subnet 10.77.0.0/24 --gateway 10.77.0.1 {name}=own own"));
    c.ok("run -d --name c1 --net own busybox sleep 1000");
    assert_eq!(c.address("c1"), "10.77.0.2");
    c.ok("exec c1 ping -c 1 -W 2 10.77.0.1");
    assert_eq!(ports(&host, "own").len(), 2);
    if host.engine() == EngineKind::Hawser {
        host.kill_daemon();
        host.start_again();
        c.ok("run --rm --net own busybox ping -c 1 -W 2 c1");
        let wrong = c.run(&format!("network create {name}=nobridge wrong"));
        assert!(wrong.status == 1 && wrong.stderr.contains("nobridge"), "{wrong}");
    }
    c.ok("rm -f c1");
    c.ok("network rm own");
    assert_eq!(ports(&host, "own").len(), 1);
    if host.engine() == EngineKind::Hawser {
        before.assert_restored(&host);
        assert_eq!(shown(), bridge);
    }
}

/// The bridge's name and subnet are free as soon as the network is removed.
#[test]
fn removed_and_made_again_at_once() {
    let host = TestHost::running();
    let c = host.docker();
    let make = "network create --subnet 10.7.0.0/24 -o com.docker.network.bridge.name=brx again";
    for _ in 0..5 {
        c.ok(make);
        c.ok("run --rm --net again busybox ping -c 1 -W 2 10.7.0.1");
        c.ok("network rm again");
    }
    c.ok(make);
    c.ok("run --rm --net again busybox ping -c 1 -W 2 10.7.0.1");
}
