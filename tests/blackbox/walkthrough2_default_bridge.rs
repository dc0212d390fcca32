//! Section 2: containers on the default bridge.

use hawser_testkit::{Cli, EngineKind, Segment, TestHost, eventually};

use crate::seen::{
    asked_by, get, index_pair, neighbour, ports, serve, serve_on_host, wait_for_ports,
};

with_both_clients!(neighbours, inside_and_outside, stopped, inspected, linked);

fn neighbours(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -itd --name c1 busybox");
    c.ok("run -itd --name c2 busybox");
    let mut screen = c.terminal("exec -it c1 ip a");
    assert_eq!(screen.finish(), 0);
    screen.expect("lo:");
    screen.expect("eth0@if");
    c.ok(&format!("exec c1 ping -c 1 -W 2 {}", c.address("c2")));
    c.ok(&format!("exec c2 ping -c 1 -W 2 {}", c.address("c1")));
    // The default bridge has no name service.
    let by_name = c.run("exec c1 ping -c 1 -W 2 c2");
    assert_ne!(by_name.status, 0, "{by_name}");
    assert!(by_name.stderr.contains("bad address"), "{by_name}");
}

fn inside_and_outside(cli: Cli) {
    let segment = Segment::new();
    let neighbour = neighbour(&segment, "10.99.0.3/24");
    let host = TestHost::running();
    host.join_segment(&segment, "wan0", "10.99.0.2/24");
    let c = host.client(cli);
    c.ok("run -itd --name c1 busybox");
    c.ok("run -itd --name c2 busybox");
    // The pair of indexes matches, and the outer ends are ports of the bridge.
    let bridge = host.engine().bridge();
    let outer = ports(&host, bridge);
    assert_eq!(outer.len(), 2, "{outer:?}");
    assert!(outer.iter().all(|line| line.contains("veth")), "{outer:?}");
    let outer: Vec<_> = outer.iter().map(|line| index_pair(line)).collect();
    for name in ["c1", "c2"] {
        let (inner, peer) = index_pair(&c.ok(&format!("exec {name} ip -o link show eth0")));
        assert!(outer.contains(&(peer, inner)), "{name}: {inner} {peer} {outer:?}");
    }
    let listed = host.run(["bridge", "link"]).ok().stdout;
    assert_eq!(listed.matches(&format!("master {bridge}")).count(), 2, "{listed}");
    // Outside through masquerading: the neighbour knows no way to 172.17.0.0/16, and sees the host.
    let server = serve_on_host(&neighbour, 8000);
    c.ok("exec c1 wget -q -O - http://10.99.0.3:8000/");
    c.ok("exec c1 ping -c 1 -W 2 10.99.0.3");
    asked_by(&server, "10.99.0.2");
    assert!(!server.stderr().contains("172.17."), "{}", server.stderr());
    // The host reaches the container; a neighbour that routes by the host does not.
    serve(&c, "c1", 80);
    let address = c.address("c1");
    get(&host, &address).ok();
    neighbour.run(["ip", "route", "add", "172.17.0.0/16", "via", "10.99.0.2"]).ok();
    assert_ne!(get(&neighbour, &address).status, 0);
    assert_ne!(neighbour.run(["busybox", "ping", "-c", "1", "-W", "1", &address]).status, 0);
}

fn stopped(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let bridge = host.engine().bridge();
    c.ok("run -itd --name c1 busybox");
    let address = c.address("c1");
    assert_eq!(ports(&host, bridge).len(), 1);
    c.ok("stop -t 0 c1");
    wait_for_ports(&host, bridge, 0);
    assert_eq!(c.address("c1"), "");
    // The address is free again and the next container gets it.
    c.ok("run -itd --name c2 busybox");
    assert_eq!(c.address("c2"), address);
    c.ok("start c1");
    assert_ne!(c.address("c1"), address);
    c.ok(&format!("exec c1 ping -c 1 -W 2 {address}"));
}

