//! Containers from create to delete, with the real `conmon` and `crun`.

mod support;

use std::time::Duration;

use hawser_runtime::{
    CreateError, ExecSpec, Failure, LogOptions, Mount, Namespace, Propagation, Runtime, Status,
    TerminalSize,
};
use support::{everything, mount_points, on_test_host, read_all, read_until};

#[test]
fn exit_codes_output_and_log() {
    on_test_host(async |host| {
        let (stdout, stderr, exit) =
            host.run(host.shell("c1", "echo out; echo err >&2; exit 7")).await;
        assert_eq!((stdout.as_str(), stderr.as_str(), exit.code), ("out\n", "err\n", 7));
        assert!(!exit.oom_killed);
        let log = host.log("c1", everything()).await;
        assert!(log.contains("out\n") && log.contains("err\n"), "{log}");
        assert_eq!(host.log("c1", LogOptions { stdout: false, ..everything() }).await, "err\n");
        let (_, _, exit) = host.run(host.command("c1", &["echo", "again"])).await;
        assert_eq!(exit.code, 0);
        assert!(host.log("c1", everything()).await.ends_with("again\n"));
        assert_eq!(host.log("c1", everything()).await.len(), "out\nerr\nagain\n".len());
    });
}

#[test]
fn the_same_place_as_dockers() {
    on_test_host(async |host| {
        let mut bundle = host.shell(
            "c1",
            "hostname; pwd; busybox tr '\\0' '\\n' </proc/1/environ; id; ls /dev; mount",
        );
        bundle.process.cwd = "/newdir/below".into();
        bundle.process.env = vec!["A=b".into()];
        bundle.hostname = "hosty".into();
        let (stdout, stderr, exit) = host.run(bundle).await;
        assert_eq!((exit.code, stderr.as_str()), (0, ""), "{stdout}");
        assert!(stdout.starts_with("hosty\n/newdir/below\n"), "{stdout}");
        let place =
            |text: &str| stdout.find(text).unwrap_or_else(|| panic!("no {text} in {stdout}"));
        assert!(place("PATH=/usr/local/sbin") < place("HOSTNAME=hosty"));
        assert!(place("HOSTNAME=hosty") < place("A=b"));
        place("HOME=/root");
        place("uid=0(root) gid=0(root) groups=0(root),10(wheel)");
        for text in
            ["\nnull\n", "\nptmx\n", "sysfs (ro", "shm on /dev/shm type tmpfs", "size=65536k)"]
        {
            place(text);
        }
        assert!(!stdout.contains("/sys/fs/cgroup/unified"), "{stdout}");
    });
}

