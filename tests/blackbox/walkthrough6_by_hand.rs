//! Section 6: plumbing a `none` container by hand.

use hawser_testkit::{Cli, EngineKind, Segment, TestHost};

use crate::seen::{asked_by, link_names, neighbour, serve_on_host};

with_both_clients!(plumbed);

fn plumbed(cli: Cli) {
    let segment = Segment::new();
    let neighbour = neighbour(&segment, "10.99.0.3/24");
    let host = TestHost::new();
    // Docker's default bridge has this name; hawser's can be given it.
    let flags: &[&str] = match host.engine() {
        EngineKind::Hawser => &["--bridge-name", "docker0", "--bip", "172.17.42.1/16"],
        EngineKind::Docker => &["--bip", "172.17.42.1/16"],
    };
    host.start_daemon(flags);
    host.load_busybox();
    host.join_segment(&segment, "wan0", "10.99.0.2/24");
    let c = host.client(cli);
    c.ok("run -itd --name c1 busybox");
    let before = host.inventory();
    let mut shell = c.terminal("run -it --rm --net=none --name byhand busybox /bin/sh");
    shell.expect("/ # ");
    let id = c.ok("ps -lq");
    let pid = c.inspect(&id, "{{.State.Pid}}");
    for line in [
        "mkdir -p /var/run/netns",
        "ln -s /proc/$pid/ns/net /var/run/netns/$pid",
        "ip link add A type veth peer name B",
        "ip link set A master docker0", // as `brctl addif docker0 A`, which fewer machines have
        "ip link set A up",
        "ip link set B netns $pid",
        "ip netns exec $pid ip link set dev B name eth0",
        "ip netns exec $pid ip link set eth0 up",
        "ip netns exec $pid ip addr add 172.17.42.99/16 dev eth0",
        "ip netns exec $pid ip route add default via 172.17.42.1",
    ] {
        host.sh(&format!("pid={pid}; {line}")).ok();
    }
    // The container has the network that the engine would have given it.
    assert_eq!(link_names(&c.ok("exec byhand ip -o link")), ["lo", "eth0"]);
    c.ok("exec byhand ping -c 1 -W 2 172.17.42.1");
    c.ok(&format!("exec byhand ping -c 1 -W 2 {}", c.address("c1")));
    c.ok("exec c1 ping -c 1 -W 2 172.17.42.99");
    let server = serve_on_host(&neighbour, 8000);
    c.ok("exec byhand wget -q -O - http://10.99.0.3:8000/");
    asked_by(&server, "10.99.0.2");
    shell.type_keys("exit\n");
    assert_eq!(shell.finish(), 0);
    host.sh(&format!("rm /var/run/netns/{pid}")).ok();
    before.assert_restored(&host);
}
