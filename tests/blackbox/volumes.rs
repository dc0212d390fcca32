//! Volumes: made, listed, inspected, removed and pruned by themselves and through containers, with
//! both clients. `HAWSER_TEST_ENGINE=docker` proves them right, but for what is younger than 20.10.

use hawser_testkit::{Cli, EngineKind, TestHost};
use serde_json::Value;

use crate::refused::{Since, refused};

with_both_clients!(by_themselves, with_containers, pruned, refusals, by_options);

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn by_themselves(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    assert_eq!(c.ok("volume create --label tier=db --label b data"), "data");
    assert_eq!(c.ok("volume create data"), "data", "it is there already");
    let unnamed = c.ok("volume create");
    assert_eq!(unnamed.len(), 64);
    let shown = json(&c.ok("volume inspect data"))[0].clone();
    let place = shown["Mountpoint"].as_str().unwrap();
    assert!(place.ends_with("/volumes/data/_data"), "{shown}");
    host.sh(&format!("test -d {place}")).ok();
    assert_eq!((&shown["Driver"], &shown["Scope"]), (&"local".into(), &"local".into()));
    assert_eq!(shown["Labels"], serde_json::json!({"tier": "db", "b": ""}));
    assert_eq!(c.ok("volume ls -q -f name=dat"), "data");
    assert_eq!(c.ok("volume ls -q -f label=tier=db"), "data");
    assert_eq!(c.ok("volume ls -q -f label=tier=web"), "");
    assert_eq!(
        c.ok("volume ls -f name=data --format '{{.Driver}} {{.Name}} {{.Label \"tier\"}}'"),
        "local data db"
    );
    let table = c.ok("volume ls");
    assert_eq!(
        table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["DRIVER", "VOLUME", "NAME"]
    );
    assert_eq!(c.ok("volume inspect -f '{{.Name}} {{.Mountpoint}}' data"), format!("data {place}"));
    assert_eq!(json(&c.ok("inspect --type volume data"))[0]["Name"], "data");
    // It is all there after a crash.
    host.kill_daemon();
    host.start_daemon(&[]);
    assert_eq!(json(&c.ok("volume inspect data"))[0], shown);
    assert_eq!(c.ok(&format!("volume rm data {unnamed}")), format!("data\n{unnamed}"));
    assert_eq!(c.ok("volume ls -q"), "");
    host.sh(&format!("test ! -e {place}")).ok();
    assert_eq!(
        host.sh("ls -A /var/lib/hawser/volumes 2>/dev/null | grep -v metadata.db").stdout,
        ""
    );
}

fn with_containers(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -d --name one -v data:/data -v /scratch busybox sleep 1000");
    c.ok("run --name two --mount type=volume,source=data,target=/d,readonly busybox ls /d");
    c.ok("exec one sh -c 'echo kept > /data/f; echo gone > /scratch/f'");
    assert_eq!(c.ok("start -a two"), "f");
    let id = |name: &str| c.inspect(name, "{{.Id}}");
    let scratch = c.inspect(
        "one",
        "{{range .Mounts}}{{if eq .Destination \"/scratch\"}}{{.Name}}{{end}}{{end}}",
    );
    assert_eq!(scratch.len(), 64);
    assert_eq!(c.ok("volume ls -q -f dangling=true"), "");
    let mut users = [id("one"), id("two")];
    users.sort();
    let taken = c.run("volume rm data");
    assert_eq!(taken.status, 1);
    assert!(taken.stderr.contains("remove data: volume is in use - ["), "{taken}");
    assert!(users.iter().all(|id| taken.stderr.contains(id.as_str())), "{taken}");
    // With its anonymous volumes, and never with those that have a name.
    c.ok("rm -fv one two");
    assert_eq!(c.ok("volume ls -q"), "data");
    assert_eq!(c.ok("run --rm -v data:/data busybox cat /data/f"), "kept");
    c.ok("create --name three -v /left busybox");
    c.ok("rm three");
    assert_eq!(c.ok("volume ls -q").lines().count(), 2, "left without -v");
    assert_eq!(c.ok("run --rm -v /left busybox true"), "");
    assert_eq!(c.ok("volume ls -q").lines().count(), 2, "--rm takes it along");
    // A length of time is whole seconds to docker's client: what is of this second is before the next.
    let told = |more: &str| {
        let filters = "--since 10m --until=-1s --filter type=volume --filter volume=data";
        c.ok(&format!("events {filters} {more}"))
    };
    let wanted = "create mount mount unmount mount unmount unmount mount unmount";
    let actions = told("--format '{{.Action}}'");
    // Docker 20.10 says create for each container that has it.
    let actions = if host.engine() == EngineKind::Docker { wanted.to_owned() } else { actions };
    assert_eq!(
        actions.split_whitespace().collect::<Vec<_>>(),
        wanted.split(' ').collect::<Vec<_>>()
    );
    let format = "{{.Actor.Attributes.destination}} {{index .Actor.Attributes \"read/write\"}}";
    let mounts = told(&format!("--filter event=mount --format '{format}'"));
    assert_eq!(mounts, "/data true\n/d false\n/d false\n/data true");
}

