//! Section 5: sharing a network namespace, and what stopping its owner does.

use hawser_testkit::{Cli, TestHost, eventually};

use crate::seen::link_names;

with_both_clients!(shared, networks_of_the_owner);

fn shared(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    c.ok("run -itd --name netcontainer1 busybox");
    c.ok("run -itd --name netcontainer2 --network container:netcontainer1 busybox");
    let eth0 = |name: &str| c.ok(&format!("exec {name} ip -o addr show eth0"));
    let mac = |name: &str| c.ok(&format!("exec {name} cat /sys/class/net/eth0/address"));
    assert_eq!(eth0("netcontainer1"), eth0("netcontainer2"));
    assert_eq!(mac("netcontainer1"), mac("netcontainer2"));
    // The owner stops: the other one runs on, with `lo` alone.
    c.ok("stop -t 1 netcontainer1");
    eventually("eth0 is gone", || {
        (link_names(&c.ok("exec netcontainer2 ip -o link")) == ["lo"]).then_some(())
    });
    assert_eq!(c.inspect("netcontainer2", "{{.State.Running}}"), "true");
    // Restarting both brings the network back in both.
    c.ok("restart -t 0 netcontainer1");
    c.ok("restart -t 0 netcontainer2");
    assert_eq!(link_names(&c.ok("exec netcontainer2 ip -o link")), ["lo", "eth0"]);
    assert_eq!(eth0("netcontainer1"), eth0("netcontainer2"));
    c.ok("exec netcontainer2 ping -c 1 -W 2 172.17.0.1");
    // One that joins a stopped or unknown container is refused.
    c.ok("stop -t 0 netcontainer1");
    let late = c.run("run --rm --net container:netcontainer1 busybox true");
    assert_eq!(late.status, 125, "{late}");
    assert!(late.stderr.contains("non running container"), "{late}");
    c.fails("run --rm --net container:nosuch busybox true", 125, "No such container: nosuch");
    c.ok("rm -f netcontainer1 netcontainer2");
    before.assert_restored(&host);
}

/// What happens to the owner's networks is seen in both, and a killed daemon changes nothing.
fn networks_of_the_owner(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("run -itd --name owner busybox");
    c.ok("run -itd --name guest --network container:owner busybox");
    c.ok("network connect --alias both net1 owner");
    for name in ["owner", "guest"] {
        let seen = c.ok(&format!("exec {name} ip -o -4 addr show eth1"));
        assert!(seen.contains("10.5.0.2/24"), "{seen}");
        c.ok(&format!("exec {name} ping -c 1 -W 2 10.5.0.1"));
    }
    c.ok("run --rm --net net1 busybox ping -c 1 -W 2 both");
    let members = "{{range .Containers}}{{.Name}} {{end}}";
    assert_eq!(c.ok(&format!("network inspect -f '{members}' net1")), "owner");
    host.kill_daemon();
    host.start_again();
    c.ok("exec guest ping -c 1 -W 2 10.5.0.1");
    c.ok("network disconnect net1 owner");
    assert_eq!(link_names(&c.ok("exec guest ip -o link")), ["lo", "eth0"]);
    assert_eq!(c.inspect("guest", "{{json .NetworkSettings.Networks}}"), "{}");
    c.ok("rm -f owner guest");
}

/// The machine restarts: everything is started at once, an owner of a namespace before who shares it.
#[test]
fn owners_start_first() {
    let host = TestHost::running();
    let c = host.docker();
    c.ok("run -d --name owner --restart always busybox sleep 1000");
    let sharing = "--restart always --network container:owner";
    c.ok(&format!("run -d --name shares1 {sharing} busybox sleep 1000"));
    c.ok(&format!("run -d --name shares2 {sharing} busybox sleep 1000"));
    c.ok("run -d --name linked --restart always --link owner busybox sleep 1000");
    let all = ["owner", "shares1", "shares2", "linked"];
    let pids = c.ok(&format!("inspect -f '{{{{.State.Pid}}}}' {}", all.join(" ")));
    host.kill_daemon();
    host.sh(&format!("kill -9 {}", pids.replace('\n', " "))).ok();
    host.start_again();
    for name in all {
        eventually("it runs again", || {
            let state = c.inspect(name, "{{.State.Status}} {{.State.Pid}}");
            let pid = state.strip_prefix("running ")?;
            (!pids.lines().any(|old| old == pid)).then_some(())
        });
    }
    let address = c.address("owner");
    for name in ["shares1", "shares2"] {
        let shown = c.ok(&format!("exec {name} ip -o -4 addr show eth0"));
        assert!(shown.contains(&address), "{shown}");
    }
    c.ok("exec linked ping -c 1 -W 2 owner");
}
