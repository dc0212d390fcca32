//! `stats`: what a container uses, by the counters of its cgroup and of its links.

use hawser_testkit::{Cli, TestHost};

with_both_clients!(what_is_used);

fn what_is_used(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create second");
    c.ok("run -d --name busy -m 64m --pids-limit 50 busybox sh -c 'while :; do :; done'");
    c.ok("network connect second busy");
    c.ok("run -d --name idle --net none busybox sleep 1000");
    c.ok("create --name resting busybox true");
    c.ok("exec busy ping -c 3 -i 0.2 -s 1000 172.17.0.1");
    let format = "{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.NetIO}} {{.PIDs}}";
    let rows = c.ok(&format!("stats --no-stream --format '{format}'"));
    let row = |name: &str| {
        rows.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{rows}"))
    };
    let busy: Vec<&str> = row("busy").split(' ').collect();
    let share: f64 = busy[1].trim_end_matches('%').parse().unwrap();
    assert!(share > 5.0, "{rows}");
    assert_eq!(busy[4], "64MiB", "{rows}");
    assert!(busy[5].ends_with("kB") && busy[7].ends_with("kB"), "{rows}");
    assert_eq!(busy[8], "1", "{rows}");
    assert!(row("idle").contains("0B / 0B"), "{rows}");
    assert!(!rows.contains("resting"), "{rows}");
    assert!(c.ok("stats --no-stream -a").contains("resting"));
    let heading = c.ok("stats --no-stream busy");
    assert!(heading.starts_with("CONTAINER ID   NAME      CPU %"), "{heading}");
    c.fails("stats --no-stream nosuch", 1, "No such container: nosuch");

    let sample = host.http().get("/containers/busy/stats?stream=0&one-shot=1").json();
    assert_eq!(sample["preread"], "0001-01-01T00:00:00Z", "{sample}");
    let links = sample["networks"].as_object().unwrap();
    assert_eq!(links.keys().collect::<Vec<_>>(), ["eth0", "eth1"], "{sample}");
    assert!(links["eth0"]["rx_bytes"].as_u64().unwrap() > 3000, "{sample}");
    assert_eq!(sample["memory_stats"]["limit"], 64 << 20, "{sample}");
    assert_eq!(sample["pids_stats"]["limit"], 50, "{sample}");
    let none = host.http().get("/containers/resting/stats?stream=0").json();
    assert_eq!(none["read"], "0001-01-01T00:00:00Z", "{none}");
}
