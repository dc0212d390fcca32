//! `run` and what it promises: the process's surroundings, limits, exit codes, what `--rm` leaves.

use hawser_testkit::{Cli, TestHost, eventually};

use crate::seen::can_be_privileged;

with_both_clients!(
    exit_codes,
    surroundings,
    files_and_users,
    privileges,
    shared_memory,
    limits,
    detached,
    terminal
);

fn exit_codes(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    assert_eq!(c.ok("run --rm busybox echo hello"), "hello");
    c.fails("run --rm busybox sh -c 'echo oops >&2; exit 7'", 7, "oops");
    c.fails("run --rm busybox nosuch", 127, "executable file not found in $PATH");
    c.fails("run --rm busybox /no/such", 127, "no such file or directory");
    c.fails("run --rm busybox /etc/passwd", 126, "permission denied");
    c.fails("run --rm --entrypoint nosuch busybox", 127, "executable file not found in $PATH");
    c.fails("run --rm -w /etc/passwd busybox true", 125, "/etc/passwd is not a directory");
    c.fails("run --rm -u nosuch busybox true", 125, "unable to find user nosuch");
    // Ended by a signal: 128 + its number, as in a shell.
    assert_eq!(c.run("run --rm --init busybox sh -c 'kill -9 $$'").status, 137);
    // Input reaches the process only with -i; both streams come back apart.
    let words =
        ["sh", "-c", &format!("{} run --rm -i busybox sh -c 'cat; echo err >&2'", name(cli))];
    let output = host.run_with_input(words, Some(b"line\n")).ok();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("line\n", "err\n"));
    let words = ["sh", "-c", &format!("{} run --rm busybox cat", name(cli))];
    assert_eq!(host.run_with_input(words, Some(b"line\n")).ok().stdout, "");
    before.assert_restored(&host);
}

/// The client's name in a line of shell.
fn name(cli: Cli) -> String {
    hawser_testkit::program(cli)
}

fn surroundings(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let run = |options: &str, line: &str| c.ok(&format!("run --rm {options} busybox {line}"));
    // Host name: the short id, unless given.
    let id = c.ok("run -d --name c1 busybox sh -c 'hostname; sleep 1000'");
    assert_eq!(c.ok("exec c1 hostname"), id[..12]);
    assert_eq!(run("-h web", "hostname"), "web");
    assert_eq!(run("--hostname web.example.org", "cat /etc/hostname"), "web.example.org");
    let hosts = run("--add-host db:10.1.2.3 -h web", "cat /etc/hosts");
    assert!(hosts.contains("127.0.0.1\tlocalhost"), "{hosts}");
    assert!(hosts.contains("10.1.2.3\tdb"), "{hosts}");
    assert!(hosts.lines().any(|l| l.starts_with("172.17.0.") && l.ends_with("\tweb")), "{hosts}");
    let resolv =
        run("--dns 10.1.1.1 --dns-search example.org --dns-opt ndots:3", "cat /etc/resolv.conf");
    for line in ["nameserver 10.1.1.1", "search example.org", "options ndots:3"] {
        assert!(resolv.lines().any(|l| l == line), "{line}: {resolv}");
    }
    // Environment.
    host.sh(&format!("printf 'C=3\\n# no\\nD\\n' > {}/env", host.files().display())).ok();
    let file = format!("{}/env", host.files().display());
    let env = host.sh(&format!(
        "export B=2 D=4; {} run --rm -e A=1 -e B --env-file {file} busybox env",
        name(cli)
    ));
    let env = env.ok().stdout;
    for line in ["A=1", "B=2", "C=3", "D=4", "HOME=/root"] {
        assert!(env.lines().any(|l| l == line), "{line}: {env}");
    }
    assert!(env.lines().any(|l| l.starts_with("PATH=/usr/local/sbin:")), "{env}");
    assert!(env.lines().any(|l| l.starts_with("HOSTNAME=")), "{env}");
    // Directory, entrypoint, labels, process number one.
    assert_eq!(run("-w /tmp/made/here", "pwd"), "/tmp/made/here");
    assert_eq!(c.ok("run --rm --entrypoint echo busybox a b"), "a b");
    assert_eq!(c.ok("run --rm --entrypoint '' busybox echo c"), "c");
    assert_eq!(run("", "sh -c 'echo $$'"), "1");
    let init = run("--init", "sh -c 'echo $$; cat /proc/1/comm'");
    assert!(init.starts_with(|c: char| c.is_ascii_digit()) && !init.starts_with("1\n"), "{init}");
    c.ok("run -d --name l1 --label a=b --label-file /dev/null busybox sleep 1000");
    assert_eq!(c.ok("ps -q --no-trunc -f label=a=b"), c.inspect("l1", "{{.Id}}"));
    // An id file, for scripts.
    let idfile = format!("{}/cid", host.files().display());
    let id = c.ok(&format!("run -d --cidfile {idfile} busybox sleep 1000"));
    assert_eq!(host.sh(&format!("cat {idfile}")).text(), id);
    c.fails(&format!("run --cidfile {idfile} busybox true"), 125, "cid");
}