fn inspected(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -itd --name c1 busybox");
    c.ok("run -itd --name c2 busybox");
    let bridge = c.run("network inspect bridge").ok().json();
    for (name, address) in [("c1", "172.17.0.2/16"), ("c2", "172.17.0.3/16")] {
        let entry = &bridge[0]["Containers"][c.inspect(name, "{{.Id}}")];
        let mac = c.ok(&format!("exec {name} cat /sys/class/net/eth0/address"));
        assert_eq!(entry["Name"], name);
        assert_eq!(entry["IPv4Address"], address);
        assert_eq!(entry["MacAddress"], mac);
        let endpoint = c.inspect(name, "{{.NetworkSettings.Networks.bridge.EndpointID}}");
        assert_eq!(entry["EndpointID"], endpoint);
    }
    let ipam = &bridge[0]["IPAM"]["Config"][0];
    assert_eq!(ipam["Subnet"], "172.17.0.0/16");
    if host.engine() == EngineKind::Hawser {
        // As Docker does since 28; 20.10 leaves it out when it chose it.
        assert_eq!(ipam["Gateway"], "172.17.0.1");
    }
    let pid = c.inspect("c1", "{{.State.Pid}}");
    host.sh(&format!("test -d /proc/{pid} && test {pid} -gt 1")).ok();
    let networks = c.ok("inspect c1 | grep Networks -A 17");
    assert!(networks.contains(r#""IPAddress": "172.17.0.2""#), "{networks}");
    let all = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    assert_eq!(c.inspect("c1", all), "172.17.0.2");
    // The namespace has a path, and it is the one of the process.
    let key = c.inspect("c1", "{{.NetworkSettings.SandboxKey}}");
    let inode = |path: &str| host.sh(&format!("stat -L -c %i {path}")).ok().text();
    assert_eq!(inode(&key), inode(&format!("/proc/{pid}/ns/net")));
}

fn linked(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -d --name test7 --expose 80 busybox sleep 1000");
    c.ok("run -d --name test8 --link test7 busybox sleep 1000");
    let address = c.address("test7");
    let hosts = c.ok("exec test8 cat /etc/hosts");
    let line = hosts.lines().find(|line| line.starts_with(&address)).unwrap_or_default();
    assert!(line.split_whitespace().any(|word| word == "test7"), "{hosts}");
    c.ok("exec test8 ping -c 1 -W 2 test7");
    let environment = c.ok("exec test8 env");
    for wanted in [
        "TEST7_NAME=/test8/test7".to_owned(),
        format!("TEST7_PORT=tcp://{address}:80"),
        format!("TEST7_PORT_80_TCP=tcp://{address}:80"),
        format!("TEST7_PORT_80_TCP_ADDR={address}"),
        "TEST7_PORT_80_TCP_PORT=80".to_owned(),
        "TEST7_PORT_80_TCP_PROTO=tcp".to_owned(),
    ] {
        assert!(environment.lines().any(|line| line == wanted), "{wanted}:\n{environment}");
    }
    // A link has a direction.
    assert_ne!(c.run("exec test7 ping -c 1 -W 2 test8").status, 0);
    // The target comes back with another address: the entry follows.
    c.ok("stop -t 0 test7");
    c.ok("run -d --name squatter busybox sleep 1000");
    c.ok("start test7");
    let moved = c.address("test7");
    assert_ne!(moved, address);
    eventually("the hosts entry follows", || {
        c.ok("exec test8 cat /etc/hosts").contains(&moved).then_some(())
    });
    c.ok("exec test8 ping -c 1 -W 2 test7");
    // The target gets another name: the link stays.
    assert_eq!(c.inspect("test8", "{{json .HostConfig.Links}}"), r#"["/test7:/test8/test7"]"#);
    c.ok("rename test7 other7");
    assert_eq!(c.inspect("test8", "{{json .HostConfig.Links}}"), r#"["/other7:/test8/test7"]"#);
    c.ok("restart -t 0 test8");
    c.ok("exec test8 ping -c 1 -W 2 test7");
    c.ok("rename other7 test7");
    // An alias, and an unknown target.
    c.ok("run --rm --link test7:db busybox ping -c 1 -W 2 db");
    c.fails("run --rm --link nosuch busybox true", 125, "nosuch");
}
