//! IPv6: two families, one, and none.

use hawser_testkit::{Cli, Client, EngineKind, TestHost, eventually};

use crate::seen::{interface_addresses, link_names};

with_both_clients!(both_families, six_alone, four_alone);

/// Addresses of containers as `inspect` has them.
fn six(c: &Client<'_>, name: &str) -> String {
    c.inspect(name, "{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}}{{end}}")
}

fn both_families(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    c.ok("network create --ipv6 --subnet 10.7.0.0/24 --subnet fd07::/64 --gateway fd07::1 n");
    c.ok("run -d --name c1 --net n busybox sleep 1000");
    c.ok("run -d --name c2 --net n --ip6 fd07::99 --network-alias web busybox sleep 1000");
    assert_eq!(interface_addresses(&c, "c1", "eth0"), ["10.7.0.2/24", "fd07::2/64"]);
    assert_eq!(interface_addresses(&c, "c2", "eth0"), ["10.7.0.3/24", "fd07::99/64"]);
    assert_eq!((six(&c, "c1").as_str(), six(&c, "c2").as_str()), ("fd07::2", "fd07::99"));
    let networks =
        "{{range .NetworkSettings.Networks}}{{.GlobalIPv6PrefixLen}} {{.IPv6Gateway}}{{end}}";
    assert_eq!(c.inspect("c1", networks), "64 fd07::1");
    assert!(c.ok("exec c1 ip -6 route").contains("default via fd07::1 dev eth0"));
    for target in ["fd07::99", "fd07::1"] {
        c.ok(&format!("exec c1 ping -c 1 -W 2 {target}"));
    }
    c.ok("exec c1 ping -6 -c 1 -W 2 web");
    c.ok("exec c1 ping -4 -c 1 -W 2 web");
    let hosts = c.ok("exec c2 cat /etc/hosts");
    assert!(hosts.contains("fd07::99\t") && hosts.contains("10.7.0.3\t"), "{hosts}");
    // Connected to a network with IPv6 while it runs, from one without.
    c.ok("run -d --name c3 busybox sleep 1000");
    c.ok("network connect --ip6 fd07::77 n c3");
    assert_eq!(interface_addresses(&c, "c3", "eth1"), ["10.7.0.4/24", "fd07::77/64"]);
    c.ok("exec c3 ping -c 1 -W 2 fd07::99");
    c.ok("network disconnect n c3");
    c.fails("run --rm --net n --ip6 fd07::99 busybox true", 125, "Address already in use");
    c.ok("rm -f c1 c2 c3");
    c.ok("network rm n");
    if host.engine() == EngineKind::Hawser {
        before.assert_restored(&host);
    }
}

fn six_alone(cli: Cli) {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // since Docker 28
    }
    let c = host.client(cli);
    let before = host.inventory();
    c.ok("network create --ipv4=false --ipv6 --subnet fd07::/64 n");
    let families = "{{.EnableIPv4}} {{.EnableIPv6}}";
    assert_eq!(c.ok(&format!("network inspect -f '{families}' n")), "false true");
    c.ok("run -d --name c1 --net n busybox sleep 1000");
    c.ok("run -d --name c2 --net n busybox sleep 1000");
    assert_eq!(interface_addresses(&c, "c1", "eth0"), ["fd07::2/64"]);
    assert_eq!(c.address("c1"), "");
    assert_eq!(c.ok("exec c1 ip -4 route"), "");
    for target in ["c2", "fd07::3", "fd07::1"] {
        c.ok(&format!("exec c1 ping -c 1 -W 2 {target}"));
    }
    // The name service is asked over IPv4 loopback, and answers with what there is.
    assert!(c.ok("exec c1 cat /etc/resolv.conf").contains("nameserver 127.0.0.11"));
    let no_subnet = "only when connecting to networks with user configured subnets";
    c.fails("run --rm --net n --ip 10.1.1.1 busybox true", 125, no_subnet);
    c.ok("rm -f c1 c2");
    c.ok("network rm n");
    before.assert_restored(&host);
}