fn files_and_users(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let dir = host.files().join("shared");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("from-host"), "one\n").unwrap();
    let shared = dir.display();
    let run = |options: &str, line: &str| c.ok(&format!("run --rm {options} busybox {line}"));
    assert_eq!(run(&format!("-v {shared}:/data"), "cat /data/from-host"), "one");
    run(&format!("-v {shared}:/data"), "sh -c 'echo two > /data/from-inside'");
    assert_eq!(std::fs::read_to_string(dir.join("from-inside")).unwrap(), "two\n");
    let read_only = c.run(&format!("run --rm -v {shared}:/data:ro busybox touch /data/x"));
    read_only.fails(1, "Read-only file system");
    let mount = format!("--mount type=bind,source={shared},target=/data,readonly");
    c.fails(&format!("run --rm {mount} busybox touch /data/x"), 1, "Read-only file system");
    // A single file; a directory of the host that is made because it is missing.
    let file = dir.join("from-host");
    assert_eq!(run(&format!("-v {}:/etc/one:ro", file.display()), "cat /etc/one"), "one");
    run(&format!("-v {shared}/new:/data"), "touch /data/x");
    assert!(dir.join("new/x").exists());
    // tmpfs, read-only root file system.
    let tmpfs = run("--tmpfs /scratch:size=1m,mode=1777", "sh -c 'touch /scratch/x; mount'");
    assert!(tmpfs.contains("tmpfs on /scratch type tmpfs"), "{tmpfs}");
    c.fails("run --rm --read-only busybox touch /x", 1, "Read-only file system");
    run("--read-only --tmpfs /tmp", "touch /tmp/x");
    let shm = run("--shm-size 128m", "df -k /dev/shm");
    assert!(shm.contains("131072"), "{shm}");
    // Users.
    assert_eq!(run("", "id -u"), "0");
    assert_eq!(run("-u 1000:1001", "sh -c 'echo $(id -u) $(id -g)'"), "1000 1001");
    assert_eq!(run("-u nobody", "id -un"), "nobody");
    assert_eq!(run("-u 1:operator", "id -gn"), "operator");
    let groups = run("-u 1000 --group-add 37 --group-add wheel", "id -G");
    assert!(groups.contains("37") && groups.contains("10"), "{groups}");
    // What is written goes with the container, and only with it.
    c.ok("run --name w1 busybox touch /written");
    c.ok("start w1");
    c.fails("run --rm busybox ls /written", 1, "No such file");
}

fn privileges(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let run = |options: &str, line: &str| c.ok(&format!("run --rm {options} busybox {line}"));
    let effective = |options: &str| {
        let status = run(options, "cat /proc/self/status");
        let line = status.lines().find(|line| line.starts_with("CapEff")).unwrap().to_owned();
        u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap()
    };
    // Docker's fourteen.
    assert_eq!(effective(""), 0x0000_0000_a804_25fb);
    assert_eq!(effective("--cap-drop ALL"), 0);
    assert_eq!(effective("--cap-drop ALL --cap-add NET_BIND_SERVICE"), 1 << 10);
    assert_eq!(effective("--cap-add SYS_TIME"), 0xa804_25fb | 1 << 25);
    assert_eq!(effective("-u 1000"), 0);
    let denied = c.run("run --rm busybox ip link add d0 type dummy");
    assert_ne!(denied.status, 0, "{denied}");
    run("--cap-add NET_ADMIN", "ip link set lo down");
    c.fails("run --rm --cap-add NOSUCH busybox true", 125, "NOSUCH");
    // Privileged: all, with the host's devices and a writable /sys.
    if can_be_privileged(&host) {
        let all = effective("--privileged");
        assert!(all & (1 << 21) != 0 && all & (1 << 12) != 0, "{all:x}");
        assert!(run("--privileged", "ls /dev").contains("kmsg"));
        assert!(run("--privileged", "grep -c Seccomp:.0 /proc/self/status").ends_with('1'));
    }
    assert!(!run("", "ls /dev").contains("kmsg"));
    // System call filter, hidden and read-only places.
    assert!(run("", "grep Seccomp: /proc/self/status").ends_with('2'));
    assert!(
        run("--security-opt seccomp=unconfined", "grep Seccomp: /proc/self/status").ends_with('0')
    );
    assert_eq!(run("", "sh -c 'cat /proc/keys /proc/timer_list'"), "");
    c.fails("run --rm busybox sh -c 'echo 1 > /proc/sys/kernel/panic'", 1, "");
    c.fails("run --rm busybox unshare -m true", 1, "not permitted");
    run("--security-opt no-new-privileges", "grep -q 'NoNewPrivs:.1' /proc/self/status");
    assert_eq!(run("--sysctl net.ipv4.ip_forward=0", "cat /proc/sys/net/ipv4/ip_forward"), "0");
    assert_eq!(run("--ulimit nofile=100:200", "sh -c 'ulimit -n'"), "100");
    assert!(run("--device /dev/kmsg", "ls /dev").contains("kmsg"));
    // Namespaces of the host.
    assert_eq!(run("--pid host", "cat /proc/1/comm"), host.sh("cat /proc/1/comm").text());
    assert_eq!(run("--uts host", "hostname"), "testhost");
    let sysctl = "run --rm --net host --sysctl net.ipv4.ip_forward=0 busybox true";
    c.fails(sysctl, 125, "\"net.ipv4.ip_forward\" not allowed in host network namespace");
}

