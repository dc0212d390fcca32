//! Addresses and subnets: which one is given, which never, and what is said when there is none.

use hawser_testkit::{Cli, Client, EngineKind, Output, TestHost, eventually};
use serde_json::json;

use crate::seen::interface_addresses;

with_both_clients!(the_lowest_free, fixed_ones_stay, exhausted, ranges_and_reserved);

/// A container on `network` that stays; its address.
fn place(c: &Client<'_>, name: &str, network: &str) -> String {
    c.ok(&format!("run -d --name {name} --net {network} busybox sleep 1000"));
    c.address(name)
}

fn subnet(c: &Client<'_>, name: &str) -> String {
    c.ok(&format!(
        "network inspect -f '{{{{range .IPAM.Config}}}}{{{{.Subnet}}}} {{{{end}}}}' {name}"
    ))
}

/// Makes networks until one is refused; their subnets.
fn all_subnets(c: &Client<'_>, at_most: usize) -> (Vec<String>, Option<Output>) {
    let mut found = Vec::new();
    for i in 0..at_most {
        let made = c.run(&format!("network create auto{i}"));
        if made.status != 0 {
            return (found, Some(made));
        }
        found.push(subnet(c, &format!("auto{i}")));
    }
    (found, None)
}

fn the_lowest_free(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.7.0.0/24 n");
    for (name, address) in [("aa", "10.7.0.2"), ("bb", "10.7.0.3"), ("cc", "10.7.0.4")] {
        assert_eq!(place(&c, name, "n"), address);
    }
    // One that stops gives its address back: the next one gets it.
    c.ok("stop -t 0 bb");
    assert_eq!(c.address("bb"), "");
    assert_eq!(place(&c, "dd", "n"), "10.7.0.3");
    c.ok("start bb");
    assert_eq!(c.address("bb"), "10.7.0.5");
    c.ok("rm -f aa");
    c.ok("rename bb ee");
    assert_eq!(c.address("ee"), "10.7.0.5");
    assert_eq!(place(&c, "ff", "n"), "10.7.0.2");
    // Nobody takes the new owner of an address for the old one.
    for name in ["cc", "ee", "ff"] {
        c.ok(&format!("exec {name} ping -c 1 -W 2 10.7.0.3"));
        c.ok(&format!("exec dd ping -c 1 -W 2 {}", c.address(name)));
    }
    // The same when it leaves the network only.
    c.ok("network disconnect n dd");
    c.ok("run -d --name gg busybox sleep 1000");
    c.ok("network connect n gg");
    assert_eq!(interface_addresses(&c, "gg", "eth1"), ["10.7.0.3/24"]);
    c.ok("exec cc ping -c 1 -W 2 10.7.0.3");
}