/// A network without IPv6 has none at all: no link-local address, no route, nothing to be heard.
fn four_alone(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create n");
    c.ok("run -d --name c1 --net n busybox sleep 1000");
    c.ok("network connect bridge c1");
    assert_eq!(link_names(&c.ok("exec c1 ip -o link")), ["lo", "eth0", "eth1"]);
    for link in ["eth0", "eth1"] {
        let addresses = c.ok(&format!("exec c1 ip -6 -o addr show dev {link}"));
        assert_eq!(addresses, "");
        let disabled = format!("exec c1 cat /proc/sys/net/ipv6/conf/{link}/disable_ipv6");
        assert_eq!(c.ok(&disabled), "1");
    }
    let routes = c.ok("exec c1 ip -6 route");
    assert!(!routes.contains("eth"), "{routes}");
    assert_eq!(six(&c, "c1"), "");
    // A third one has it, there and only there.
    c.ok("network create --ipv6 --subnet fd07::/64 six");
    c.ok("network connect six c1");
    assert!(c.ok("exec c1 ip -6 -o addr show dev eth2").contains("fd07::2/64"));
    eventually("it works", || (c.run("exec c1 ping -c 1 -W 1 fd07::1").status == 0).then_some(()));
    for link in ["eth0", "eth1"] {
        assert_eq!(c.ok(&format!("exec c1 ip -6 -o addr show dev {link}")), "");
    }
}

/// No waiting for duplicates of an address that is unique: the first packet of a container goes out.
#[test]
fn the_first_packet_goes_out() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // it lets its link-local addresses wait, and the bridge's
    }
    let c = host.docker();
    c.ok("network create --ipv6 --subnet fd07::/64 n");
    c.ok("run -d --name peer --net n --ip6 fd07::99 busybox sleep 1000");
    for target in ["fd07::99", "fd07::1"] {
        for _ in 0..3 {
            c.ok(&format!("run --rm --net n busybox ping -c 1 -W 1 {target}"));
        }
    }
    let addresses = c.ok("run --rm --net n busybox ip -6 addr");
    assert!(addresses.contains("fd07::") && !addresses.contains("tentative"), "{addresses}");
    c.ok("run -d --name late busybox sleep 1000");
    c.ok("network connect n late");
    c.ok("exec late ping -c 1 -W 1 fd07::99");
    // An address that has a new owner: its neighbours learn of it at once.
    c.ok("exec peer ping -c 1 -W 1 fd07::1");
    c.ok("rm -f peer");
    c.ok("run -d --name peer --net n --ip6 fd07::99 busybox sleep 1000");
    c.ok("exec late ping -c 1 -W 1 fd07::99");
}

/// Asked for without a subnet: a /64 of the engine's own random /48, which stays what it is.
#[test]
fn a_subnet_of_the_engine_s_own() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // since Docker 27
    }
    let c = host.docker();
    let subnet = |name: &str| {
        let all = c.ok(&format!(
            "network inspect -f '{{{{range .IPAM.Config}}}}{{{{.Subnet}}}} {{{{end}}}}' {name}"
        ));
        all.split_whitespace().find(|subnet| subnet.contains(':')).unwrap().to_owned()
    };
    let global_id = |subnet: &str| subnet.split(':').take(3).map(str::to_owned).collect::<Vec<_>>();
    c.ok("network create --ipv6 one");
    c.ok("network create --ipv6 two");
    let (one, two) = (subnet("one"), subnet("two"));
    assert!(one.starts_with("fd") && one.ends_with("/64"), "{one}");
    assert!(one != two && global_id(&one) == global_id(&two), "{one} {two}");
    c.ok("run -d --name c1 --net one busybox sleep 1000");
    c.ok("run --rm --net one busybox ping -6 -c 1 -W 2 c1");
    c.ok("network rm two");
    host.kill_daemon();
    host.start_again();
    assert_eq!(subnet("one"), one);
    c.ok("run --rm --net one busybox ping -6 -c 1 -W 2 c1");
    c.ok("network create --ipv6 again");
    assert_eq!(subnet("again"), two);
    // Another engine has another.
    let other = TestHost::running();
    let d = other.docker();
    d.ok("network create --ipv6 one");
    let theirs = d.ok("network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' one");
    let theirs = theirs.split_whitespace().find(|subnet| subnet.contains(':')).unwrap();
    assert_ne!(global_id(theirs), global_id(&one));
}
