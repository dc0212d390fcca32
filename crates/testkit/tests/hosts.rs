//! Test hosts themselves: they are machines of their own, and nothing is left of them.

use std::path::Path;

use hawser_testkit::{Segment, TestHost, machine_state};

#[test]
fn a_host_is_a_machine_of_its_own() {
    let host = TestHost::new();
    assert_eq!(host.sh("hostname").ok().text(), "testhost");
    assert_eq!(host.sh("ls /sys/class/net").ok().text(), "lo");
    host.sh("touch /etc/of-the-host /run/of-the-host /var/lib/of-the-host").ok();
    for dir in ["/etc", "/run", "/var/lib"] {
        assert!(!Path::new(dir).join("of-the-host").exists());
        assert!(host.path(dir).join("of-the-host").exists());
    }
    assert_eq!(host.run(["sh", "-c", "exit 7"]).status, 7);
    assert_eq!(host.run(["sh", "-c", "kill -9 $$"]).status, 137);
    let echoed = host.run_with_input(["cat"], Some(b"input")).ok();
    assert_eq!(echoed.stdout, "input");
    // Whoever loses its parent is reaped.
    host.sh("sh -c 'sleep 0.1 & exit'; sleep 0.3; ! ps -e | grep -q defunct").ok();
}

#[test]
fn hosts_on_a_segment_reach_each_other() {
    let segment = Segment::new();
    let (one, two) = (TestHost::new(), TestHost::new());
    one.join_segment(&segment, "wan0", "10.99.0.1/24");
    two.join_segment(&segment, "wan0", "10.99.0.2/24");
    one.run(["busybox", "ping", "-c", "1", "-W", "5", "10.99.0.2"]).ok();
    assert_ne!(one.run(["busybox", "ping", "-c", "1", "-W", "1", "10.99.0.3"]).status, 0);
}

#[test]
fn nothing_is_left_of_a_host() {
    let host = TestHost::new();
    let (files, pid, groups) = (host.files(), host.pid(), host.cgroup_files());
    let mut sleeper = host.spawn(["sleep", "1000"]);
    host.sh("setsid sleep 1000 > /dev/null 2>&1 & ip link add A type dummy; mount -t tmpfs t /mnt")
        .ok();
    assert!(!groups.is_empty() && groups.iter().all(|file| file.exists()));
    drop(host);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(!files.exists());
    assert!(groups.iter().all(|file| !file.exists()));
    hawser_testkit::eventually("its commands end", || sleeper.is_finished().then_some(()));
    let mine = format!("hawser-test-{}-", std::process::id());
    assert!(!machine_state().unwrap().contains(&mine));
}

#[test]
fn a_terminal_is_one() {
    let host = TestHost::new();
    let mut terminal = host.terminal(["sh"]);
    terminal.type_keys("stty size; tty\n");
    terminal.expect("24 80");
    terminal.expect("/dev/pts/");
    terminal.resize(10, 20);
    terminal.type_keys("stty size\nexit 4\n");
    terminal.expect("10 20");
    assert_eq!(terminal.finish(), 4);
}
