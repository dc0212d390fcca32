//! `kill -9` of the daemon and networks: what was acknowledged is there, what is there is known, and
//! what runs does not notice.

use std::sync::atomic::{AtomicBool, Ordering};

use hawser_testkit::{Cli, Client, EngineKind, TestHost};
use serde_json::{Value, json};

/// One network of each kind, with containers on them.
fn one_of_each(c: &Client<'_>) {
    let bridge = "-o com.docker.network.bridge";
    for options in [
        "--subnet 10.1.0.0/24 --gateway 10.1.0.1 --ip-range 10.1.0.128/25 --aux-address a=10.1.0.129 --label a=b plain",
        "--ipv6 --subnet 10.2.0.0/24 --subnet fd02::/64 dual",
        "--ipv4=false --ipv6 six",
        "--internal --subnet 10.3.0.0/24 inside",
        &format!("--subnet 10.4.0.0/24 {bridge}.gateway_mode_ipv4=routed routed"),
        &format!("--subnet 10.5.0.0/24 {bridge}.gateway_mode_ipv4=nat-unprotected open"),
        &format!("--subnet 10.6.0.0/24 {bridge}.enable_icc=false {bridge}.name=brx apart"),
        &format!(
            "--subnet 10.7.0.0/24 {bridge}.enable_ip_masquerade=false {bridge}.inhibit_ipv4=true bare"
        ),
        "--subnet 10.8.0.0/30 --subnet 10.9.0.0/24 -o com.docker.network.driver.mtu=1400 wide",
        "--ipam-driver null unmanaged",
        "--config-only --subnet 10.10.0.0/24 template",
        "--config-from template made",
        "automatic",
    ] {
        c.ok(&format!("network create {options}"));
    }
    c.ok("run -d --name c1 --net plain --ip 10.1.0.9 --network-alias web -p 8088:80 busybox sleep 1000");
    for network in ["dual", "six", "inside", "routed", "unmanaged", "wide"] {
        c.ok(&format!("network connect --alias web {network} c1"));
    }
    c.ok("run -d --name c2 --net dual --link-local-ip 169.254.1.1 -p 8089:80 busybox sleep 1000");
    for network in ["open", "apart", "bare", "made", "automatic", "bridge"] {
        c.ok(&format!("network connect {network} c2"));
    }
    c.ok("run -d --name c3 --net host busybox sleep 1000");
    c.ok("run -d --name c4 --net none busybox sleep 1000");
    c.ok("create --name c5 --net automatic busybox sleep 1000");
}

#[test]
fn all_kinds_are_as_before() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // it has not all of them, nor its own back
    }
    let c = host.docker();
    let empty = host.inventory();
    one_of_each(&c);
    let shown = || {
        let networks = c.ok("network inspect $(docker network ls -q)");
        format!("{networks}{}", c.ok("inspect -f '{{json .NetworkSettings}}' c1 c2 c3 c4 c5"))
    };
    c.ok("exec -d c1 sh -c 'ping -i 0.05 -W 1 10.1.0.1 > /pings'");
    let (before, inventory) = (shown(), host.inventory());
    host.kill_daemon();
    host.start_again();
    assert_eq!(shown(), before);
    inventory.assert_restored(&host);
    host.restart_daemon();
    assert_eq!(shown(), before);
    inventory.assert_restored(&host);
    c.ok("exec c1 killall -INT ping");
    let pings = c.ok("exec c1 cat /pings");
    assert!(none_lost(&pings), "{pings}");
    c.ok("rm -f c1 c2 c3 c4 c5");
    c.ok("network prune -f");
    c.ok("network rm template");
    empty.assert_restored(&host);
}

/// Whether each ping was answered; the last one may be on its way when `ping` is told to end.
fn none_lost(pings: &str) -> bool {
    let answers: Vec<&str> = pings.lines().filter(|line| line.contains(" seq=")).collect();
    let in_order = |(n, line): (usize, &&str)| line.contains(&format!(" seq={n} "));
    let sent = |count: usize| pings.contains(&format!("\n{count} packets transmitted"));
    let (all, but_one) = (answers.len(), answers.len() + 1);
    all > 0 && answers.iter().enumerate().all(in_order) && (sent(all) || sent(but_one))
}

/// Killed in the midst of changes: what was answered is so, and nothing is left without an owner.
#[test]
fn in_the_midst_of_changes() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // its leaks are why hawser exists
    }
    let c = host.client(Cli::Docker);
    let empty = host.inventory();
    c.ok("network create --subnet 10.1.0.0/24 lasting");
    c.ok("run -d --name c1 --net lasting busybox sleep 1000");
    let lasting = host.inventory();
    let http = host.http();
    let post = |path: &str, body: &Value| {
        let json = [("Content-Type", "application/json")];
        let answer = http.try_request("POST", path, &json, body.to_string().as_bytes());
        answer.ok().map(|answer| answer.status)
    };
    for round in 0..8u64 {
        let over = AtomicBool::new(false);
        let made = std::thread::scope(|scope| {
            let changes = scope.spawn(|| {
                let mut made = Vec::new();
                for i in 0..100 {
                    let name = format!("n{round}-{i}");
                    if post("/networks/create", &json!({ "Name": name })) == Some(201) {
                        made.push(name.clone());
                    }
                    let container = json!({ "Container": "c1" });
                    post(&format!("/networks/{name}/connect"), &container);
                    if i % 2 == 1 {
                        post(&format!("/networks/{name}/disconnect"), &container);
                    }
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                }
                made
            });
            std::thread::sleep(std::time::Duration::from_millis(30 + round * 7));
            host.kill_daemon();
            over.store(true, Ordering::Relaxed);
            changes.join().unwrap()
        });
        host.start_again();
        let names = c.ok("network ls --format '{{.Name}}'");
        for name in &made {
            assert!(names.lines().any(|known| known == name), "{name} was made: {names}");
        }
        // Record, host and container agree: each network has its bridge, each place its interface.
        let count = |line: &str| host.sh(line).text().lines().count();
        let bridges = count("ip -o link show type bridge | grep ' br-'");
        assert_eq!(c.ok("network ls -q -f type=custom").lines().count(), bridges);
        let places = c.inspect("c1", "{{len .NetworkSettings.Networks}}");
        assert_eq!(
            c.ok("exec c1 ls /sys/class/net")
                .lines()
                .filter(|l| l.starts_with("eth"))
                .count()
                .to_string(),
            places
        );
        for name in names.lines().filter(|name| name.starts_with('n') && *name != "none") {
            c.run(&format!("network disconnect {name} c1"));
            c.ok(&format!("network rm {name}"));
        }
        lasting.assert_restored(&host);
    }
    c.ok("exec c1 ping -c 1 -W 2 10.1.0.1");
    c.ok("rm -f c1");
    c.ok("network rm lasting");
    empty.assert_restored(&host);
}
