//! Section 7: managing networks.
//!
//! What is refused of it is in `network_refusals`, what each option does in `network_create`.

use hawser_testkit::{Cli, EngineKind, TestHost, eventually};

use crate::seen::by_engine;

with_both_clients!(listed, listed_in_columns, inspected, removed, pruned, pruned_by_filter);

fn listed(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let id = c.ok("network create --label tier=db --label env=test alpha");
    c.ok("network create beta");
    let names = |line: &str| {
        let mut names: Vec<String> = c.ok(line).lines().map(str::to_owned).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names("network ls --format '{{.Name}}'"), "alpha beta bridge host none");
    assert_eq!(names("network list --format '{{.Name}}'"), "alpha beta bridge host none");
    let table = c.ok("network ls");
    let header: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["NETWORK", "ID", "NAME", "DRIVER", "SCOPE"]);
    let row: Vec<&str> =
        table.lines().find(|line| line.contains("alpha")).unwrap().split_whitespace().collect();
    assert_eq!(row, [&id[..12], "alpha", "bridge", "local"]);
    let filtered =
        |filter: &str| names(&format!("network ls -f {filter} --format '{{{{.Name}}}}'"));
    assert_eq!(filtered("driver=bridge"), "alpha beta bridge");
    assert_eq!(filtered("driver=host"), "host");
    assert_eq!(filtered(&format!("id={}", &id[..10])), "alpha");
    assert_eq!(filtered("label=tier"), "alpha");
    assert_eq!(filtered("label=tier=db"), "alpha");
    assert_eq!(filtered("label=tier=web"), "");
    assert_eq!(filtered("name=lph"), "alpha");
    assert_eq!(filtered("name=alpha -f name=beta"), "alpha beta");
    assert_eq!(filtered("scope=local"), "alpha beta bridge host none");
    assert_eq!(filtered("scope=swarm"), "");
    assert_eq!(filtered("type=custom"), "alpha beta");
    assert_eq!(filtered("type=builtin"), "bridge host none");
    assert_eq!(filtered("dangling=true"), "alpha beta");
    let message = by_engine(&host, "invalid filter 'nosuch'", "Invalid filter 'nosuch'");
    c.fails("network ls -f nosuch=1", 1, message);
    assert_eq!(c.ok("network ls -q -f name=alpha"), id[..12]);
    assert_eq!(c.ok("network ls -q --no-trunc -f name=alpha"), id);
    let line = c.run("network ls --format json -f name=alpha | head -n 1");
    // Clients before 23 have no `json` format.
    if line.stdout.starts_with('{') {
        assert_eq!(line.json()["Name"], "alpha");
    }
}

/// Every filter's values, and every way to print.
fn listed_in_columns(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let id = c.ok("network create --internal --label tier=db --label env=test alpha");
    c.ok("network create --label tier=web used");
    c.ok("run -d --name c1 --net used busybox sleep 1000");
    let names = |options: &str| {
        let mut names: Vec<String> = c
            .ok(&format!("network ls {options} --format '{{{{.Name}}}}'"))
            .lines()
            .map(str::to_owned)
            .collect();
        names.sort();
        names.join(" ")
    };
    // Before Docker 29 the list knew no containers: every network of the user's dangled.
    let (dangling, others) = match host.engine() {
        EngineKind::Hawser => ("alpha", "bridge host none used"),
        EngineKind::Docker => ("alpha used", "bridge host none"),
    };
    assert_eq!(names("-f dangling=true"), dangling);
    assert_eq!(names("-f dangling=1"), dangling);
    assert_eq!(names("-f dangling=false"), others);
    assert_eq!(names("-f label=tier=db -f label=env=test"), "alpha");
    assert_eq!(names("-f label=tier=db -f label=env=live"), "");
    assert_eq!(names("--filter driver=null"), "none");
    assert_eq!(names("-f driver=null -f driver=host"), "host none");
    assert_eq!(names("-f driver=bridge -f name=us"), "used");
    assert_eq!(names("-f name=^al"), "alpha");
    assert_eq!(names(&format!("-f id={id}")), "alpha");
    assert_eq!(names("-f type=custom -f type=builtin"), "alpha bridge host none used");
    assert_eq!(names("-f name=nosuch"), "");
    assert_eq!(names("-f scope=local -f scope=global"), "alpha bridge host none used");
    let line = |format: &str| c.ok(&format!("network ls -f name=alpha --format '{format}'"));
    assert_eq!(
        line("{{.ID}} {{.Name}}|{{.Driver}}|{{.Scope}}"),
        format!("{} alpha|bridge|local", &id[..12])
    );
    assert_eq!(line("{{.Internal}} {{.IPv6}}"), "true false");
    assert_eq!(line("{{.Label \"tier\"}} {{.Label \"nosuch\"}}"), "db");
    let labels = line("{{.Labels}}");
    let mut labels: Vec<&str> = labels.split(',').collect();
    labels.sort_unstable();
    assert_eq!(labels, ["env=test", "tier=db"]);
    assert!(line("{{.CreatedAt}}").starts_with("20"));
    assert_eq!(c.ok("network ls --no-trunc -f name=alpha --format '{{.ID}}'"), id);
    let table = line("table {{.Name}}\t{{.Driver}}");
    let words: Vec<&str> = table.split_whitespace().collect();
    assert_eq!(words, ["NAME", "DRIVER", "alpha", "bridge"]);
    let untruncated = c.ok("network ls --no-trunc");
    assert!(untruncated.contains(&id), "{untruncated}");
    // In the order of their names, whatever the order they were made in.
    let all = c.ok("network ls --format '{{.Name}}'");
    assert_eq!(all.lines().collect::<Vec<_>>(), ["alpha", "bridge", "host", "none", "used"]);
}