/// What was asked for is the container's own, also while it is stopped: no other one is given it
/// unasked. Who asks for it by name first has it (that is how Compose replaces a container).
fn fixed_ones_stay(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.7.0.0/24 n");
    c.ok("run -d --name fixed --net n --ip 10.7.0.2 busybox sleep 1000");
    c.ok("stop -t 0 fixed");
    let ipam = "{{json .NetworkSettings.Networks.n.IPAMConfig}}";
    assert!(c.inspect("fixed", ipam).contains(r#""IPv4Address":"10.7.0.2""#));
    if host.engine() == EngineKind::Hawser {
        assert_eq!(place(&c, "aa", "n"), "10.7.0.3");
        c.ok("create --name waiting --net n --ip 10.7.0.4 busybox sleep 1000");
        assert_eq!(place(&c, "bb", "n"), "10.7.0.5");
        host.kill_daemon();
        host.start_again();
        assert_eq!(place(&c, "after", "n"), "10.7.0.6");
        c.ok("start waiting");
        assert_eq!(c.address("waiting"), "10.7.0.4");
        // When it is taken off the network, or is gone, its address is nobody's.
        c.ok("stop -t 0 waiting");
        c.ok("network disconnect n waiting");
        assert_eq!(place(&c, "dd", "n"), "10.7.0.4");
        c.ok("create --name brief --net n --ip 10.7.0.7 busybox true");
        c.ok("rm brief");
        assert_eq!(place(&c, "ee", "n"), "10.7.0.7");
    }
    c.ok("start fixed");
    assert_eq!(c.address("fixed"), "10.7.0.2");
    c.ok("restart -t 0 fixed");
    assert_eq!(c.address("fixed"), "10.7.0.2");
    c.ok("stop -t 0 fixed");
    c.ok("run -d --name heir --net n --ip 10.7.0.2 busybox sleep 1000");
    c.fails("start fixed", 1, "Address already in use");
    assert_eq!(c.inspect("fixed", "{{.State.Status}}"), "exited");
    c.ok("rm -f heir");
    c.ok("start fixed");
    assert_eq!(c.address("fixed"), "10.7.0.2");
    // Connected with an address, it keeps that too.
    c.ok("run -d --name late busybox sleep 1000");
    c.ok("network connect --ip 10.7.0.77 n late");
    c.ok("restart -t 0 late");
    assert_eq!(c.inspect("late", "{{.NetworkSettings.Networks.n.IPAddress}}"), "10.7.0.77");
}

fn exhausted(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.7.0.0/29 tiny");
    let id = c.ok("network inspect -f '{{.Id}}' tiny");
    for i in 2..7 {
        assert_eq!(place(&c, &format!("c{i}"), "tiny"), format!("10.7.0.{i}"));
    }
    let before = host.inventory();
    let full = c.run("run --rm --net tiny busybox true");
    assert_eq!(full.status, 125, "{full}");
    if host.engine() == EngineKind::Hawser {
        let words =
            format!("no available IPv4 addresses on this network's address pools: tiny ({id})");
        assert!(full.stderr.contains(&words), "{full}");
    }
    c.ok("run -d --name late busybox sleep 1000");
    c.fails("network connect tiny late", 1, "no available");
    c.ok("exec late ip addr show eth0");
    assert_ne!(c.run("exec late ip addr show eth1").status, 0);
    c.ok("rm -f late");
    before.assert_restored(&host);
    // As soon as there is one, it is had.
    c.ok("rm -f c4");
    assert_eq!(place(&c, "again", "tiny"), "10.7.0.4");
}

fn ranges_and_reserved(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.7.0.0/24 --ip-range 10.7.0.8/29 --gateway 10.7.0.8 \
          --aux-address router=10.7.0.9 --aux-address printer=10.7.0.11 n");
    for (name, address) in [("aa", "10.7.0.10"), ("bb", "10.7.0.12")] {
        assert_eq!(place(&c, name, "n"), address);
    }
    // A certain one may be anywhere in the subnet, but not where somebody is.
    let fixed = |name: &str, address: &str| {
        c.run(&format!("run -d --name {name} --net n --ip {address} busybox sleep 1000"))
    };
    fixed("out", "10.7.0.200").ok();
    fixed("in", "10.7.0.13").ok();
    for address in ["10.7.0.8", "10.7.0.9", "10.7.0.11", "10.7.0.0", "10.7.0.255", "10.7.0.200"] {
        fixed("never", address).fails(125, "Address already in use");
        c.ok("rm -f never");
    }
    for (name, address) in [("cc", "10.7.0.14"), ("dd", "10.7.0.15")] {
        assert_eq!(place(&c, name, "n"), address);
    }
    c.fails("run --rm --net n busybox true", 125, "no available");
    assert!(c.ok("exec aa ip route").contains("default via 10.7.0.8"));
}

/// The smallest subnets, and the largest.
#[test]
fn of_any_size() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // 20.10 does not know all of them
    }
    let c = host.docker();
    let before = host.inventory();
    c.ok("network create --subnet 10.9.1.0/31 two");
    c.ok("run -d --name c1 --net two busybox sleep 1000");
    assert_eq!(interface_addresses(&c, "c1", "eth0"), ["10.9.1.1/31"]);
    c.ok("exec c1 ping -c 1 -W 2 10.9.1.0");
    c.fails("run --rm --net two busybox true", 125, "no available IPv4 addresses");
    c.ok("network create --subnet 10.9.2.5/32 one");
    c.fails("run --rm --net one busybox true", 125, "no available IPv4 addresses");
    c.ok("network create --ipv4=false --ipv6 --subnet fd09::/127 two6");
    c.ok("run -d --name c2 --net two6 busybox sleep 1000");
    assert_eq!(interface_addresses(&c, "c2", "eth0"), ["fd09::1/127"]);
    c.ok("exec c2 ping -c 1 -W 2 fd09::");
    c.fails("run --rm --net two6 busybox true", 125, "no available IPv6 addresses");
    c.ok("network create --subnet 10.128.0.0/9 --ipv6 --subnet 2001:db8::/32 huge");
    c.ok("run -d --name c3 --net huge busybox sleep 1000");
    assert_eq!(interface_addresses(&c, "c3", "eth0"), ["10.128.0.2/9", "2001:db8::2/32"]);
    c.ok(
        "run -d --name c4 --net huge --ip 10.255.255.254 --ip6 2001:db8:ffff::1 busybox sleep 1000",
    );
    c.ok("exec c3 ping -c 1 -W 2 10.255.255.254");
    c.ok("exec c3 ping -c 1 -W 2 2001:db8:ffff::1");
    c.ok("rm -f c1 c2 c3 c4");
    c.ok("network rm two one two6 huge");
    before.assert_restored(&host);
}

