//! `logs`: what a container has written, and what it goes on writing.

use hawser_testkit::{Cli, TestHost, eventually};

with_both_clients!(read, followed);

fn read(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run --name c1 busybox sh -c 'for i in 1 2 3 4 5; do echo line $i; done; sleep 0.2; echo bad >&2; sleep 0.2; printf tail'");
    let all = c.run("logs c1").ok();
    assert_eq!(all.stdout, "line 1\nline 2\nline 3\nline 4\nline 5\ntail");
    assert_eq!(all.stderr, "bad\n");
    let last = c.run("logs --tail 3 c1").ok();
    assert_eq!((last.stdout.as_str(), last.stderr.as_str()), ("line 5\ntail", "bad\n"));
    assert_eq!(c.run("logs -n 0 c1").ok().stdout, "");
    // Time stamps are RFC 3339 with nanoseconds.
    let stamped = c.ok("logs -t --tail 1 c1");
    let (stamp, text) = stamped.split_once(' ').unwrap();
    assert_eq!(text, "tail");
    assert!(stamp.contains('T') && stamp.ends_with('Z'), "{stamp}");
    assert_eq!(c.ok(&format!("logs --since {stamp} c1")).lines().last(), Some("tail"));
    assert_eq!(c.ok("logs --since 2100-01-01T00:00:00 c1"), "");
    assert_eq!(c.run("logs --until 1h c1").ok().stdout, "");
    c.fails("logs nosuch", 1, "No such container: nosuch");
    // A long line without an end, and bytes that are no text.
    c.ok("run --name long busybox sh -c 'head -c 100000 /dev/zero | tr \"\\0\" x'");
    assert_eq!(c.run("logs long").ok().stdout.len(), 100_000);
    // A terminal's output is one stream.
    c.ok("run -t --name tty busybox sh -c 'echo out; echo err >&2'");
    let tty = c.run("logs tty").ok();
    assert_eq!((tty.stdout.as_str(), tty.stderr.as_str()), ("out\r\nerr\r\n", ""));
    // Logs of the second run follow those of the first.
    c.ok("start -a c1");
    assert_eq!(c.run("logs c1").ok().stdout.matches("line 1").count(), 2);
}

fn followed(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -d --name c1 busybox sh -c 'n=0; while [ $n -lt 100 ]; do echo n$n; n=$((n+1)); sleep 0.05; done'");
    let follower = c.spawn("logs -f c1");
    follower.expect("n5\n");
    let late = c.spawn("logs -f --tail 0 c1");
    late.expect("n");
    c.ok("stop -t 0 c1");
    // It ends with the container, and nothing was lost or doubled.
    let output = follower.finish().ok();
    let lines: Vec<&str> = output.stdout.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(*line, format!("n{index}"));
    }
    assert!(!late.finish().ok().stdout.starts_with("n0\n"));
    eventually("all of it", || (c.run("logs c1").ok().stdout == output.stdout).then_some(()));
}
