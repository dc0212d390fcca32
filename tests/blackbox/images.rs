//! Images: load, import, list, tag, inspect, remove, history.

use hawser_testkit::{ArchiveEntry, Cli, ImageArchive, TestHost, busybox_tar, layer_tar, program};
use serde_json::json;

with_both_clients!(docker_archive, oci_archive, imported, tagged);

/// An image of busybox and two further layers: one adds, one takes away.
fn layered(name: &str) -> ImageArchive {
    let second = layer_tar(&[
        ArchiveEntry::Directory("app"),
        ArchiveEntry::File("app/one", 0o644, "one\n"),
        ArchiveEntry::File("app/two", 0o755, "#!/bin/sh\necho two\n"),
        ArchiveEntry::Hardlink("app/same", "app/one"),
        ArchiveEntry::Symlink("app/link", "one"),
        ArchiveEntry::Directory("gone"),
        ArchiveEntry::File("gone/a", 0o644, "a"),
    ]);
    let third = layer_tar(&[
        ArchiveEntry::File("app/.wh.one", 0o644, ""),
        ArchiveEntry::Directory("gone"),
        ArchiveEntry::File("gone/.wh..wh..opq", 0o644, ""),
        ArchiveEntry::File("gone/b", 0o644, "b"),
    ]);
    let config = json!({
        "Cmd": ["/app/two"], "Env": ["PATH=/bin", "COLOUR=red"], "WorkingDir": "/app",
        "User": "1:1", "Labels": { "who": "me" }, "ExposedPorts": { "80/tcp": {} },
        "StopSignal": "SIGINT",
    });
    ImageArchive::new(name, vec![busybox_tar().to_vec(), second, third], config)
}

fn load(host: &TestHost, cli: Cli, archive: &[u8]) -> String {
    let line = format!("{} load", program(cli));
    host.run_with_input(["sh", "-c", &line], Some(archive)).ok().text()
}

fn check(host: &TestHost, cli: Cli, name: &str) {
    let c = host.client(cli);
    assert_eq!(c.ok(&format!("run --rm {name}")), "two");
    let run = |line: &str| c.run(&format!("run --rm {name} {line}"));
    assert_eq!(run("ls /app").ok().text(), "link\nsame\ntwo");
    assert_eq!(run("cat same").ok().text(), "one");
    assert_eq!(run("ls /gone").ok().text(), "b");
    assert_eq!(run("sh -c 'echo $COLOUR $(pwd) $(id -u)'").ok().text(), "red /app 1");
    let shown = "{{.Config.Labels.who}} {{.Config.StopSignal}} {{len .RootFS.Layers}}";
    assert_eq!(c.ok(&format!("image inspect -f '{shown}' {name}")), "me SIGINT 3");
    c.ok(&format!("run -d --name ports -P {name} sleep 1000"));
    assert!(c.ok("port ports").contains("80/tcp -> 0.0.0.0:"));
    c.ok("rm -f ports");
}

fn docker_archive(cli: Cli) {
    let host = TestHost::new();
    host.start_daemon(&[]);
    let archive = layered("app:1");
    assert_eq!(load(&host, cli, &archive.docker()), "Loaded image: app:1");
    assert_eq!(host.client(cli).ok("images -q --no-trunc app:1"), archive.id());
    check(&host, cli, "app:1");
    // From a file, and once more: the same image.
    let file = host.files().join("app.tar");
    std::fs::write(&file, archive.docker()).unwrap();
    host.client(cli).ok(&format!("image load -i {}", file.display()));
    assert_eq!(host.client(cli).ok("images -q").lines().count(), 1);
}

fn oci_archive(cli: Cli) {
    let host = TestHost::new();
    // dockerd 20.10 knows no OCI archives.
    if host.engine() == hawser_testkit::EngineKind::Docker {
        return;
    }
    host.start_daemon(&[]);
    let said = load(&host, cli, &layered("app:1").oci());
    assert_eq!(said, "Loaded image: app:1");
    check(&host, cli, "app:1");
}

fn imported(cli: Cli) {
    let host = TestHost::new();
    host.start_daemon(&[]);
    let c = host.client(cli);
    let file = host.files().join("root.tar");
    std::fs::write(&file, busybox_tar()).unwrap();
    let changes = "-c 'CMD [\"echo\", \"hi\"]' -c 'ENV A=1' -c 'WORKDIR /tmp' -c 'LABEL x=y' \
                   -c 'EXPOSE 80' -c 'USER nobody'";
    let id = c.ok(&format!("import {changes} -m note {} box:1", file.display()));
    assert!(id.starts_with("sha256:"), "{id}");
    assert_eq!(c.ok("run --rm box:1"), "hi");
    assert_eq!(c.ok("run --rm box:1 sh -c 'echo $A $(pwd) $(id -un)'"), "1 /tmp nobody");
    let config = c.run("image inspect box:1").ok().json();
    assert_eq!(config[0]["Config"]["ExposedPorts"], json!({ "80/tcp": {} }));
    assert_eq!(config[0]["Config"]["Labels"], json!({ "x": "y" }));
    assert_eq!(config[0]["Id"], id.as_str());
    assert_eq!(config[0]["Comment"], "note");
    assert_eq!(c.ok("images --format '{{.Repository}}:{{.Tag}}'"), "box:1");
    let refused = c.run(&format!("import -c 'NOSUCH x' {} box:2", file.display()));
    assert_eq!(refused.status, 1, "{refused}");
}

fn tagged(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let id = c.ok("images -q --no-trunc busybox");
    c.ok("tag busybox team/box:v1");
    c.ok("tag busybox registry.example:5000/box");
    let mut names: Vec<String> =
        c.ok("images --format '{{.Repository}}:{{.Tag}}'").lines().map(str::to_owned).collect();
    names.sort();
    assert_eq!(names, ["busybox:latest", "registry.example:5000/box:latest", "team/box:v1"]);
    // Asked for by name, an image is shown under that name alone.
    let shown =
        |what: &str| c.ok(&format!("images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' {what}"));
    assert_eq!(shown("team/box"), "team/box:v1");
    assert_eq!(shown("--filter reference='*:latest'"), "busybox:latest");
    assert_eq!(c.ok("images -q --no-trunc busybox"), id);
    assert_eq!(shown("nosuch"), "");
    assert_eq!(c.ok(&format!("run --rm {} echo by-id", &id[7..19])), "by-id");
    assert_eq!(c.ok("rmi team/box:v1"), "Untagged: team/box:v1");
    c.fails("run --rm --pull never team/box:v1 true", 125, "No such image: team/box:v1");
    c.ok("run --name user busybox true");
    let used = c.run("rmi busybox registry.example:5000/box");
    assert_eq!(used.status, 1, "{used}");
    assert!(used.stdout.contains("Untagged: busybox:latest"), "{used}");
    assert!(used.stderr.contains("conflict: unable to"), "{used}");
    c.ok("rm user");
    let gone = c.ok("rmi registry.example:5000/box");
    assert!(gone.contains(&format!("Deleted: {id}")), "{gone}");
    assert_eq!(c.ok("images -q"), "");
    let unknown = c.run("rmi nosuch");
    assert_eq!(unknown.status, 1, "{unknown}");
    assert!(unknown.stderr.contains("No such image: nosuch"), "{unknown}");
    c.fails("tag nosuch a:b", 1, "No such image: nosuch");
    c.fails("image inspect nosuch", 1, "nosuch");
}