/// A picked subnet overlaps nothing that the host has and uses: routes, addresses, name servers.
#[test]
fn the_hosts_own_are_left_alone() {
    let host = TestHost::new();
    // The first three of Docker's subnets after the default bridge's, and a tunnel's two halves of
    // everything, which are no reason to have none.
    host.sh("ip link add wan0 type veth peer name wan1 && ip link set wan0 up && \
             ip link set wan1 up && ip addr add 172.18.5.1/24 dev wan0 && \
             ip route add 172.19.7.0/24 via 172.18.5.9 && \
             ip route add 0.0.0.0/1 via 172.18.5.9 && ip route add 128.0.0.0/1 via 172.18.5.9 && \
             echo nameserver 172.20.0.53 > /etc/resolv.conf")
        .ok();
    host.start_daemon(&[]);
    let c = host.docker();
    c.ok("network create a");
    let first = subnet(&c, "a");
    assert_ne!(first, "172.18.0.0/16");
    if host.engine() == EngineKind::Hawser {
        // Docker 20.10 does not look so far.
        assert_eq!(first, "172.21.0.0/16");
        // Fixed ones of other networks count as well, whatever part they overlap.
        c.ok("network create --subnet 172.22.128.0/20 fixed");
        c.ok("network create b");
        assert_eq!(subnet(&c, "b"), "172.23.0.0/16");
        // What the host gets later counts from then on.
        host.sh("ip route add 172.24.0.0/13 via 172.18.5.9").ok();
        c.ok("network create c");
        assert_eq!(subnet(&c, "c"), "192.168.0.0/20");
        c.ok("network rm a");
        c.ok("network create d");
        assert_eq!(subnet(&c, "d"), "172.21.0.0/16");
        // A route to nowhere is in the way of a subnet that does not go before it.
        host.sh(
            "ip route add blackhole 192.168.0.0/16 && ip route add unreachable 192.168.16.0/20 \
                 && ip route add prohibit 192.168.33.0/24",
        )
        .ok();
        c.ok("network create e");
        assert_eq!(subnet(&c, "e"), "192.168.48.0/20");
        let way = host.sh("ip route get 192.168.48.9").ok();
        assert!(way.stdout.contains("dev br-"), "{way}");
    }
}

#[test]
fn docker_s_default_pools() {
    let host = TestHost::running();
    let c = host.docker();
    let (found, refused) = all_subnets(&c, 40);
    let mut expected: Vec<String> = (18..32).map(|i| format!("172.{i}.0.0/16")).collect();
    expected.extend((0..16).map(|i| format!("192.168.{}.0/20", i * 16)));
    assert_eq!(found, expected);
    let refused = refused.unwrap();
    if host.engine() == EngineKind::Hawser {
        let words = "all predefined address pools have been fully subnetted";
        assert!(refused.stderr.contains(words), "{refused}");
        let answer = host.http().post("/networks/create", &json!({ "Name": "more" }));
        assert_eq!((answer.status, answer.message().as_str()), (400, words));
    }
    // A given subnet is no concern of the pools.
    c.ok("network create --subnet 10.7.0.0/24 given");
    c.ok("network rm auto3 auto20");
    c.ok("network create again");
    assert_eq!(subnet(&c, "again"), "172.21.0.0/16");
}

