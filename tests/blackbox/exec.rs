//! `exec`: further processes in a running container.

use hawser_testkit::{Cli, TestHost, eventually};

use crate::seen::{by_engine, can_be_privileged};

with_both_clients!(commands, terminals, refused);

fn commands(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -d --name c1 -e A=1 -w /tmp busybox sleep 1000");
    assert_eq!(c.ok("exec c1 pwd"), "/tmp");
    assert_eq!(c.ok("exec -w /etc c1 pwd"), "/etc");
    assert_eq!(c.ok("exec -e B=2 c1 sh -c 'echo $A $B'"), "1 2");
    assert_eq!(c.ok("exec -u nobody c1 id -un"), "nobody");
    assert_eq!(c.ok("exec -u 7:8 c1 sh -c 'echo $(id -u) $(id -g)'"), "7 8");
    assert_eq!(c.run("exec c1 sh -c 'exit 9'").status, 9);
    let both = c.run("exec c1 sh -c 'echo out; echo err >&2'").ok();
    assert_eq!((both.text().as_str(), both.stderr.trim()), ("out", "err"));
    let line = format!("{} exec -i c1 sh -c 'cat; echo end'", hawser_testkit::program(cli));
    let input = vec![b'x'; 300_000];
    let output = host.run_with_input(["sh", "-c", &line], Some(&input)).ok();
    assert_eq!(output.stdout.len(), input.len() + "end\n".len());
    // Beside the process of the container, with its limits and capabilities.
    assert!(c.ok("exec c1 ps").contains("sleep 1000"));
    let denied = c.run("exec c1 ip link set lo down");
    assert_ne!(denied.status, 0, "{denied}");
    if can_be_privileged(&host) {
        c.ok("exec --privileged c1 ip link set lo up");
    }
    // Detached.
    c.ok("exec -d c1 sh -c 'echo done > /tmp/detached'");
    eventually("it was done", || (c.run("exec c1 cat /tmp/detached").status == 0).then_some(()));
    // Many at once.
    let many: Vec<_> = (0..8).map(|n| c.spawn(&format!("exec c1 echo n{n}"))).collect();
    for (n, running) in many.into_iter().enumerate() {
        assert_eq!(running.finish().ok().text(), format!("n{n}"));
    }
}

fn terminals(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -d --name c1 busybox sleep 1000");
    let mut shell = c.terminal("exec -it c1 sh");
    shell.expect("/ # ");
    shell.type_keys("stty size; test -t 0 && echo is-a-$((1))-tty\n");
    shell.expect("24 80");
    shell.expect("is-a-1-tty");
    shell.resize(30, 100);
    eventually("the size follows", || {
        shell.type_keys("stty size\n");
        std::thread::sleep(std::time::Duration::from_millis(100));
        shell.screen().contains("30 100").then_some(())
    });
    shell.type_keys("exit 6\n");
    assert_eq!(shell.finish(), 6);
    // Detach keys leave it running.
    let mut other = c.terminal("exec -it --detach-keys ctrl-x,x c1 sleep 2000");
    eventually("it runs", || c.ok("exec c1 ps").contains("sleep 2000").then_some(()));
    other.type_keys("\x18x");
    other.finish();
    assert!(c.ok("exec c1 ps").contains("sleep 2000"));
}

fn refused(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -d --name c1 busybox sleep 1000");
    let before = host.inventory();
    // dockerd before 23 says 126 for both.
    let not_found = by_engine(&host, "127", "126").parse().unwrap();
    let message = "executable file not found in $PATH";
    c.run("exec c1 nosuch").stdout_or_stderr(message, not_found);
    c.run("exec c1 /etc/passwd").stdout_or_stderr("permission denied", 126);
    c.run("exec -u nosuch c1 true").stdout_or_stderr("unable to find user nosuch", 126);
    c.fails("exec nosuch true", 1, "No such container: nosuch");
    before.assert_restored(&host);
    c.ok("stop -t 0 c1");
    let id = c.inspect("c1", "{{.Id}}");
    let stopped = c.run("exec c1 true");
    assert_eq!(stopped.status, 1, "{stopped}");
    let text = stopped.stderr.to_lowercase();
    assert!(text.contains("is not running") && text.contains(&id), "{stopped}");
}
