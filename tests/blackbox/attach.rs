//! `attach`: coming to a running container's streams and leaving them.

use hawser_testkit::{Cli, TestHost, eventually};

with_both_clients!(streams, detach_keys, signals);

fn streams(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -d -i --name c1 busybox sh -c 'while read l; do echo got $l; echo err $l >&2; done; exit 3'");
    let mut first = c.spawn("attach c1");
    let second = c.spawn("attach --no-stdin c1");
    // Both see what comes after they came; an attach says nothing when it is there.
    eventually("both are attached", || {
        first.write("x\n");
        std::thread::sleep(std::time::Duration::from_millis(100));
        (first.stdout().contains("got x") && second.stdout().contains("got x")).then_some(())
    });
    first.write("hello\n");
    first.expect("got hello");
    second.expect("got hello");
    eventually("standard error as well", || first.stderr().contains("err hello").then_some(()));
    assert!(!first.stdout().contains("err"), "{}", first.stdout());
    // The end of input ends the reader (with -i and no --detach: stdin once), the code is passed on.
    drop(first);
    c.ok("kill c1");
    assert_eq!(second.finish().status, 137);
    c.fails("attach c1", 1, "stopped container");
}

fn detach_keys(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let mut shell = c.terminal("run -it --name c1 busybox");
    shell.expect("/ # ");
    shell.type_keys("\x10\x11");
    assert_eq!(shell.finish(), 0);
    assert_eq!(c.inspect("c1", "{{.State.Running}}"), "true");
    let mut again = c.terminal("attach c1");
    eventually("a prompt", || {
        again.type_keys("echo back-$((1+1))\n");
        std::thread::sleep(std::time::Duration::from_millis(100));
        again.screen().contains("back-2").then_some(())
    });
    again.type_keys("\x10\x11");
    again.finish();
    assert_eq!(c.inspect("c1", "{{.State.Running}}"), "true");
    let mut last = c.terminal("attach --detach-keys a,b c1");
    eventually("a prompt", || {
        last.type_keys("echo last-$((1+2))\n");
        std::thread::sleep(std::time::Duration::from_millis(100));
        last.screen().contains("last-3").then_some(())
    });
    last.type_keys("ab");
    last.finish();
    assert_eq!(c.inspect("c1", "{{.State.Running}}"), "true");
    // And the shell's end is the client's.
    let mut end = c.terminal("attach c1");
    eventually("it ends", || {
        end.type_keys("exit 8\n");
        std::thread::sleep(std::time::Duration::from_millis(300));
        (c.inspect("c1", "{{.State.Running}}") == "false").then_some(())
    });
    assert_eq!(end.finish(), 8);
}

fn signals(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    // A signal to the client goes to the container.
    let script = "trap \"echo bye; exit 4\" TERM; echo ready; while :; do sleep 0.1; done";
    let foreground = c.spawn(&format!("run --name c1 busybox sh -c '{script}'"));
    foreground.expect("ready");
    foreground.signal("TERM");
    let output = foreground.finish();
    assert_eq!(output.status, 4, "{output}");
    assert!(output.stdout.contains("bye"), "{output}");
}