#[test]
fn pools_of_the_daemon() {
    let host = TestHost::new();
    host.start_daemon(&[
        "--default-address-pool",
        "base=10.210.0.0/22,size=24",
        "--default-address-pool",
        "base=10.220.0.0/26,size=28",
    ]);
    let c = host.docker();
    let (found, refused) = all_subnets(&c, 20);
    let bridge = subnet(&c, "bridge");
    assert_eq!(bridge, "10.210.0.0/24");
    let expected = [
        "10.210.1.0/24",
        "10.210.2.0/24",
        "10.210.3.0/24",
        "10.220.0.0/28",
        "10.220.0.16/28",
        "10.220.0.32/28",
        "10.220.0.48/28",
    ];
    assert_eq!(found, expected);
    assert!(refused.is_some());
    c.ok("network rm auto1 auto4");
    c.ok("network create n");
    assert_eq!(subnet(&c, "n"), "10.210.2.0/24");
    host.restart_daemon();
    c.ok("network create m");
    assert_eq!(subnet(&c, "m"), "10.220.0.16/28");
}

/// A size is asked for, and the address left to the engine.
#[test]
fn sizes_on_request() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // Docker 29 has it first
    }
    let c = host.docker();
    c.ok("network create --subnet 0.0.0.0/26 small");
    assert_eq!(subnet(&c, "small"), "172.18.0.0/26");
    c.ok("network create --subnet 0.0.0.0/26 next");
    let next = subnet(&c, "next");
    assert!(next.ends_with("/26") && next != "172.18.0.0/26", "{next}");
    c.ok("network create --ipv6 --subnet 0.0.0.0/24 --subnet ::/80 both");
    let both = subnet(&c, "both");
    // A client says them in no order of its own.
    let (six, four): (Vec<&str>, _) = both.split(' ').partition(|subnet| subnet.contains(':'));
    assert!(four.len() == 1 && four[0].ends_with(".0/24"), "{both}");
    assert!(six.len() == 1 && six[0].starts_with("fd") && six[0].ends_with("/80"), "{both}");
    // No size: that of the pool.
    c.ok("network create --subnet 0.0.0.0/0 any");
    assert!(subnet(&c, "any").ends_with(".0.0/16"));
    c.fails("network create --subnet 0.0.0.0/4 giant", 1, "/4");
    c.ok("run --rm --net small busybox ping -c 1 -W 2 172.18.0.1");
    // No subnet of the user's: no address of the user's.
    c.fails(
        "run --rm --net small --ip 172.18.0.9 busybox true",
        125,
        "user specified IP address is supported only when connecting to networks with user \
         configured subnets",
    );
}

/// How full its pools are is told with each network.
#[test]
fn usage_is_told() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // Docker 29 tells it first
    }
    let c = host.docker();
    c.ok(
        "network create --subnet 10.7.0.0/24 --ip-range 10.7.0.128/25 --aux-address a=10.7.0.200 \
          --ipv6 --subnet fd07::/64 n",
    );
    let usage = || host.http().get("/networks/n").json()["Status"]["IPAM"]["Subnets"].clone();
    let before = usage();
    c.ok("run -d --name c1 --net n busybox sleep 1000");
    c.ok("run -d --name c2 --net n --ip 10.7.0.9 busybox sleep 1000");
    let after = usage();
    let of = |usage: &serde_json::Value, key: &str| usage["10.7.0.0/24"][key].as_u64().unwrap();
    assert_eq!(of(&after, "IPsInUse") - of(&before, "IPsInUse"), 2, "{before} {after}");
    let dynamic = "DynamicIPsAvailable";
    assert_eq!(of(&before, dynamic) - of(&after, dynamic), 1, "{before} {after}");
    assert!((120..=128).contains(&of(&before, dynamic)), "{before}");
    assert!(after["fd07::/64"][dynamic].as_u64().unwrap() > 1 << 60, "{after}");
    c.ok("rm -f c1 c2");
    eventually("it is as it was", || (usage() == before).then_some(()));
}