fn shared_memory(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let mounts = |mode: &str| {
        let text = c.ok(&format!("run --rm --ipc {mode} busybox cat /proc/mounts"));
        ["/dev/mqueue", "/dev/shm"].map(|path| text.contains(&format!(" {path} ")))
    };
    assert_eq!(mounts("private"), [true, true]);
    assert_eq!(mounts("none"), [true, false]);
    assert_eq!(mounts("host"), [true, true]);
    c.ok("run -d --name alone busybox sleep 1000");
    c.fails("run --rm --ipc container:alone busybox true", 125, "non-shareable IPC");
    c.ok("run -d --name open --ipc shareable busybox sleep 1000");
    c.ok("run --rm --ipc container:open busybox true");
}

fn limits(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let options = "-m 32m --cpus 0.5 --pids-limit 40 --cpu-shares 512";
    c.ok(&format!("run -d --name c1 {options} busybox sleep 1000"));
    let read = |v1: &str, v2: &str| {
        c.ok(&format!(
            "exec c1 sh -c 'cat /sys/fs/cgroup/{v1} 2>/dev/null || cat /sys/fs/cgroup/{v2}'"
        ))
    };
    assert_eq!(read("memory/memory.limit_in_bytes", "memory.max"), (32 << 20).to_string());
    let quota = read("cpu/cpu.cfs_quota_us", "cpu.max");
    assert_eq!(quota.split(' ').next(), Some("50000"));
    assert_eq!(read("pids/pids.max", "pids.max"), "40");
    // More processes than allowed: fork fails inside, and only there.
    let forks = "i=0; while [ $i -lt 60 ]; do sleep 3 & i=$((i+1)); done";
    let refused = c.run(&format!("exec c1 sh -c '{forks}'"));
    assert!(refused.stderr.contains("can't fork"), "{refused}");
    // More memory than allowed: killed, and said so.
    let hog = "dd if=/dev/zero of=/dev/null bs=200M count=1";
    let killed = c.run(&format!("run --name hog -m 16m --memory-swap 16m busybox {hog}"));
    assert_eq!(killed.status, 137, "{killed}");
    assert_eq!(c.inspect("hog", "{{.State.OOMKilled}} {{.State.ExitCode}}"), "true 137");
    assert_eq!(
        c.inspect("c1", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}"),
        "33554432 500000000"
    );
    c.fails("run --rm -m 1k busybox true", 125, "Minimum memory limit allowed is 6MB");
}

fn detached(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    let id = c.ok("run -d --name c1 busybox sh -c 'echo started; sleep 1000'");
    assert_eq!(id.len(), 64);
    eventually("it runs", || (c.ok("logs c1") == "started").then_some(()));
    assert_eq!(c.ok("ps -q"), id[..12]);
    let row = c.ok("ps --format '{{.Names}} {{.Image}} {{.State}}'");
    assert_eq!(row, "c1 busybox running");
    c.ok("rm -f c1");
    // --rm of a detached one: it goes when its process ends.
    c.ok("run -d --rm --name c2 busybox sleep 0.2");
    eventually("c2 is removed", || c.ok("ps -aq").is_empty().then_some(()));
    // Created, then started with its output.
    c.ok("create --name c3 busybox sh -c 'echo from c3; exit 4'");
    assert_eq!(c.inspect("c3", "{{.State.Status}}"), "created");
    let output = c.run("start -a c3");
    assert_eq!((output.status, output.text().as_str()), (4, "from c3"));
    c.ok("rm c3");
    before.assert_restored(&host);
}

fn terminal(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    let mut shell = c.terminal("run -it --rm --name c1 busybox");
    shell.expect("/ # ");
    shell.type_keys("tty; stty size\n");
    shell.expect("/dev/");
    shell.expect("24 80");
    shell.resize(40, 132);
    eventually("the size follows", || {
        shell.type_keys("stty size\n");
        std::thread::sleep(std::time::Duration::from_millis(100));
        shell.screen().contains("40 132").then_some(())
    });
    // Ctrl-C goes to what runs inside.
    shell.type_keys("sleep 1000\n");
    // Not before the shell has handed the terminal over.
    eventually("it sleeps", || c.ok("exec c1 ps").contains("sleep 1000").then_some(()));
    shell.type_keys("\x03");
    shell.type_keys("echo after-$((40+2))\n");
    shell.expect("after-42");
    shell.type_keys("exit 5\n");
    assert_eq!(shell.finish(), 5);
    before.assert_restored(&host);
}
