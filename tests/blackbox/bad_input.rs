//! What is wrong is refused with Docker's status and message, and leaves nothing behind.
//!
//! Through the client (exit codes, what is printed) and through the socket (status, body, and what no
//! client would send). Each refusal is followed by a look at the host.

use hawser_testkit::{Cli, EngineKind, Http, Response, TestHost};
use serde_json::{Value, json};

use crate::seen::by_engine;

with_both_clients!(run_is_refused, network_commands_are_refused, other_commands_are_refused);

fn run_is_refused(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -d --name taken busybox sleep 1000");
    let id = c.inspect("taken", "{{.Id}}");
    let before = host.inventory();
    let conflict = format!(
        "Conflict. The container name \"/taken\" is already in use by container \"{id}\". You have to \
         remove (or rename) that container to be able to reuse that name."
    );
    let table: &[(&str, i32, &str)] = &[
        ("--name taken busybox true", 125, &conflict),
        (
            "--name 'a/b' busybox true",
            125,
            "Invalid container name (a/b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
        ),
        ("--pull never nosuch true", 125, "No such image: nosuch:latest"),
        ("--pull never UPPER true", 125, "repository name"),
        ("--net nosuch busybox true", 125, "network nosuch not found"),
        ("--net container:nosuch busybox true", 125, "No such container: nosuch"),
        (
            "--net container:taken -p 80:80 busybox true",
            125,
            "conflicting options: port publishing",
        ),
        ("--net container:taken -h x busybox true", 125, "conflicting options: hostname"),
        ("--runtime nosuch busybox true", 125, "nosuch"),
        ("-p 99999:80 busybox true", 125, "99999"),
        ("-p 80:abc busybox true", 125, "abc"),
        ("-p 1.2.3.4.5:80:80 busybox true", 125, "1.2.3.4.5"),
        ("--mac-address zz busybox true", 125, "zz is not a valid mac address"),
        ("--dns nosuch busybox true", 125, "nosuch"),
        ("-v relative:/../x:zz busybox true", 125, "invalid"),
        ("-v /tmp:relative busybox true", 125, "mount path must be absolute"),
        ("-v /tmp:/ busybox true", 125, "invalid specification: destination can't be '/'"),
        (
            "--mount type=bind,source=/no/such,target=/x busybox true",
            125,
            "invalid mount config for type \"bind\": bind source path does not exist: /no/such",
        ),
        ("--mount type=nosuch,target=/x busybox true", 125, "nosuch"),
        ("-m 1k busybox true", 125, "Minimum memory limit allowed is 6MB"),
        ("--cpus 1000 busybox true", 125, "ange of CPUs is from 0.01 to"),
        ("--stop-signal NOSUCH busybox true", 125, "NOSUCH"),
        ("--cap-add NOSUCH busybox true", 125, "NOSUCH"),
        ("--security-opt nosuch=1 busybox true", 125, "nosuch"),
        ("--nosuch busybox true", 125, "unknown flag: --nosuch"),
        ("busybox nosuch", 127, "executable file not found in $PATH"),
        ("busybox /etc", folder_status(&c), by_engine(&host, "is a directory", "/etc")),
    ];
    for (options, status, message) in table {
        c.fails(&format!("run --rm {options}"), *status, message);
        before.assert_restored(&host);
    }
}

/// The exit code when the program is a folder: clients before 23.0 don't know these words of newer
/// engines and runtimes ("permission denied" they would), and take it for any failure.
fn folder_status(client: &hawser_testkit::Client) -> i32 {
    let version = client.ok("version -f '{{.Client.Version}}'");
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    if matches!(major, Some(1..23)) { 125 } else { 126 }
}

