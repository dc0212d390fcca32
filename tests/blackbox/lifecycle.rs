//! A container's life: start, stop, kill, wait, restart policies, rename, pause, events, listings.

use hawser_testkit::{Cli, TestHost, eventually};

use crate::seen::by_engine;

with_both_clients!(stopping, policies, waiting, listing, events);

fn stopping(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let polite = "trap \"exit 3\" TERM; trap \"exit 5\" USR1; while :; do sleep 0.1; done";
    c.ok(&format!("run -d --name polite busybox sh -c '{polite}'"));
    c.ok("stop polite");
    assert_eq!(c.inspect("polite", "{{.State.Status}} {{.State.ExitCode}}"), "exited 3");
    c.ok("stop polite"); // once more is no error
    c.ok(&format!("run -d --name other --stop-signal USR1 busybox sh -c '{polite}'"));
    c.ok("stop other");
    assert_eq!(c.inspect("other", "{{.State.ExitCode}}"), "5");
    // Who does not listen is killed when the time is over.
    c.ok("run -d --name deaf --stop-timeout 1 busybox sh -c 'trap \"\" TERM; while :; do sleep 1; done'");
    let start = std::time::Instant::now();
    c.ok("stop deaf");
    let took = start.elapsed().as_millis();
    assert!((900..6000).contains(&took), "{took} ms");
    assert_eq!(c.inspect("deaf", "{{.State.ExitCode}}"), "137");
    c.ok("start deaf");
    c.ok("kill deaf");
    eventually("dead", || (c.inspect("deaf", "{{.State.Running}}") == "false").then_some(()));
    c.fails("kill deaf", 1, "is not running");
    c.ok("start polite");
    c.ok("kill -s USR1 polite");
    eventually("ended", || (c.inspect("polite", "{{.State.ExitCode}}") == "5").then_some(()));
    // Pause, rename, restart, remove.
    c.ok("restart polite");
    c.ok("pause polite");
    assert_eq!(c.inspect("polite", "{{.State.Status}}"), "paused");
    c.ok("unpause polite");
    c.ok("rename polite courteous");
    assert_eq!(c.inspect("courteous", "{{.Name}} {{.State.Status}}"), "/courteous running");
    let pid = c.inspect("courteous", "{{.State.Pid}}");
    c.ok("restart courteous");
    assert_ne!(c.inspect("courteous", "{{.State.Pid}}"), pid);
    let refused = c.run("rm courteous");
    assert_eq!(refused.status, 1, "{refused}");
    let running = by_engine(&host, "container is running: stop the container", "running container");
    assert!(refused.stderr.contains(running), "{refused}");
    c.ok("rm -f courteous");
    assert_eq!(c.ok("rm other deaf").lines().count(), 2);
}

fn policies(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let count = |name: &str| c.inspect(name, "{{.RestartCount}}").parse::<u32>().unwrap();
    // on-failure:2: three runs, then it stays down.
    c.ok("run -d --name fails --restart on-failure:2 busybox sh -c 'echo run; exit 1'");
    eventually("it gave up", || {
        (c.inspect("fails", "{{.State.Status}}") == "exited" && count("fails") == 2).then_some(())
    });
    assert_eq!(c.ok("logs fails").lines().count(), 3);
    // on-failure: success is the end.
    c.ok("run -d --name good --restart on-failure busybox true");
    eventually("it ended", || (c.inspect("good", "{{.State.Status}}") == "exited").then_some(()));
    assert_eq!(count("good"), 0);
    // always: comes back, until it is stopped.
    c.ok("run -d --name stays --restart always busybox sh -c 'echo up; sleep 0.3'");
    eventually("it came back", || (count("stays") >= 2).then_some(()));
    c.ok("stop -t 0 stays");
    let runs = c.ok("logs stays").lines().count();
    std::thread::sleep(std::time::Duration::from_millis(800));
    assert_eq!(c.ok("logs stays").lines().count(), runs);
    assert_eq!(c.inspect("stays", "{{.State.Status}}"), "exited");
    // It keeps its network when it comes back.
    c.ok("run -d --name net --restart always busybox sh -c 'sleep 0.5'");
    eventually("it came back", || (count("net") >= 1).then_some(()));
    eventually("with an address", || c.address("net").starts_with("172.17.").then_some(()));
    c.ok("rm -f net");
    c.fails("run --rm --restart always busybox true", 125, "--rm");
    c.fails("run --restart nosuch busybox true", 125, "nosuch");
}

