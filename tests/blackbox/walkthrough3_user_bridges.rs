//! Section 3: user-defined bridges, names, fixed addresses, several networks.
//!
//! What goes beyond the section's lines is in the `network_…` modules.

use hawser_testkit::{Cli, EngineKind, TestHost};
use serde_json::json;

use crate::seen::{interface_addresses, link_names, ports};

with_both_clients!(created, fixed_addresses, names, isolation, connected, connected_as_asked);

fn created(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    let id = c.ok("network create -d bridge new-bridge");
    assert_eq!(id.len(), 64, "{id}");
    let subnet = "{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}";
    let show = |name: &str| c.ok(&format!("network inspect -f '{subnet}' {name}"));
    assert_eq!(show("new-bridge"), "172.18.0.0/16 172.18.0.1");
    let link = format!("br-{}", &id[..12]);
    let address = host.run(["ip", "-4", "-o", "addr", "show", &link]).ok();
    assert!(address.stdout.contains("inet 172.18.0.1/16"), "{address}");
    c.ok("network create another");
    assert_eq!(show("another"), "172.19.0.0/16 172.19.0.1");
    c.ok("network create -d bridge --subnet 192.168.31.0/24 --gateway 192.168.31.1 my_bridge2");
    assert_eq!(show("my_bridge2"), "192.168.31.0/24 192.168.31.1");
    // Sub-pool, reserved addresses, label, driver options.
    c.ok("network create --subnet 10.7.0.0/16 --gateway 10.7.0.1 --ip-range 10.7.9.0/24 --aux-address r=10.7.9.0 \
         --aux-address s=10.7.9.1 --label tier=db -o com.docker.network.bridge.name=brx \
         -o com.docker.network.driver.mtu=1400 full");
    c.ok("run -d --name c1 --net full busybox sleep 1000");
    let address = c.address("c1");
    assert!(address.starts_with("10.7.9.") && address != "10.7.9.0" && address != "10.7.9.1");
    assert_eq!(ports(&host, "brx").len(), 1);
    assert_eq!(c.ok("exec c1 cat /sys/class/net/eth0/mtu"), "1400");
    assert_eq!(c.ok("network inspect -f '{{.Labels.tier}}' full"), "db");
    // Internal: neighbours, but no way out.
    c.ok("network create --internal inside");
    let routes = c.ok("run --rm --net inside busybox ip route");
    if host.engine() == EngineKind::Hawser {
        // As Docker does since 23; before, there was a route and a firewall rule against it.
        assert!(!routes.contains("default"), "{routes}");
    }
    assert_eq!(c.ok("network inspect -f '{{.Internal}}' inside"), "true");
    c.ok("rm -f c1");
    for name in ["new-bridge", "another", "my_bridge2", "full", "inside"] {
        assert_eq!(c.ok(&format!("network rm {name}")), name);
    }
    before.assert_restored(&host);
}

fn fixed_addresses(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create -d bridge --subnet 192.168.31.0/24 --gateway 192.168.31.1 my_bridge2");
    let mut shell =
        c.terminal("run -it --network=my_bridge2 --ip 192.168.31.25 --name busybox2 busybox");
    shell.type_keys("ip -4 -o addr show eth0\n");
    shell.expect("inet 192.168.31.25/24");
    let before = host.inventory();
    // Taken, outside, and on a network whose subnet the engine chose.
    let run = |options: &str| c.run(&format!("run --rm {options} busybox true"));
    run("--net my_bridge2 --ip 192.168.31.25").fails(125, "Address already in use");
    let outside = run("--net my_bridge2 --ip 10.1.1.1");
    assert_eq!(outside.status, 125, "{outside}");
    assert!(outside.stderr.contains("10.1.1.1"), "{outside}");
    let message = "user specified IP address is supported only when connecting to networks with \
                   user configured subnets";
    c.ok("network create auto");
    let with_auto = host.inventory();
    run("--net auto --ip 172.18.0.9").fails(125, message);
    with_auto.assert_restored(&host);
    c.ok("network rm auto");
    run("--net my_bridge2 --ip 300.1.1.1").fails(125, "300.1.1.1");
    before.assert_restored(&host);
    shell.type_keys("exit 3\n");
    assert_eq!(shell.finish(), 3);
    // The address is kept for the container's next start only as a wish.
    c.ok("start busybox2");
    assert_eq!(c.address("busybox2"), "192.168.31.25");
}

fn names(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create net1");
    c.ok("run -itd --name c1 --net net1 busybox");
    c.ok("run -itd --name c2 --net net1 --network-alias db --hostname inner busybox");
    c.ok("run -itd --name c3 --net net1 --net-alias db busybox");
    let id = c.inspect("c2", "{{.Id}}");
    for name in ["c2", "C2", "db", &id[..12], "c2.net1"] {
        c.ok(&format!("exec c1 ping -c 1 -W 2 {name}"));
    }
    let resolver = c.ok("exec c1 cat /etc/resolv.conf");
    assert!(resolver.contains("nameserver 127.0.0.11"), "{resolver}");
    // Two containers on one alias: both are in the answer.
    let both = c.ok("exec c1 nslookup db 127.0.0.11");
    assert!(both.contains(&c.address("c2")) && both.contains(&c.address("c3")), "{both}");
    // A stopped one is no longer known; a name that never was is not either.
    c.ok("stop -t 0 c3");
    let one = c.ok("exec c1 nslookup db 127.0.0.11");
    assert!(!one.contains("c3") && one.contains(&c.address("c2")), "{one}");
    let unknown = c.run("exec c1 ping -c 1 -W 2 nosuch");
    assert!(unknown.status != 0 && unknown.stderr.contains("bad address"), "{unknown}");
    // Names belong to a network: the default bridge does not know them.
    c.ok("run -itd --name other busybox");
    assert_ne!(c.run("exec other ping -c 1 -W 2 c1").status, 0);
}