fn network_commands_are_refused(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.7.0.0/24 taken");
    c.ok("run -d --name c1 --net taken busybox sleep 1000");
    let before = host.inventory();
    let overlap = "Pool overlaps with other one on this address space";
    let predefined = "operation is not permitted on predefined bridge network";
    let table: &[(&str, &str)] = &[
        ("create taken", "network with name taken already exists"),
        ("create bridge", predefined),
        ("create -d nosuch n", "nosuch"),
        ("create --subnet 10.7.0.0/25 n", overlap),
        ("create --subnet 172.17.0.0/24 n", overlap),
        ("create --subnet nosuch n", "nosuch"),
        ("create --subnet 127.0.0.0/8 n", "loopback"),
        ("create --subnet 224.0.0.0/8 n", "multicast"),
        ("create --subnet 10.8.0.0/24 --gateway 10.9.0.1 n", "10.9.0.1"),
        ("create --subnet 10.8.0.0/24 --ip-range 10.9.0.0/28 n", "10.9.0.0"),
        ("create --gateway 10.8.0.1 n", "subnet"),
        ("create -o com.docker.network.driver.mtu=abc n", "abc"),
        ("create -o com.docker.network.bridge.enable_icc=abc n", "abc"),
        ("create -o com.docker.network.bridge.name=br%d n", "br%d"),
        ("rm bridge", "bridge is a pre-defined network and cannot be removed"),
        ("rm nosuch", "nosuch"),
        ("rm taken", "has active endpoints"),
        ("connect nosuch c1", "network nosuch not found"),
        ("connect taken nosuch", "No such container: nosuch"),
        ("connect taken c1", "already exists in network taken"),
        (
            "connect host c1",
            "container cannot be disconnected from host network or connected to host network",
        ),
        ("disconnect nosuch c1", "network nosuch not found"),
        ("disconnect taken nosuch", "No such container: nosuch"),
        ("disconnect bridge c1", "is not connected to"),
        ("inspect nosuch", "nosuch"),
    ];
    for (line, message) in table {
        if host.engine() == EngineKind::Docker && line.contains("host c1") {
            continue; // dockerd 20.10 says it in other words
        }
        // dockerd 20.10 takes subnets that the host needs itself, lets the kernel make a link br0 and
        // leaves it there, and takes a second network of a name from today's clients.
        let taken = ["br%d", "127.0.0.0", "224.0.0.0", "create taken"];
        if host.engine() == EngineKind::Docker && taken.iter().any(|word| line.contains(word)) {
            continue;
        }
        c.fails(&format!("network {line}"), 1, message);
        before.assert_restored(&host);
    }
}

fn other_commands_are_refused(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("run -d --name c1 busybox sleep 1000");
    let before = host.inventory();
    for verb in
        ["start", "stop", "restart", "kill", "rm", "logs", "attach", "port", "wait", "pause", "top"]
    {
        c.fails(&format!("{verb} nosuch"), 1, "No such container: nosuch");
    }
    let inspected = c.run("inspect nosuch");
    assert_eq!((inspected.status, inspected.text().as_str()), (1, "[]"), "{inspected}");
    assert!(inspected.stderr.to_lowercase().contains("no such object: nosuch"), "{inspected}");
    c.fails("kill -s NOSUCH c1", 1, "NOSUCH");
    c.fails("port c1 80", 1, "No public port '80");
    c.fails("rename c1 'a b'", 1, "Invalid container name");
    c.fails("ps -f nosuch=1", 1, "filter");
    c.fails("inspect -f '{{.NoSuch}}' c1", 1, "NoSuch");
    c.fails("import /no/such x", 1, "no such file");
    c.fails("load -i /no/such", 1, "no such file");
    assert_ne!(c.run("nosuchcommand").status, 0);
    before.assert_restored(&host);
}

/// A refusal as it must be: the status, JSON with a `message` that contains `text`.
#[track_caller]
fn refused(answer: &Response, status: u16, text: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let kind = answer.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("application/json"), "{kind}");
    assert!(answer.message().contains(text), "{text:?}: {}", answer.text());
}

fn send(http: &Http, method: &str, path: &str, body: &Value) -> Response {
    let json = [("Content-Type", "application/json")];
    http.request(method, path, &json, body.to_string().as_bytes())
}

#[test]
fn statuses() {
    let host = TestHost::running();
    let http = host.http();
    host.docker().ok("run -d --name c1 busybox sleep 1000");
    host.docker().ok("network create n1");
    let before = host.inventory();
    let create = |body: Value| send(&http, "POST", "/containers/create?name=new", &body);
    let network = |body: Value| send(&http, "POST", "/networks/create", &body);
    refused(&create(json!({ "Image": "nosuch" })), 404, "No such image: nosuch");
    refused(&create(json!({})), 400, "");
    refused(
        &send(&http, "POST", "/containers/create?name=c1", &json!({ "Image": "busybox" })),
        409,
        "Conflict",
    );
    refused(
        &send(&http, "POST", "/containers/create?name=a/b", &json!({ "Image": "busybox" })),
        400,
        "Invalid container name",
    );
    refused(&http.get("/containers/nosuch/json"), 404, "No such container: nosuch");
    refused(&http.post("/containers/nosuch/start", &json!({})), 404, "No such container: nosuch");
    let running = by_engine(&host, "container is running: stop the container", "running container");
    refused(&http.delete("/containers/c1"), 409, running);
    assert_eq!(http.get("/networks/").status, 200, "a list, as in Docker");
    refused(&http.get("/networks/nosuch"), 404, "network nosuch not found");
    refused(&http.delete("/networks/bridge"), 403, "pre-defined");
    refused(
        &network(json!({ "Name": "n1", "CheckDuplicate": true })),
        409,
        "network with name n1 already exists",
    );
    refused(&network(json!({ "Name": "bridge" })), 403, "predefined");
    refused(&network(json!({ "Name": "x", "Driver": "nosuch" })), 404, "nosuch");
    refused(
        &send(&http, "POST", "/networks/n1/disconnect", &json!({ "Container": "nosuch" })),
        404,
        "nosuch",
    );
    refused(&http.get("/images/nosuch/json"), 404, "No such image: nosuch");
    refused(&http.delete("/images/nosuch"), 404, "No such image: nosuch");
    refused(&http.get("/exec/nosuch/json"), 404, "No such exec instance: nosuch");
    refused(&http.get("/no/such/path"), 404, "page not found");
    refused(
        &http.get("/v1.99/info"),
        400,
        "client version 1.99 is too new. Maximum supported API version is",
    );
    refused(&http.get("/containers/json?filters=nosuch"), by(&host, 400, 500), "");
    before.assert_restored(&host);
}

