//! The daemon stops, is killed, comes back: containers, networks and traffic are as before.

use hawser_testkit::{Cli, EngineKind, Segment, TestHost, eventually};

use crate::seen::{get, neighbour};

/// How the daemon ends.
#[derive(Clone, Copy)]
enum End {
    Stop,
    Kill,
}

fn end(host: &TestHost, how: End) {
    match how {
        End::Stop => host.stop_daemon(),
        End::Kill => host.kill_daemon(),
    }
}

#[test]
fn everything_is_as_before_a_stop() {
    everything_is_as_before(End::Stop);
}

#[test]
fn everything_is_as_before_a_kill() {
    everything_is_as_before(End::Kill);
}

fn everything_is_as_before(how: End) {
    let segment = Segment::new();
    let neighbour = neighbour(&segment, "10.99.0.3/24");
    let host = TestHost::running();
    host.join_segment(&segment, "wan0", "10.99.0.2/24");
    let c = host.client(Cli::Docker);
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("run -d --name web --net net1 -p 8088:80 busybox httpd -f -p 80 -h /var/www");
    c.ok("run -d --name peer --net net1 busybox sh -c 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done'");
    c.ok("run -itd --name plain busybox");
    c.ok("create --name created busybox true");
    c.run("run --name done busybox sh -c 'exit 7'");
    eventually("it serves", || (get(&neighbour, "10.99.0.2:8088").status == 0).then_some(()));
    let describe = |name: &str| {
        c.inspect(
            name,
            "{{.Id}} {{.State.Status}} {{.State.Pid}} {{.State.StartedAt}} {{.State.ExitCode}} \
                         {{json .NetworkSettings.Networks}} {{json .HostConfig.PortBindings}}",
        )
    };
    let all = ["web", "peer", "plain", "created", "done"];
    let before: Vec<String> = all.iter().map(|name| describe(name)).collect();
    let networks = c.ok("network inspect net1 bridge");
    let inventory = host.inventory();

    end(&host, how);
    // While there is no daemon, the traffic flows.
    get(&neighbour, "10.99.0.2:8088").ok();
    c.fails("ps", 1, "Cannot connect to the Docker daemon");
    host.start_again();

    let after: Vec<String> = all.iter().map(|name| describe(name)).collect();
    assert_eq!(before, after);
    if host.engine() == EngineKind::Hawser {
        // dockerd 20.10 shows gateways that it chose only until it is restarted.
        assert_eq!(c.ok("network inspect net1 bridge"), networks);
        inventory.assert_restored(&host);
    }
    get(&neighbour, "10.99.0.2:8088").ok();
    c.ok("exec peer ping -c 1 -W 2 web");
    c.ok("exec plain ping -c 1 -W 2 172.17.0.1");
    // Logs go on without a hole, and follow again.
    let lines = c.ok("logs peer");
    let numbers: Vec<u32> = lines.lines().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.iter().zip(0..).all(|(line, n)| *line == n), "{lines}");
    let follower = c.spawn("logs -f --tail 1 peer");
    follower.expect(&format!("\n{}\n", numbers.len() + 5));
    // New ones get addresses that are free, and the old ones can be had again.
    c.ok("run -d --name new --net net1 busybox sleep 1000");
    assert_eq!(c.address("new"), "10.5.0.4");
    c.ok("exec new ping -c 1 -W 2 peer");
    // Attach, wait, stop, start.
    let mut shell = c.terminal("attach plain");
    eventually("the shell answers", || {
        shell.type_keys("echo still-$((40+2))\n");
        std::thread::sleep(std::time::Duration::from_millis(100));
        shell.screen().contains("still-42").then_some(())
    });
    let waiting = c.spawn("wait plain");
    std::thread::sleep(std::time::Duration::from_millis(200));
    shell.type_keys("exit 9\n");
    assert_eq!(waiting.finish().ok().text(), "9");
    c.ok("stop -t 0 web");
    c.ok("start web");
    eventually("it serves", || (get(&neighbour, "10.99.0.2:8088").status == 0).then_some(()));
    c.ok("start created");
    assert_eq!(c.ok("wait created"), "0");
}

#[test]
fn a_container_that_lost_the_pin_of_its_namespace_goes_on() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // dockerd 20.10 leaves it without a network
    }
    let c = host.client(Cli::Docker);
    c.ok("network create --ipv6 --subnet 10.5.0.0/24 --subnet fd05::/64 net1");
    c.ok("run -d --name web --net net1 -p 8088:80 busybox httpd -f -p 80 -h /etc");
    c.ok("run -d --name peer --net net1 busybox sleep 1000");
    let links = || c.ok("exec web ip address");
    let (before, inventory) = (links(), host.inventory());
    for all in [false, true] {
        host.kill_daemon();
        host.sh("umount /run/hawser/netns/*").ok();
        if all {
            host.sh("umount -l /run/hawser/netns").ok();
        }
        host.start_again();
        // The process sees the very same interfaces.
        assert_eq!(links(), before);
        inventory.assert_restored(&host);
        c.ok("exec peer wget -q -O- http://web/hostname");
        c.ok("exec web ping -c 1 -W 2 peer");
    }
    c.ok("rm -f web peer");
    c.ok("network rm net1");
}