fn isolation(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create net1");
    c.ok("network create net2");
    c.ok("run -itd --name aa --net net1 busybox");
    c.ok("run -itd --name bb --net net2 busybox");
    let (a, b) = (c.address("aa"), c.address("bb"));
    assert_ne!(c.run(&format!("exec aa ping -c 1 -W 1 {b}")).status, 0);
    assert_ne!(c.run(&format!("exec bb ping -c 1 -W 1 {a}")).status, 0);
    // A container on both reaches both, and is no bridge between them.
    c.ok("run -itd --name both --net net1 busybox");
    c.ok("network connect net2 both");
    c.ok(&format!("exec both ping -c 1 -W 2 {a}"));
    c.ok(&format!("exec both ping -c 1 -W 2 {b}"));
    c.ok("exec both ping -c 1 -W 2 aa");
    c.ok("exec both ping -c 1 -W 2 bb");
    assert_ne!(c.run(&format!("exec aa ping -c 1 -W 1 {b}")).status, 0);
    assert_ne!(c.run("exec aa ping -c 1 -W 1 bb").status, 0);
}

fn connected(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create -d bridge --subnet 192.168.31.0/24 --gateway 192.168.31.1 my_bridge2");
    c.ok("run -itd --name c1 busybox");
    let before = host.inventory();
    assert_eq!(link_names(&c.ok("exec c1 ip -o link")), ["lo", "eth0"]);
    c.ok("network connect --ip 192.168.31.40 --alias web my_bridge2 c1");
    assert_eq!(link_names(&c.ok("exec c1 ip -o link")), ["lo", "eth0", "eth1"]);
    let second = c.ok("exec c1 ip -4 -o addr show eth1");
    assert!(second.contains("inet 192.168.31.40/24"), "{second}");
    let list = "{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}";
    assert_eq!(c.inspect("c1", list), "bridge my_bridge2");
    c.ok("run --rm --net my_bridge2 busybox ping -c 1 -W 2 web");
    c.ok("exec c1 ping -c 1 -W 2 172.17.0.1");
    c.fails("network connect my_bridge2 c1", 1, "already exists in network my_bridge2");
    c.ok("network disconnect my_bridge2 c1");
    assert_eq!(link_names(&c.ok("exec c1 ip -o link")), ["lo", "eth0"]);
    before.assert_restored(&host);
    c.fails("network disconnect my_bridge2 c1", 1, "is not connected to");
    // A container that does not run remembers.
    c.ok("create --name later busybox sleep 1000");
    c.ok("network connect my_bridge2 later");
    c.ok("start later");
    assert_eq!(link_names(&c.ok("exec later ip -o link")), ["lo", "eth0", "eth1"]);
    c.ok("network disconnect -f my_bridge2 later");
    c.ok("network disconnect -f bridge later");
    assert_eq!(link_names(&c.ok("exec later ip -o link")), ["lo"]);
}

/// `connect` with all that can be said: addresses of both families, an alias, a link.
fn connected_as_asked(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --ipv6 --subnet 192.168.31.0/24 --subnet fd31::/64 my_bridge2");
    c.ok("run -itd --name db --net my_bridge2 busybox");
    c.ok("run -itd --name other --net my_bridge2 busybox");
    c.ok("run -itd --name c1 busybox");
    c.ok("network connect --ip 192.168.31.40 --ip6 fd31::40 --alias web --alias www \
          --link db:store my_bridge2 c1");
    assert_eq!(interface_addresses(&c, "c1", "eth1"), ["192.168.31.40/24", "fd31::40/64"],);
    for alias in ["web", "www", "c1"] {
        c.ok(&format!("exec other ping -4 -c 1 -W 2 {alias}"));
    }
    // The link's name is c1's alone.
    c.ok("exec c1 ping -4 -c 1 -W 2 store");
    assert_ne!(c.run("exec other ping -c 1 -W 1 store").status, 0);
    let settings = c.run("inspect -f '{{json .NetworkSettings.Networks.my_bridge2}}' c1").json();
    assert_eq!(settings["Links"], json!(["db:store"]));
    assert_eq!(settings["IPAMConfig"]["IPv4Address"], "192.168.31.40");
    assert_eq!(settings["IPAMConfig"]["IPv6Address"], "fd31::40");
    assert_eq!(settings["GlobalIPv6Address"], "fd31::40");
    c.ok("restart -t 0 c1");
    c.ok("exec c1 ping -4 -c 1 -W 2 store");
    c.ok("exec other ping -4 -c 1 -W 2 web");
    c.ok("network disconnect my_bridge2 c1");
    assert_ne!(c.run("exec other ping -c 1 -W 1 web").status, 0);
    assert_ne!(c.run("exec c1 ping -c 1 -W 1 store").status, 0);
}

/// A link is to a container, not to the address that it had once.
#[test]
fn links_follow_a_restart() {
    let host = TestHost::running();
    let c = host.client(Cli::Docker);
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("run -itd --name db --net net1 busybox");
    c.ok("run -itd --name web --net net1 --link db:store busybox");
    assert!(c.ok("exec web ping -c 1 -W 2 store").contains("10.5.0.2"));
    c.ok("stop -t 0 db");
    c.ok("run -itd --name other --net net1 busybox");
    c.ok("start db");
    assert_eq!(c.address("db"), "10.5.0.4");
    assert!(c.ok("exec web ping -c 1 -W 2 store").contains("10.5.0.4"));
}