#[test]
fn what_cannot_start_says_so_in_dockers_words() {
    on_test_host(async |host| {
        let cases = [
            (
                vec!["nosuch"],
                Failure::NotFound,
                127,
                r#"exec: "nosuch": executable file not found in $PATH: unknown"#,
            ),
            (
                vec!["/no/such"],
                Failure::NotFound,
                127,
                r#"exec: "/no/such": stat /no/such: no such file or directory: unknown"#,
            ),
            (
                vec!["/etc/notexec"],
                Failure::NotExecutable,
                126,
                r#"exec: "/etc/notexec": permission denied: unknown"#,
            ),
            (vec!["/etc"], Failure::NotExecutable, 126, r#"exec: "/etc": is a directory: unknown"#),
        ];
        for (args, kind, code, text) in cases {
            let error = host.runtime.create(host.command("c1", &args)).await.unwrap_err();
            let start = "failed to create task for container: failed to create shim task: OCI runtime create failed: \
                         crun create failed: unable to start container process: ";
            assert_eq!(error.to_string(), format!("{start}{text}"));
            assert_eq!(error.exit_code(), code);
            assert!(matches!(error, CreateError::Runtime { failure, .. } if failure == kind));
            assert!(!host.config.exec_root.join("containers/c1").exists());
        }
        let mut bundle = host.command("c1", &["true"]);
        bundle.process.user = "nobody".into();
        let error = host.runtime.create(bundle).await.unwrap_err().to_string();
        assert_eq!(error, "unable to find user nobody: no matching entries in passwd file");
    });
}

#[test]
fn input_output_and_the_end_of_input() {
    on_test_host(async |host| {
        let mut bundle = host.command("c1", &["cat"]);
        bundle.process.stdin = true;
        bundle.process.stdin_once = true;
        host.runtime.create(bundle).await.unwrap();
        let mut one = host.runtime.attach("c1", true).await.unwrap();
        let mut two = host.runtime.attach("c1", false).await.unwrap();
        let watcher = host.runtime.attach("c1", false).await.unwrap();
        host.runtime.start("c1").await.unwrap();
        one.input.write(b"hello\n").await.unwrap();
        assert_eq!(read_until(&mut one, "hello\n").await, "hello\n");
        // A client that only watched does not close the input by going away.
        drop(watcher);
        tokio::time::sleep(Duration::from_millis(50)).await;
        let long = "x".repeat(100_000);
        let mut input = one.input.clone();
        let writer = tokio::spawn({
            let long = long.clone();
            async move {
                input.write(long.as_bytes()).await.unwrap();
                input.close();
                input = input.clone();
                drop(input);
            }
        });
        let (first, second) = tokio::join!(read_all(&mut one), read_all(&mut two));
        writer.await.unwrap();
        assert_eq!(first.0.len(), long.len());
        assert_eq!(second.0, format!("hello\n{long}"));
        assert_eq!(host.runtime.wait("c1").await.unwrap().code, 0);
        host.runtime.delete("c1").await.unwrap();
    });
}

#[test]
fn a_terminal_has_a_size_that_changes() {
    on_test_host(async |host| {
        let mut bundle = host.shell("c1", "tty; stty size; read line; stty size; echo $TERM");
        bundle.process.tty = true;
        bundle.process.stdin = true;
        bundle.process.size = Some(TerminalSize { width: 91, height: 17 });
        host.runtime.create(bundle).await.unwrap();
        let mut attachment = host.runtime.attach("c1", true).await.unwrap();
        host.runtime.start("c1").await.unwrap();
        let text = read_until(&mut attachment, "17 91\r\n").await;
        assert!(text.contains("/dev/pts/0\r\n"), "{text}");
        host.runtime.resize("c1", TerminalSize { width: 101, height: 33 }).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        attachment.input.write(b"\n").await.unwrap();
        let (rest, _) = read_all(&mut attachment).await;
        assert!(rest.contains("33 101\r\n") && rest.contains("xterm\r\n"), "{rest}");
        assert_eq!(host.runtime.wait("c1").await.unwrap().code, 0);
        host.runtime.delete("c1").await.unwrap();
    });
}

#[test]
fn kill_pause_and_status() {
    on_test_host(async |host| {
        host.runtime.create(host.command("c1", &["sleep", "100"])).await.unwrap();
        assert_eq!(host.runtime.status("c1").await.unwrap(), Status::Created);
        host.runtime.start("c1").await.unwrap();
        assert_eq!(host.runtime.status("c1").await.unwrap(), Status::Running);
        host.runtime.pause("c1").await.unwrap();
        assert_eq!(host.runtime.status("c1").await.unwrap(), Status::Paused);
        host.runtime.resume("c1").await.unwrap();
        let pid = host.runtime.pid("c1").unwrap();
        assert_eq!(host.runtime.processes("c1").unwrap(), [pid]);
        assert!(host.runtime.kill("c1", 33).is_err());
        host.runtime.kill("c1", 9).unwrap();
        let (one, two) = tokio::join!(host.runtime.wait("c1"), host.runtime.wait("c1"));
        assert_eq!((one.unwrap().code, two.unwrap().code), (137, 137));
        assert_eq!(host.runtime.status("c1").await.unwrap(), Status::Stopped);
        host.runtime.kill("c1", 15).unwrap();
        host.runtime.delete("c1").await.unwrap();
        host.runtime.delete("c1").await.unwrap();
        assert!(host.runtime.wait("c1").await.is_err());
    });
}

#[test]
fn delete_ends_what_runs_or_never_started() {
    on_test_host(async |host| {
        host.runtime.create(host.command("created", &["true"])).await.unwrap();
        host.runtime.delete("created").await.unwrap();
        host.runtime.create(host.shell("running", "sleep 100 & sleep 100")).await.unwrap();
        host.runtime.start("running").await.unwrap();
        host.runtime.delete("running").await.unwrap();
    });
}

#[test]
fn the_second_container_is_filtered_as_the_first() {
    on_test_host(async |host| {
        let script = "while read l; do case $l in Seccomp:*) echo $l; esac; done </proc/self/status; \
                      sleep 0.2; unshare -m true || echo refused";
        for id in ["c1", "c2"] {
            host.runtime.create(host.command(id, &["sleep", "100"])).await.unwrap();
            host.runtime.start(id).await.unwrap();
            let mut session = host.runtime.exec(id, exec(&["sh", "-c", script])).await.unwrap();
            assert_eq!(read_all(&mut session.attachment).await.0, "Seccomp: 2\nrefused\n");
            host.runtime.delete(id).await.unwrap();
            let (stdout, _, _) = host.run(host.shell(id, script)).await;
            assert_eq!(stdout, "Seccomp: 2\nrefused\n");
        }
    });
}

fn exec(args: &[&str]) -> ExecSpec {
    ExecSpec { args: args.iter().map(ToString::to_string).collect(), ..ExecSpec::default() }
}

#[test]
fn commands_in_a_container() {
    on_test_host(async |host| {
        let mut bundle = host.command("c1", &["sleep", "100"]);
        bundle.process.env = vec!["OWN=1".into()];
        host.runtime.create(bundle).await.unwrap();
        host.runtime.start("c1").await.unwrap();
        let mut spec = exec(&["sh", "-c", "echo $OWN $MORE; pwd; id -u; echo err >&2; exit 9"]);
        spec.env = vec!["MORE=2".into()];
        spec.cwd = "/tmp".into();
        spec.user = "web".into();
        let mut session = host.runtime.exec("c1", spec).await.unwrap();
        let (stdout, stderr) = read_all(&mut session.attachment).await;
        assert_eq!((stdout.as_str(), stderr.as_str()), ("1 2\n/tmp\n33\n", "err\n"));
        assert_eq!(session.exec.wait().await, 9);
        assert_eq!(session.exec.exit_code(), Some(9));

        let mut session =
            host.runtime.exec("c1", ExecSpec { stdin: true, ..exec(&["cat"]) }).await.unwrap();
        session.attachment.input.write(b"in\n").await.unwrap();
        session.attachment.input.close();
        assert_eq!(read_all(&mut session.attachment).await.0, "in\n");
        assert_eq!(session.exec.wait().await, 0);
        host.runtime.delete("c1").await.unwrap();
    });
}

#[test]
fn commands_with_a_terminal_and_detached_ones() {
    on_test_host(async |host| {
        host.runtime.create(host.command("c1", &["sleep", "100"])).await.unwrap();
        host.runtime.start("c1").await.unwrap();
        let spec = ExecSpec {
            tty: true,
            stdin: true,
            size: Some(TerminalSize { width: 70, height: 20 }),
            ..exec(&["sh", "-c", "sleep 0.2; stty size; read line; stty size; exit 3"])
        };
        let mut session = host.runtime.exec("c1", spec).await.unwrap();
        read_until(&mut session.attachment, "20 70\r\n").await;
        session.exec.resize(TerminalSize { width: 80, height: 25 }).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        session.attachment.input.write(b"\n").await.unwrap();
        let (rest, _) = read_all(&mut session.attachment).await;
        assert!(rest.contains("25 80\r\n"), "{rest}");
        assert_eq!(session.exec.wait().await, 3);

        let spec = exec(&["sh", "-c", "echo nobody listens; echo done > /tmp/detached; exit 4"]);
        let session = host.runtime.exec("c1", spec).await.unwrap();
        drop(session.attachment);
        assert_eq!(session.exec.wait().await, 4);
        let written = std::fs::read_to_string(host.path("rootfs/tmp/detached")).unwrap();
        assert_eq!(written, "done\n");
        host.runtime.delete("c1").await.unwrap();
    });
}

#[test]
fn commands_that_cannot_start() {
    on_test_host(async |host| {
        host.runtime.create(host.command("c1", &["sleep", "100"])).await.unwrap();
        host.runtime.start("c1").await.unwrap();
        for tty in [false, true] {
            let spec = ExecSpec { tty, ..exec(&["nosuch"]) };
            let error = host.runtime.exec("c1", spec).await.unwrap_err();
            let text = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"nosuch\": \
                        executable file not found in $PATH: unknown";
            assert_eq!((error.to_string().as_str(), error.exit_code()), (text, 127));
        }
        let error = host.runtime.exec("c1", exec(&["/etc/notexec"])).await.unwrap_err();
        assert_eq!(error.exit_code(), 126);
        let spec = ExecSpec { user: "nobody".into(), ..exec(&["true"]) };
        let error = host.runtime.exec("c1", spec).await.unwrap_err().to_string();
        assert_eq!(error, "unable to find user nobody: no matching entries in passwd file");
        host.runtime.delete("c1").await.unwrap();
        assert!(host.runtime.exec("c1", exec(&["true"])).await.is_err());
    });
}

#[test]
fn a_daemon_that_starts_again_finds_what_runs_and_how_the_rest_ended() {
    on_test_host(async |host| {
        let running = host.runtime.create(host.command("runs", &["sleep", "100"])).await.unwrap();
        let ended = host.runtime.create(host.shell("ended", "exit 5")).await.unwrap();
        host.runtime.start("runs").await.unwrap();
        host.runtime.start("ended").await.unwrap();
        host.runtime.wait("ended").await.unwrap();

        let again = Runtime::new(host.config.clone()).await.unwrap();
        assert!(again.reattach("runs", &running).await.unwrap());
        assert!(!again.reattach("ended", &ended).await.unwrap());
        assert_eq!(again.wait("ended").await.unwrap().code, 5);
        let mut reused = running.clone();
        reused.conmon.start += 1;
        reused.process.start += 1;
        assert!(!again.reattach("reused", &reused).await.unwrap());

        let mut session = again.exec("runs", exec(&["echo", "hi"])).await.unwrap();
        assert_eq!(read_all(&mut session.attachment).await.0, "hi\n");
        again.kill("runs", 9).unwrap();
        assert_eq!(again.wait("runs").await.unwrap().code, 137);
        for id in ["runs", "ended", "reused"] {
            again.delete(id).await.unwrap();
        }
    });
}

#[test]
fn a_log_is_followed_to_the_end() {
    on_test_host(async |host| {
        let script = "for i in 1 2 3; do echo $i; sleep 0.1; done; echo -n end";
        host.runtime.create(host.shell("c1", script)).await.unwrap();
        let options = LogOptions { follow: true, ..everything() };
        let reading = host.log("c1", options);
        let starting = host.runtime.start("c1");
        let (text, started) = tokio::join!(reading, starting);
        started.unwrap();
        assert_eq!(text, "1\n2\n3\nend");
        let tail = LogOptions { tail: Some(2), ..everything() };
        assert_eq!(host.log("c1", tail).await, "3\nend");
        host.runtime.delete("c1").await.unwrap();
    });
}

#[test]
fn limits_and_the_kill_for_want_of_memory() {
    on_test_host(async |host| {
        let mut bundle = host.shell("c1", "dd if=/dev/zero of=/dev/null bs=200M count=1");
        bundle.resources.memory = 32 << 20;
        bundle.resources.memory_swap = 32 << 20;
        bundle.resources.pids = 20;
        let (_, _, exit) = host.run(bundle).await;
        assert_eq!((exit.code, exit.oom_killed), (137, true));
    });
}

#[test]
fn mounts_devices_and_shared_namespaces() {
    on_test_host(async |host| {
        std::fs::write(host.path("shown"), "from the host\n").unwrap();
        let bind = |target: &str, read_only| Mount::Bind {
            source: host.path("shown"),
            target: target.into(),
            read_only,
            recursive: true,
            propagation: Propagation::RPrivate,
        };
        let script = "cat /etc/hosts; echo more >> /rw; echo no >> /etc/hosts || echo refused; ls /t; echo x > /t/y; \
                      cat /t/y; echo no > /file || echo read-only";
        let mut bundle = host.shell("c1", script);
        bundle.mounts = vec![bind("/etc/hosts", true), bind("/rw", false)];
        bundle.mounts.push(Mount::Tmpfs { target: "/t".into(), options: vec!["size=1m".into()] });
        bundle.readonly_rootfs = true;
        let (stdout, _, _) = host.run(bundle).await;
        assert_eq!(stdout, "from the host\nrefused\nx\nread-only\n");
        assert_eq!(std::fs::read_to_string(host.path("shown")).unwrap(), "from the host\nmore\n");

        let mut bundle = host.shell("c2", "echo $$; hostname");
        bundle.namespaces.pid = Namespace::Host;
        bundle.namespaces.uts = Namespace::Host;
        let (stdout, _, _) = host.run(bundle).await;
        let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
        assert!(
            !stdout.starts_with("1\n") && stdout.ends_with(&format!("\n{hostname}\n")),
            "{stdout}"
        );
    });
}

#[test]
fn privileges_and_users() {
    on_test_host(async |host| {
        let script = "while read l; do case $l in CapEff*|NoNew*|Seccomp:*|Groups*) echo $l; esac; done </proc/self/status";
        let mut bundle = host.shell("c1", script);
        bundle.process.user = "web:10".into();
        bundle.process.groups = vec!["7".into()];
        bundle.process.no_new_privileges = true;
        let (stdout, _, _) = host.run(bundle).await;
        assert_eq!(stdout, "Groups: 7 10\nCapEff: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\n");
        let (stdout, _, _) = host.run(host.shell("c2", script)).await;
        assert!(
            stdout.contains("CapEff: 00000000a80425fb") && stdout.contains("Seccomp: 2"),
            "{stdout}"
        );
        let mut bundle =
            host.shell("c3", &format!("{script}; echo rw > /proc/sys/kernel/domainname; ls /dev"));
        bundle.privileged = true;
        let (stdout, stderr, _) = host.run(bundle).await;
        assert!(stdout.contains("Seccomp: 0") && !stdout.contains("00000000a80425fb"), "{stdout}");
        assert_eq!(stderr, "");
    });
}

#[test]
fn an_init_reaps_and_passes_the_exit_code_on() {
    on_test_host(async |host| {
        let mut bundle = host.shell("c1", "echo $$; exit 6");
        bundle.init = Some(host.runtime.init_program().unwrap());
        let (stdout, stderr, exit) = host.run(bundle).await;
        assert_eq!((stdout.trim() != "1", stderr.as_str(), exit.code), (true, "", 6));
    });
}

#[test]
fn what_is_thrown_away_half_way_leaves_nothing() {
    on_test_host(async |host| {
        for delay in [0, 2, 5, 8, 12] {
            let runtime = host.runtime.clone();
            let bundle = host.command("c1", &["true"]);
            let create = tokio::spawn(async move { runtime.create(bundle).await });
            tokio::time::sleep(Duration::from_millis(delay)).await;
            create.abort();
            // It goes on without its caller; then it can be deleted.
            while host.runtime.pid("c1").is_err()
                && host.config.exec_root.join("containers/c1").exists()
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            host.runtime.delete("c1").await.unwrap();
        }
    });
}

#[test]
fn a_client_that_does_not_read_does_not_hide_the_end() {
    on_test_host(async |host| {
        let script = "while true; do echo 0123456789012345678901234567890123456789; done";
        host.runtime.create(host.shell("c1", script)).await.unwrap();
        let attachment = host.runtime.attach("c1", false).await.unwrap();
        host.runtime.start("c1").await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        host.runtime.kill("c1", 9).unwrap();
        assert_eq!(host.runtime.wait("c1").await.unwrap().code, 137);
        drop(attachment);
        host.runtime.delete("c1").await.unwrap();
    });
}

#[test]
fn an_attachment_that_is_dropped_does_not_hold_the_container_up() {
    on_test_host(async |host| {
        host.runtime
            .create(host.command("c1", &["dd", "if=/dev/zero", "bs=1M", "count=2"]))
            .await
            .unwrap();
        let attachment = host.runtime.attach("c1", true).await.unwrap();
        host.runtime.start("c1").await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let input = attachment.input;
        drop(attachment.output);
        let waited = tokio::time::timeout(Duration::from_secs(2), host.runtime.wait("c1")).await;
        assert_eq!(waited.unwrap().unwrap().code, 0);
        drop(input);
        host.runtime.delete("c1").await.unwrap();
    });
}

#[test]
fn a_frozen_container_can_be_killed_and_deleted() {
    on_test_host(async |host| {
        host.runtime.create(host.command("c1", &["sleep", "100"])).await.unwrap();
        host.runtime.start("c1").await.unwrap();
        host.runtime.pause("c1").await.unwrap();
        host.runtime.kill("c1", 9).unwrap();
        assert_eq!(host.runtime.wait("c1").await.unwrap().code, 137);
        host.runtime.delete("c1").await.unwrap();

        host.runtime.create(host.command("c1", &["sleep", "100"])).await.unwrap();
        host.runtime.start("c1").await.unwrap();
        host.runtime.pause("c1").await.unwrap();
        host.runtime.delete("c1").await.unwrap();
    });
}

#[test]
fn containers_that_nobody_wrote_down_are_found_and_deleted() {
    on_test_host(async |host| {
        host.runtime.create(host.command("c1", &["sleep", "100"])).await.unwrap();
        host.runtime.start("c1").await.unwrap();
        let again = Runtime::new(host.config.clone()).await.unwrap();
        assert_eq!(again.orphans().unwrap(), ["c1"]);
        again.delete("c1").await.unwrap();
        assert_eq!(again.orphans().unwrap(), Vec::<String>::new());
        assert!(again.delete("../escape").await.is_err());
    });
}

#[test]
fn no_cgroup_stays_that_the_oci_runtime_left() {
    on_test_host(async |host| {
        let created = host.runtime.create(host.command("c1", &["sleep", "100"])).await.unwrap();
        let state = host.config.exec_root.join("runtime").join(&created.runtime);
        let mut crun = std::process::Command::new("crun");
        let deleted = crun.arg("--root").arg(state).args(["delete", "--force", "c1"]).status();
        assert!(deleted.unwrap().success());
        // As if it had been killed between the two.
        let path = created.cgroup.strip_prefix("/").unwrap_or(&created.cgroup);
        let pids = ["pids", ""].map(|it| std::path::Path::new("/sys/fs/cgroup").join(it));
        let cgroup = pids.iter().find(|it| it.is_dir()).unwrap().join(path);
        std::fs::create_dir_all(&cgroup).unwrap();
        host.runtime.delete("c1").await.unwrap();
        assert!(!cgroup.exists(), "{}", cgroup.display());
    });
}

#[test]
fn a_container_does_not_outlive_its_conmon_unseen() {
    on_test_host(async |host| {
        let created = host.runtime.create(host.command("c1", &["sleep", "100"])).await.unwrap();
        host.runtime.start("c1").await.unwrap();
        let conmon = rustix::process::Pid::from_raw(created.conmon.pid).unwrap();
        rustix::process::kill_process(conmon, rustix::process::Signal::KILL).unwrap();
        assert_eq!(host.runtime.wait("c1").await.unwrap().code, 255);
        host.runtime.delete("c1").await.unwrap();
        assert!(!created.process.is_alive());
    });
}

#[test]
fn many_at_once() {
    on_test_host(async |host| {
        let ids: Vec<String> = (0..12).map(|number| format!("c{number}")).collect();
        let runs = ids.iter().map(|id| host.run(host.shell(id, &format!("echo {id}"))));
        let outputs = futures_util::future::join_all(runs).await;
        let mut lines: Vec<_> = outputs.iter().map(|output| output.0.trim().to_owned()).collect();
        lines.sort();
        let mut wanted = ids.clone();
        wanted.sort();
        assert_eq!(lines, wanted);
    });
}

#[test]
fn mounts_travel_as_the_bind_says() {
    use rustix::mount::{
        MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount,
    };
    on_test_host(async |host| {
        let shared = host.path("shared");
        std::fs::create_dir(&shared).unwrap();
        mount("tmpfs", &shared, "tmpfs", MountFlags::empty(), None).unwrap();
        mount_change(&shared, MountPropagationFlags::SHARED).unwrap();
        for folder in ["by-host", "by-container"] {
            std::fs::create_dir(shared.join(folder)).unwrap();
        }
        let before = mount_points();
        for (propagation, to_host, to_container) in [
            (Propagation::RPrivate, false, false),
            (Propagation::RSlave, false, true),
            (Propagation::RShared, true, true),
        ] {
            let script = "mount -t tmpfs tmpfs /s/by-container; echo ready; read go; mount";
            let mut bundle = host.shell("c1", script);
            bundle.privileged = true;
            bundle.process.stdin = true;
            bundle.mounts = vec![Mount::Bind {
                source: shared.clone(),
                target: "/s".into(),
                read_only: false,
                recursive: true,
                propagation,
            }];
            host.runtime.create(bundle).await.unwrap();
            let mut attachment = host.runtime.attach("c1", true).await.unwrap();
            host.runtime.start("c1").await.unwrap();
            read_until(&mut attachment, "ready").await;
            let by_container = shared.join("by-container");
            let seen = mount_points().contains(&by_container.to_str().unwrap().to_owned());
            assert_eq!(seen, to_host, "{propagation:?}");
            mount("tmpfs", shared.join("by-host"), "tmpfs", MountFlags::empty(), None).unwrap();
            attachment.input.write(b"\n").await.unwrap();
            let (stdout, _) = read_all(&mut attachment).await;
            assert_eq!(stdout.contains(" /s/by-host "), to_container, "{propagation:?} {stdout}");
            host.runtime.delete("c1").await.unwrap();
            unmount(shared.join("by-host"), UnmountFlags::empty()).unwrap();
            if to_host {
                unmount(&by_container, UnmountFlags::empty()).unwrap();
            }
            assert_eq!(mount_points(), before, "{propagation:?}");
        }
        unmount(&shared, UnmountFlags::DETACH).unwrap();
    });
}