#[test]
fn what_ended_meanwhile_is_known_afterwards() {
    let host = TestHost::running();
    let c = host.client(Cli::Docker);
    let before = host.inventory();
    c.ok("run -d --name again --restart always busybox sh -c 'sleep 1; exit 1'");
    c.ok("network create --subnet 10.5.0.0/24 apart");
    c.ok("run -d --name short --net apart busybox sh -c 'sleep 1; exit 6'");
    c.ok("run -d --rm --name gone busybox sleep 1");
    let address = c.address("short");
    host.kill_daemon();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    host.start_again();
    eventually("its end is known", || {
        (c.inspect("short", "{{.State.Status}} {{.State.ExitCode}}") == "exited 6").then_some(())
    });
    eventually("it runs again", || {
        (c.run("inspect -f '{{.RestartCount}} {{.State.Running}}' again").ok().text() != "0 false")
            .then_some(())
    });
    eventually("it was removed", || (c.run("inspect gone").status == 1).then_some(()));
    // Its address is free, its veth gone.
    c.ok("run -d --name new --net apart busybox sleep 1000");
    if host.engine() == EngineKind::Hawser {
        // dockerd 20.10 forgets to release it.
        assert_eq!(c.address("short"), "");
        assert_eq!(c.address("new"), address);
    }
    c.ok("rm -f short again new");
    c.ok("network rm apart");
    if host.engine() == EngineKind::Hawser {
        // dockerd 20.10 gives the default bridge a new id at each start.
        before.assert_restored(&host);
    }
}

/// Whoever administers a network can take away what the rest of it stands on. The daemon starts,
/// what can be repaired is, and the others are none the worse.
#[test]
fn drift_does_not_keep_the_daemon_down() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // it repairs no rules
    }
    let c = host.client(Cli::Docker);
    c.ok("run -d --name web -p 8088:80 busybox httpd -f -p 80 -h /var/www");
    c.ok("run -d --name rebel --privileged busybox sleep 1000");
    c.ok("exec rebel ip route flush table main");
    // Where the kernel lets the table have an owner (Linux 5.12), nobody else can do that.
    let flushed = host.run(["nft", "flush", "table", "inet", "hawser"]).status == 0;
    assert_eq!(get(&host, "127.0.0.1:8088").status != 0, flushed);
    host.kill_daemon();
    host.start_again();
    get(&host, "127.0.0.1:8088").ok();
    c.ok("exec web ping -c 1 -W 2 172.17.0.1");
    // It gets all back with its next start.
    c.ok("restart -t 0 rebel");
    c.ok("exec rebel ping -c 1 -W 2 172.17.0.1");
}

/// `kill -9` at any instant leaves nothing without an owner, and loses nothing acknowledged.
#[test]
fn kill_at_any_instant() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // its leaks are why hawser exists
    }
    let c = host.client(Cli::Docker);
    let before = host.inventory();
    for round in 0..8u64 {
        let running =
            c.spawn(&format!("run -d --name k{round} -p {}:80 busybox sleep 1000", 9000 + round));
        std::thread::sleep(std::time::Duration::from_millis(20 + round * 9));
        host.kill_daemon();
        let acknowledged = running.finish().status == 0;
        host.start_again();
        if acknowledged {
            assert_eq!(c.inspect(&format!("k{round}"), "{{.State.Running}}"), "true");
        }
        // Whatever state it is in, it can be removed and made again.
        let removed = c.run(&format!("rm -f k{round}"));
        assert!(removed.status == 0, "{removed}");
        c.ok(&format!("run -d --name k{round} -p {}:80 busybox sleep 1000", 9000 + round));
        c.ok(&format!("rm -f k{round}"));
        before.assert_restored(&host);
    }
}

#[test]
fn daemons_do_not_share_a_data_root() {
    let host = TestHost::running();
    let program = host.engine().program().display().to_string();
    let second = host.run(["timeout", "10", &program, "-H", "unix:///run/second.sock"]);
    assert!(second.status != 0 && second.status != 124, "{second}");
    // And the first is none the worse for it.
    assert_eq!(host.docker().ok("run --rm busybox echo fine"), "fine");
}

/// A port is the daemon's own only while there is one: what took it meanwhile keeps nobody else
/// from having an engine.
#[test]
fn a_port_taken_meanwhile_does_not_keep_the_daemon_down() {
    let host = TestHost::running();
    let c = host.client(Cli::Docker);
    c.ok("run -d --name web -p 8088:80 busybox httpd -f -p 80 -h /var/www");
    c.ok("run -d --name other -p 8089:80 busybox httpd -f -p 80 -h /var/www");
    host.kill_daemon();
    let thief = host.spawn(["busybox", "nc", "-l", "-p", "8088"]);
    eventually("the port is taken", || {
        host.sh("busybox netstat -ltn").text().contains(":8088 ").then_some(())
    });
    host.start_again();
    assert_eq!(c.ok("ps -q").lines().count(), 2);
    c.ok("exec web true");
    get(&host, "127.0.0.1:8089").ok();
    if host.engine() == EngineKind::Hawser {
        let log = host.daemon_log();
        assert!(log.contains("failed to bind host port 0.0.0.0:8088/tcp"), "{log}");
    }
    drop(thief);
    c.ok("restart -t 0 web");
    get(&host, "127.0.0.1:8088").ok();
}