fn inspected(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let id = c.ok("network create alpha");
    let all = c.run("network inspect alpha bridge").ok().json();
    assert_eq!((&all[0]["Name"], &all[1]["Name"]), (&"alpha".into(), &"bridge".into()));
    assert_eq!(all[0]["Id"], id.as_str());
    assert_eq!(all[0]["Driver"], "bridge");
    assert_eq!(all[0]["Scope"], "local");
    assert_eq!(
        c.ok("network inspect -f '{{.Name}} {{.Driver}}' alpha host"),
        "alpha bridge\nhost host"
    );
    assert_eq!(c.ok(&format!("network inspect -f '{{{{.Name}}}}' {}", &id[..8])), "alpha");
    c.ok("network inspect -v alpha");
    let half = c.run("network inspect alpha nosuch");
    assert_eq!(half.status, 1);
    assert_eq!(half.json()[0]["Name"], "alpha");
    // Clients before 23 have words of their own.
    let words = ["network nosuch not found", "No such network: nosuch"];
    assert!(words.iter().any(|words| half.stderr.contains(words)), "{half}");
}

fn removed(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    c.ok("network create alpha");
    c.ok("network create beta");
    c.ok("network create gamma");
    c.ok("run -d --name c1 --net beta busybox sleep 1000");
    // Several at once: it goes on after one that is in use.
    let some = c.run("network rm alpha beta gamma");
    assert_eq!(some.status, 1, "{some}");
    assert_eq!(some.text(), "alpha\ngamma");
    assert!(some.stderr.contains("has active endpoints"), "{some}");
    for name in ["bridge", "host", "none"] {
        let message = format!("{name} is a pre-defined network and cannot be removed");
        c.fails(&format!("network rm {name}"), 1, &message);
    }
    c.fails("network rm nosuch", 1, "nosuch");
    c.ok("rm -f c1");
    c.ok("network remove beta");
    before.assert_restored(&host);
}

fn pruned(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create unused1");
    c.ok("network create unused2");
    c.ok("network create used");
    c.ok("run -d --name c1 --net used busybox sleep 1000");
    // It asks first, and no answer is no.
    let asked = c.run("network prune < /dev/null");
    assert!(asked.stdout.contains("Are you sure you want to continue? [y/N]"), "{asked}");
    c.ok("network inspect unused1 unused2");
    let done = c.ok("network prune -f");
    let mut deleted: Vec<&str> = done.lines().collect();
    assert_eq!(deleted.remove(0), "Deleted Networks:");
    deleted.sort_unstable();
    assert_eq!(deleted, ["unused1", "unused2"]);
    assert_eq!(c.ok("network ls -q -f type=custom").lines().count(), 1);
}

fn pruned_by_filter(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    c.ok("network create --label tier=db db");
    c.ok("network create --label tier=web web");
    c.ok("network create --label keep keep");
    c.ok("network create plain");
    c.ok("create --name idle --net plain busybox true");
    let prune = |filter: &str| {
        let text = c.ok(&format!("network prune -f {filter}"));
        let mut names: Vec<&str> = text.lines().skip(1).filter(|line| !line.is_empty()).collect();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(prune("--filter until=1h"), "");
    assert_eq!(prune("--filter label=nosuch"), "");
    assert_eq!(prune("--filter label=tier=db"), "db");
    assert_eq!(prune("--filter label!=keep --filter label=tier"), "web");
    if host.engine() == EngineKind::Hawser {
        // What a container will want at its next start is in use; Docker takes it away.
        assert_eq!(prune(""), "keep");
        c.ok("rm idle");
        assert_eq!(prune(""), "plain");
    } else {
        assert_eq!(prune(""), "keep plain");
        c.ok("rm idle");
    }
    before.assert_restored(&host);
}

/// Clients that go away in the middle neither stop a change half-way nor let the next one in early.
#[test]
fn clients_that_go_away_spoil_no_change() {
    use std::io::Write as _;
    let host = TestHost::running();
    let socket = host.path(host.engine().socket());
    let create = |i: u32| {
        let ipam = format!("{{\"Config\":[{{\"Subnet\":\"10.7.{i}.0/24\"}}]}}");
        let body = format!("{{\"Name\":\"hasty{i}\",\"IPAM\":{ipam}}}");
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        let (kind, length) = ("application/json", body.len());
        write!(
            stream,
            "POST /networks/create HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        stream
    };
    let hasty = |first: u32| {
        for i in (first..24).step_by(2) {
            let stream = create(i);
            // From before the change has begun to after its end.
            std::thread::sleep(std::time::Duration::from_micros(u64::from(i) * 400));
            drop(stream);
        }
    };
    let c = host.client(Cli::Docker);
    std::thread::scope(|scope| {
        scope.spawn(|| hasty(0));
        scope.spawn(|| hasty(1));
        for i in 0..12 {
            c.ok(&format!("network create --subnet 10.8.{i}.0/24 kept{i}"));
        }
    });
    let count = |line: &str| host.sh(line).text().lines().count();
    // What was asked for and begun is done to its end: every network has its bridge, and back.
    eventually("networks and bridges agree", || {
        let networks = c.ok("network ls -q -f type=custom").lines().count();
        (networks == count("ip -o link show type bridge | grep ' br-'")).then_some(())
    });
    let names = c.ok("network ls --format '{{.Name}}'");
    for i in 0..12 {
        assert!(names.lines().any(|name| name == format!("kept{i}")), "kept{i}: {names}");
    }
    eventually("all of them can go", || {
        c.ok("network prune -f");
        (count("ip -o link show type bridge | grep ' br-' || true") == 0).then_some(())
    });
}