fn waiting(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -d --name w1 busybox sh -c 'sleep 0.5; exit 3'");
    c.ok("run -d --name w2 busybox sh -c 'exit 4'");
    assert_eq!(c.ok("wait w1 w2"), "3\n4");
    assert_eq!(c.ok("wait w1"), "3"); // it has ended already
    c.fails("wait nosuch", 1, "No such container: nosuch");
    c.ok("run -d --name w3 busybox sleep 1000");
    let waiting = c.spawn("wait w3");
    std::thread::sleep(std::time::Duration::from_millis(200));
    c.ok("rm -f w3");
    assert_eq!(waiting.finish().ok().text(), "137");
}

fn listing(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -d --name one --label k=v busybox sleep 1000");
    assert_eq!(c.run("run --name two busybox sh -c 'exit 3'").status, 3);
    c.ok("create --name three busybox true");
    let names = |options: &str| {
        let text = c.ok(&format!("ps {options} --format '{{{{.Names}}}}'"));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(""), "one");
    assert_eq!(names("-a"), "three two one");
    assert_eq!(names("-n 2"), "three two");
    assert_eq!(names("-l"), "three");
    assert_eq!(names("-a -f status=exited"), "two");
    assert_eq!(names("-a -f exited=3"), "two");
    assert_eq!(names("-f label=k=v"), "one");
    assert_eq!(names("-a -f name=t"), "three two");
    assert_eq!(names("-a -f ancestor=busybox"), "three two one");
    assert_eq!(names("-a -f before=two"), "one");
    assert_eq!(names("-a -f since=two"), "three");
    assert_eq!(names("-f network=bridge"), "one");
    let table = c.ok("ps -a");
    assert!(table.lines().next().unwrap().starts_with("CONTAINER ID   IMAGE"), "{table}");
    assert!(table.contains("Exited (3)") && table.contains("Created"), "{table}");
    assert_eq!(c.ok("container ls -aq").lines().count(), 3);
    let row = c.ok("ps -f name=one");
    assert!(row.contains(r#""sleep 1000""#) && row.contains("Up "), "{row}");
    let top = c.ok("top one");
    assert!(top.contains("sleep 1000"), "{top}");
}

fn events(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let watcher = c.spawn("events --format '{{.Type}} {{.Action}}'");
    // An event stream says nothing until something happens.
    eventually("the stream is open", || {
        c.ok("network create probe");
        c.ok("network rm probe");
        watcher.stdout().contains("network create").then_some(())
    });
    c.ok("run --rm --name c1 busybox true");
    for event in [
        "container create",
        "network connect",
        "container start",
        "container die",
        "network disconnect",
        "container destroy",
    ] {
        watcher.expect(event);
    }
    // Clients say a past instant in whole seconds.
    let past = "events --since 1h --until 0s --filter type=container --format '{{.Action}}'";
    let past = eventually("the past is told", || {
        let text = c.ok(past);
        text.contains("destroy").then_some(text)
    });
    let actions: Vec<&str> = past.lines().collect();
    let order: Vec<usize> = ["create", "start", "die", "destroy"]
        .iter()
        .map(|wanted| match actions.iter().position(|action| action == wanted) {
            Some(index) => index,
            None => panic!("no {wanted} in {past:?}"),
        })
        .collect();
    assert!(order.is_sorted(), "{past}");
}

/// A check that hangs is ended: else there would be one more of it with every check.
#[test]
fn hanging_health_checks_do_not_pile_up() {
    let host = TestHost::running();
    let c = host.client(Cli::Docker);
    c.ok("run -d --name c1 --health-cmd 'exec sleep 1234' --health-interval 100ms \
          --health-timeout 100ms --health-retries 3 busybox sleep 1000");
    eventually("it is unhealthy", || {
        (c.inspect("c1", "{{.State.Health.Status}} {{len .State.Health.Log}}") == "unhealthy 5")
            .then_some(())
    });
    let hanging = c.ok("top c1").lines().filter(|line| line.contains("sleep 1234")).count();
    assert!(hanging <= 2, "{hanging}");
    assert!(
        c.inspect("c1", "{{json .State.Health.Log}}").contains("Health check exceeded timeout")
    );
}

/// Who asked for a stop need not stay: it is killed when its time is over all the same.
#[test]
fn a_stop_goes_on_without_its_client() {
    use std::io::Write as _;
    let host = TestHost::running();
    let c = host.client(Cli::Docker);
    c.ok("run -d --name c1 busybox sh -c 'trap \"\" TERM; while :; do sleep 0.1; done'");
    let mut client =
        std::os::unix::net::UnixStream::connect(host.path(host.engine().socket())).unwrap();
    write!(client, "POST /containers/c1/stop?t=1 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    drop(client);
    eventually("it is stopped", || {
        (c.inspect("c1", "{{.State.Status}}") == "exited").then_some(())
    });
}