fn pruned(cli: Cli) {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // named ones stay since Docker 23
    }
    let c = host.client(cli);
    c.ok("volume create named");
    c.ok("volume create --label keep=1 kept");
    c.ok("create --name used -v used:/u -v /anonymous busybox");
    c.ok("create --name gone -v /loose busybox");
    c.ok("rm gone");
    let said = c.ok("volume prune -f");
    assert!(
        said.starts_with("Deleted Volumes:\n") && said.contains("Total reclaimed space: 0B"),
        "{said}"
    );
    assert_eq!(c.ok("volume ls -q").lines().count(), 4);
    c.ok("run --rm -v named:/n busybox dd if=/dev/zero of=/n/f bs=1000 count=2");
    let said = c.ok("volume prune -a -f --filter label!=keep");
    assert_eq!(said, "Deleted Volumes:\nnamed\n\nTotal reclaimed space: 2kB");
    let left = c.ok("volume ls -q");
    assert!(left.contains("kept") && left.contains("used") && left.lines().count() == 3, "{left}");
    c.ok("rm -v used");
    let usage = host.http().get("/system/df").json()["Volumes"].clone();
    let of =
        |name: &str| usage.as_array().unwrap().iter().find(|v| v["Name"] == name).unwrap().clone();
    assert_eq!(of("kept")["UsageData"], serde_json::json!({"RefCount": 0, "Size": 0}));
}

fn refusals(cli: Cli) {
    let host = TestHost::running();
    host.client(cli).ok("volume create taken");
    host.client(cli).ok("run -d --name user -v taken:/t busybox sleep 1000");
    refused(
        &host,
        cli,
        Since::Docker20,
        1,
        &[
            ("volume inspect nosuch", 404, "nosuch"),
            ("volume rm taken", 409, "remove taken: volume is in use"),
            ("volume rm -f taken", 409, "remove taken: volume is in use"),
            (
                "volume create -d nosuch n1",
                404,
                "error looking up volume plugin nosuch: plugin \"nosuch\" not found",
            ),
            (
                "volume create a",
                400,
                "volume name is too short, names should be at least two alphanumeric characters",
            ),
            ("volume create ../x", 400, "includes invalid characters for a local volume name"),
            ("volume create -o magic=1 n2", 400, "magic"),
            ("volume ls -f nosuch=1", 400, "nosuch"),
        ],
    );
    refused(
        &host,
        cli,
        Since::Today,
        1,
        &[
            ("volume rm nosuch", 404, "get nosuch: no such volume"),
            ("volume create -o type=nfs n2", 400, "missing required option: \"device\""),
            ("volume prune -f --filter nosuch=1", 400, "invalid filter 'nosuch'"),
        ],
    );
    host.client(cli).ok("volume rm -f nosuch");
}

/// A directory of the host under a name, and a file system in memory.
fn by_options(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let dir = host.files().join("srv");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("here"), "here").unwrap();
    c.ok(&format!("volume create -o type=none -o o=bind -o device={} bound", dir.display()));
    assert_eq!(c.ok("run --rm -v bound:/b busybox ls /b"), "here");
    c.ok("run --rm -v bound:/b busybox touch /b/there");
    assert!(dir.join("there").exists());
    c.ok("run --rm -v bound:/b:ro busybox sh -c '! touch /b/not'");
    c.ok("volume create -o type=tmpfs -o device=tmpfs -o o=size=1m,mode=1700 memory");
    let mounted = c.ok("run --rm -v memory:/m busybox grep ' /m ' /proc/mounts");
    assert!(
        mounted.starts_with("tmpfs /m tmpfs rw") && mounted.contains("size=1024k,mode=1700"),
        "{mounted}"
    );
    if host.engine() == EngineKind::Hawser {
        assert!(
            !host.sh("cat /proc/mounts").stdout.contains("volumes/memory"),
            "nothing in the host's"
        );
    }
    c.ok("volume rm bound memory");
    assert!(dir.join("here").exists(), "the host's own stays");
}