/// The status today, and that of dockerd 20.10 where it was another.
fn by(host: &TestHost, today: u16, docker20: u16) -> u16 {
    match host.engine() {
        EngineKind::Hawser => today,
        EngineKind::Docker => docker20,
    }
}

#[test]
fn bodies() {
    let host = TestHost::running();
    let http = host.http();
    let before = host.inventory();
    let json = [("Content-Type", "application/json")];
    for body in [&b"{"[..], b"[]", b"null and more", b"{\"Image\": 7}", b"\xff\xfe", b""] {
        let answer = http.request("POST", "/containers/create", &json, body);
        // dockerd 20.10 takes some of them for a fault of its own.
        let status = if answer.status == 500 { by(&host, 400, 500) } else { 400 };
        assert_eq!(answer.status, status, "{body:?}: {}", answer.text());
        assert!(!answer.message().is_empty());
    }
    let text = [("Content-Type", "text/plain")];
    let answer = http.request("POST", "/containers/create", &text, b"{\"Image\":\"busybox\"}");
    assert_eq!(answer.status, 400, "{}", answer.text());
    // Unknown fields are no error: clients are newer than engines.
    let body = json!({ "Image": "busybox", "NoSuchField": { "x": 1 } });
    let answer = http.post("/containers/create?name=extra", &body);
    assert_eq!(answer.status, 201, "{}", answer.text());
    http.delete("/containers/extra");
    before.assert_restored(&host);
}

#[test]
fn bounds() {
    let host = TestHost::running();
    let http = host.http();
    if host.engine() == EngineKind::Docker {
        return; // dockerd reads what it is sent
    }
    // A body larger than any request needs: refused, and the engine stays small.
    let huge = format!("{{\"Image\":\"{}\"}}", "x".repeat(64 << 20));
    let json = [("Content-Type", "application/json")];
    if let Ok(answer) = http.try_request("POST", "/containers/create", &json, huge.as_bytes()) {
        assert!(answer.status == 413 || answer.status == 400, "{}", answer.status);
    }
    // Deeply nested JSON; heads without end; no HTTP at all.
    let nested = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let answer = http.request("POST", "/networks/create", &json, nested.as_bytes());
    assert_eq!(answer.status, 400);
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(2 << 20));
    let _ = http.raw(long.as_bytes());
    let _ = http.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");
    assert_eq!(http.get("/_ping").text(), "OK");
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.daemon_pid().unwrap()));
    let rss = status.unwrap().lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok()
    });
    assert!(rss.unwrap() < 150 << 10, "{rss:?} KiB");
}

#[test]
fn ping_and_versions() {
    let host = TestHost::running();
    let http = host.http();
    for method in ["GET", "HEAD"] {
        let answer = http.request(method, "/_ping", &[], b"");
        assert_eq!(answer.status, 200);
        for header in ["api-version", "ostype", "docker-experimental", "server", "cache-control"] {
            assert!(answer.header(header).is_some(), "{method} {header}: {:?}", answer.headers);
        }
        assert_eq!(answer.text(), if method == "GET" { "OK" } else { "" });
    }
    let version = http.get("/version").json();
    let api = version["ApiVersion"].as_str().unwrap().to_owned();
    assert_eq!(http.get(&format!("/v{api}/version")).json()["ApiVersion"], api.as_str());
    assert_eq!(http.get("/v1.24/containers/json").status, 200);
    assert_eq!(http.get("/v1.40/info").json()["OSType"], "linux");
    if host.engine() == EngineKind::Hawser {
        refused(
            &http.get("/v1.10/info"),
            400,
            "client version 1.10 is too old. Minimum supported API version is 1.24",
        );
        assert_eq!(api, "1.51");
        // Templates name it as Go does, not as JSON does.
        for cli in [Cli::Docker, Cli::Hawser] {
            let shown = host.client(cli).ok("version -f '{{.Server.APIVersion}} {{.Server.Os}}'");
            assert_eq!(shown, "1.51 linux");
        }
    }
}
