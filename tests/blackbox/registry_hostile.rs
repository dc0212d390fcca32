//! Registries that break, lie or attack: the pull goes on or says why not; nothing is left but what
//! can be gone on with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hawser_testkit::{
    Answer, ArchiveEntry as Entry, Cli, EngineKind, FakeImage, FakeRegistry, Request, Running,
    Sending, TestHost, busybox_tar, eventually, layer_tar,
};
use serde_json::{Value, json};

/// A host with a hawserd that has no image; none where dockerd is tested: these are not its words.
fn host() -> Option<TestHost> {
    let host = TestHost::new();
    if host.engine() == EngineKind::Docker {
        return None;
    }
    host.start_daemon(&[]);
    Some(host)
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// busybox as gzip, a file as zstd, another as it is.
fn image() -> FakeImage {
    let busybox = busybox_tar().to_vec();
    let one = layer_tar(&[Entry::File("one", 0o644, "1\n")]);
    let two = layer_tar(&[Entry::File("two", 0o644, "2\n")]);
    let layers = [
        (gzip(&busybox), busybox),
        (zstd::encode_all(one.as_slice(), 1).unwrap(), one),
        (two.clone(), two),
    ];
    FakeImage::new(&layers, json!({ "Cmd": ["cat", "/one", "/two"] }))
}

/// Pulls; gives the status and all that was said.
fn pull_with(host: &TestHost, name: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let path = format!("/images/create?fromImage={name}&tag=latest");
    let answer = host.http().request("POST", &path, headers, b"");
    (answer.status, answer.text())
}

fn pull(host: &TestHost, registry: &FakeRegistry) -> (u16, String) {
    pull_with(host, &format!("{}/x", registry.address()), &[])
}

fn pulled(host: &TestHost, registry: &FakeRegistry) -> String {
    let (status, said) = pull(host, registry);
    assert!(status == 200 && said.contains("Downloaded newer image"), "{status} {said}");
    let name = format!("{}/x", registry.address());
    assert_eq!(host.docker().ok(&format!("run --rm {name}")), "1\n2");
    said
}

/// The names of files in a directory of the data root.
fn kept(host: &TestHost, directory: &str) -> Vec<String> {
    let path = host.path(&format!("/var/lib/hawser/{directory}"));
    let names = std::fs::read_dir(path).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Waits until nothing of a pull is left but (where it is said) parts.
fn nothing_left(host: &TestHost, parts: usize) {
    eventually("an empty store", || {
        let places = ["images/blobs/sha256", "layers", "images/tmp"];
        let empty = places.iter().all(|place| kept(host, place).is_empty());
        (empty && kept(host, "images/parts").len() == parts).then_some(())
    });
    assert_eq!(host.http().get("/images/json").json(), json!([]));
}

fn refused(host: &TestHost, registry: &FakeRegistry, why: &str) {
    let (_, said) = pull(host, registry);
    assert!(said.contains(why), "{why:?} in {said}");
    assert!(!said.contains("Downloaded newer"), "{said}");
}

#[test]
fn every_compression_is_understood() {
    let Some(host) = host() else { return };
    let image = image();
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |r| image.answer(r));
    let said = pulled(&host, &registry);
    assert_eq!(said.matches("Pull complete").count(), 3, "{said}");
    assert!(kept(&host, "images/parts").is_empty());
}

#[test]
fn wrong_bytes_are_refused() {
    let Some(host) = host() else { return };
    let image = image();
    let honest = image.clone();
    let lie = Arc::new(AtomicUsize::new(0));
    let which = Arc::clone(&lie);
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |request| {
        let mut answer = honest.answer(request);
        let lied_about = match which.load(Ordering::Relaxed) {
            0 => &honest.layers[1],
            1 => honest.blobs.keys().find(|name| !honest.layers.contains(name)).unwrap(),
            _ => "/manifests/sha256:",
        };
        if request.path.contains(lied_about) {
            let last = answer.body.len() - 1;
            answer.body[last] ^= 1;
        }
        answer
    });
    refused(&host, &registry, &format!("layer verification failed for digest {}", image.layers[1]));
    // The layers that were good may stay for the next attempt.
    assert!(!kept(&host, "images/parts").iter().any(|part| image.layers[1].ends_with(part)));
    lie.store(1, Ordering::Relaxed);
    refused(&host, &registry, "image configuration verification failed");
    lie.store(2, Ordering::Relaxed);
    let path = format!("/images/create?fromImage={}/x&tag={}", registry.address(), image.digest());
    let answer = host.http().request("POST", &path, &[], b"");
    assert!(answer.status >= 400 && answer.text().contains("manifest verification failed"));
    assert_eq!(host.http().get("/images/json").json(), json!([]));
}

#[test]
fn a_layer_that_is_not_what_the_configuration_says_is_refused() {
    let Some(host) = host() else { return };
    let (one, two) = (layer_tar(&[Entry::File("a", 0o644, "1")]), layer_tar(&[]));
    let image = FakeImage::new(&[(gzip(&one), two)], json!({}));
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |r| image.answer(r));
    refused(&host, &registry, "invalid diffID for layer");
    nothing_left(&host, 1);
}

#[test]
fn a_broken_connection_is_gone_on_with() {
    let Some(host) = host() else { return };
    let image = image();
    let (layer, served) = (image.layers[0].clone(), image.clone());
    let half = image.blobs[&layer].len() / 2;
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |request| {
        let answer = served.answer(request);
        let first = request.path.ends_with(&layer) && request.header("range").is_none();
        if first { answer.sent(Sending::CutAfter(half)) } else { answer }
    });
    let said = pulled(&host, &registry);
    assert!(said.contains("Retrying in 1 second"), "{said}");
    let of_layer: Vec<Request> =
        registry.requests().into_iter().filter(|r| r.path.ends_with(&image.layers[0])).collect();
    let range = format!("bytes={half}-");
    assert_eq!(of_layer.len(), 2);
    assert_eq!(of_layer[1].header("range"), Some(range.as_str()));
}

#[test]
fn trouble_that_passes_is_waited_for() {
    let Some(host) = host() else { return };
    let image = image();
    let (manifests, blobs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let started = std::time::Instant::now();
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |request| {
        if request.path.contains("/manifests/") && manifests.fetch_add(1, Ordering::Relaxed) == 0 {
            return Answer::new(429, "slow down").with("Retry-After", "2");
        }
        if request.path.contains("/blobs/") && blobs.fetch_add(1, Ordering::Relaxed) < 2 {
            return Answer::new(503, "<html>");
        }
        image.answer(request)
    });
    pulled(&host, &registry);
    assert!(started.elapsed().as_secs() >= 2, "it wanted to be left alone for two seconds");
}

#[test]
fn trouble_that_lasts_is_told() {
    let Some(host) = host() else { return };
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", |request| match &*request.path {
        "/v2/" => Answer::new(200, "{}"),
        _ => Answer::new(
            429,
            "{\"errors\": [{\"code\": \"TOOMANYREQUESTS\", \"message\": \"\\u001b[2Jtoo many\"}]}",
        )
        .with("Retry-After", "3600"),
    });
    let (status, said) = pull(&host, &registry);
    assert_eq!(status, 503, "{said}");
    assert!(said.contains("toomanyrequests:  [2Jtoo many"), "{said}");
    assert_eq!(registry.count("/manifests/"), 1, "an hour is not waited for");
}

#[test]
fn credentials_stay_where_they_belong() {
    let Some(host) = host() else { return };
    let image = image();
    let elsewhere = {
        let image = image.clone();
        FakeRegistry::start(&host, "127.0.0.2:0", move |request| image.answer(request))
    };
    let (target, layers) = (elsewhere.address().to_owned(), image.layers.clone());
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |request| {
        if request.header("authorization") != Some("Basic bWU6c2VjcmV0") {
            return Answer::new(401, "{}").with("WWW-Authenticate", "Basic realm=\"x\"");
        }
        if layers.iter().any(|layer| request.path.ends_with(layer)) {
            let location = format!("http://{target}{}", request.path);
            return Answer::new(307, "").with("Location", &location);
        }
        image.answer(request)
    });
    // {"username":"me","password":"secret"}
    let auth = "eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJzZWNyZXQifQ==";
    let name = format!("{}/x", registry.address());
    let (_, said) = pull_with(&host, &name, &[("X-Registry-Auth", auth)]);
    assert!(said.contains("Downloaded newer image"), "{said}");
    let strangers = elsewhere.requests();
    assert_eq!(strangers.len(), 3, "all layers came from elsewhere");
    assert!(strangers.iter().all(|request| request.header("authorization").is_none()));
    let (status, said) = pull(&host, &registry);
    assert!(status == 404 && said.contains("pull access denied"), "{status} {said}");
}

#[test]
fn redirects_lead_to_no_unsafe_place_and_have_an_end() {
    let Some(host) = host() else { return };
    let target = Arc::new(AtomicUsize::new(0));
    let which = Arc::clone(&target);
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |request| {
        if request.path == "/v2/" {
            return Answer::new(200, "{}");
        }
        let location = ["http://far.example/", "file:///etc/shadow", "/again", ""];
        Answer::new(302, "").with("Location", location[which.load(Ordering::Relaxed)])
    });
    for why in ["not safe", "sends us nowhere", "more than 5 redirects", "sends us nowhere"] {
        refused(&host, &registry, why);
        target.fetch_add(1, Ordering::Relaxed);
    }
    nothing_left(&host, 0);
}

#[test]
fn tokens_are_asked_for() {
    let Some(host) = host() else { return };
    let image = image();
    let tokens = FakeRegistry::start(&host, "127.0.0.3:0", |request| {
        let who = match (&*request.method, request.header("authorization")) {
            ("POST", None) => "identity",
            (_, Some("Basic bWU6c2VjcmV0")) => "me",
            (_, None) => "nobody",
            _ => {
                return Answer::new(
                    401,
                    "{\"errors\": [{\"code\": \"UNAUTHORIZED\", \"message\": \"incorrect username or password\"}]}",
                );
            }
        };
        Answer::new(200, json!({ "token": format!("token-of-{who}") }).to_string())
    });
    let realm = format!("Bearer realm=\"http://{}/token\",service=\"s\"", tokens.address());
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |request| {
        match request.header("authorization") {
            None => Answer::new(401, "{}").with("WWW-Authenticate", &realm),
            Some("Bearer token-of-nobody") if request.path.contains("/private/") => Answer::new(
                403,
                "{\"errors\": [{\"code\": \"DENIED\", \"message\": \"requested access to the resource is denied\"}]}",
            ),
            Some(_) => image.answer(request),
        }
    });
    let name = |image: &str| format!("{}/{image}", registry.address());
    let (_, said) = pull_with(&host, &name("public/x"), &[]);
    assert!(said.contains("Downloaded newer image"), "{said}");
    assert!(tokens.requests()[0].path.ends_with("?service=s&scope=repository%3Apublic%2Fx%3Apull"));
    let (status, said) = pull_with(&host, &name("private/x"), &[]);
    let denied = format!(
        "pull access denied for {}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
        name("private/x")
    );
    assert!(status == 404 && said.contains(&denied), "{status} {said}");
    let as_who = |json: Value| hawser_auth(&json);
    for (json, fine) in [
        (json!({ "username": "me", "password": "secret" }), true),
        (json!({ "identitytoken": "abc" }), true),
        (json!({ "registrytoken": "given" }), true),
        (json!({ "username": "me", "password": "wrong" }), false),
    ] {
        let (status, said) =
            pull_with(&host, &name("private/x"), &[("X-Registry-Auth", &as_who(json))]);
        assert_eq!(status == 200 && said.contains("Status: "), fine, "{status} {said}");
    }
}

/// `X-Registry-Auth`, without a library: the machine's own.
fn hawser_auth(json: &Value) -> String {
    let line = format!("printf %s '{json}' | base64 -w0 | tr +/ -_");
    let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn endless_and_huge_things_are_cut_off() {
    let Some(host) = host() else { return };
    let image = image();
    let (case, layer) = (Arc::new(AtomicUsize::new(0)), image.layers[0].clone());
    let which = Arc::clone(&case);
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |request| {
        let answer = image.answer(request);
        let is_manifest = request.path.contains("/manifests/");
        let is_layer = request.path.ends_with(&layer);
        match which.load(Ordering::Relaxed) {
            0 if is_manifest => answer.sent(Sending::Endless),
            1 if is_manifest => Answer::new(200, vec![b' '; (4 << 20) + 1]),
            2 if is_layer => answer.sent(Sending::Endless),
            3 if is_layer => Answer { body: vec![0; answer.body.len() + 1], ..answer },
            4 if is_manifest => Answer::new(404, "x".repeat(1 << 20)).sent(Sending::Endless),
            _ => answer,
        }
    });
    let before = peak_memory(&host);
    for why in [
        "a manifest of more than 4194304 bytes",
        "a manifest of more than 4194304 bytes",
        "is longer than",
        "it sends",
        "manifest for",
    ] {
        refused(&host, &registry, why);
        case.fetch_add(1, Ordering::Relaxed);
    }
    let grown = peak_memory(&host) - before;
    assert!(grown < 64 << 10, "{grown} KiB more");
}

/// The most memory that the daemon ever had, in KiB.
fn peak_memory(host: &TestHost) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.daemon_pid().unwrap()));
    let status = status.unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn large_layers_are_not_held_in_memory() {
    let Some(host) = host() else { return };
    // Bytes that cannot be compressed away, and a tar around them (whose entries are for ever).
    let mut state = 1_u64;
    let noise: String = (0..40 << 20)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from((state >> 60) as u8 + b'a')
        })
        .collect();
    let tar = layer_tar(&[Entry::File("big", 0o644, noise.leak())]);
    let image = FakeImage::new(&[(tar.clone(), tar)], json!({}));
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |r| image.answer(r));
    let before = peak_memory(&host);
    let name = format!("{}/big", registry.address());
    host.docker().ok(&format!("pull {name}"));
    let grown = peak_memory(&host) - before;
    assert!(grown < 24 << 10, "{grown} KiB more for a layer of 40 MiB");
}

#[test]
fn a_pull_that_is_cancelled_leaves_what_can_be_gone_on_with() {
    interrupted(|_, client| client.signal("INT"));
}

#[test]
fn so_does_one_whose_daemon_is_killed() {
    interrupted(|host, _| {
        host.kill_daemon();
        host.start_again();
    });
}

fn interrupted(interrupt: impl Fn(&TestHost, &Running)) {
    let Some(host) = host() else { return };
    let image = image();
    let (layer, served) = (image.layers[0].clone(), image.clone());
    let some = image.blobs[&layer].len() / 3;
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |request| {
        let answer = served.answer(request);
        let first = request.path.ends_with(&layer) && request.header("range").is_none();
        if first { answer.sent(Sending::StallAfter(some)) } else { answer }
    });
    let name = format!("{}/x", registry.address());
    let mut client = host.docker().spawn(&format!("pull {name}"));
    eventually("a third of the first layer, and the others", || {
        let size = |digest: &str| {
            let part = format!("/var/lib/hawser/images/parts/{}", &digest[7..]);
            std::fs::metadata(host.path(&part)).map_or(0, |metadata| metadata.len())
        };
        let whole = |digest: &String| size(digest) == image.blobs[digest].len() as u64;
        let first = size(&image.layers[0]) == some as u64;
        (first && image.layers[1..].iter().all(whole)).then_some(())
    });
    interrupt(&host, &client);
    eventually("the client's end", || client.is_finished().then_some(()));
    nothing_left(&host, 3);
    pulled(&host, &registry);
    let last =
        registry.requests().into_iter().rfind(|r| r.path.ends_with(&image.layers[0])).unwrap();
    assert_eq!(last.header("range"), Some(format!("bytes={some}-").as_str()));
    assert_eq!(registry.count(&image.layers[1]), 1, "the other layers were there already");
    assert!(kept(&host, "images/parts").is_empty());
}

#[test]
fn two_pulls_share_what_they_fetch() {
    let Some(host) = host() else { return };
    let image = image();
    let (served, layer) = (image.clone(), image.layers[0].clone());
    let go = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&go);
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |request| {
        while request.path.ends_with(&layer) && !gate.load(Ordering::Relaxed) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        served.answer(request)
    });
    let name = format!("{}/x", registry.address());
    let clients =
        [Cli::Docker, Cli::Hawser].map(|cli| host.client(cli).spawn(&format!("pull {name}")));
    for client in &clients {
        client.expect("Pulling fs layer");
    }
    eventually("the request for the layer", || {
        (registry.count(&image.layers[0]) > 0).then_some(())
    });
    go.store(true, Ordering::Relaxed);
    for client in clients {
        let said = client.finish().ok();
        assert!(said.stdout.contains("Status: "), "{said}");
    }
    assert_eq!(registry.count(&image.layers[0]), 1);
}

#[test]
fn one_platform_of_several() {
    let Some(host) = host() else { return };
    let image = image();
    let kind = "application/vnd.oci.image.index.v1+json";
    let entry = |digest: String, architecture: &str| {
        json!({ "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "digest": digest,
                "size": 1, "platform": { "os": "linux", "architecture": architecture } })
    };
    let nowhere = format!("sha256:{}", "0".repeat(64));
    let entries = [entry(nowhere, "arm64"), entry(image.digest(), "amd64")];
    let index = json!({ "schemaVersion": 2, "mediaType": kind, "manifests": entries }).to_string();
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |request| {
        match request.path.ends_with("/manifests/latest") {
            true => Answer::new(200, index.clone()).with("Content-Type", kind),
            false => image.answer(request),
        }
    });
    let docker = host.docker();
    let name = format!("{}/x", registry.address());
    docker.ok(&format!("pull --platform linux/amd64 {name}"));
    assert_eq!(docker.ok(&format!("run --rm {name}")), "1\n2");
    // By the digest of the index, as everyone calls it.
    let digest = docker.inspect(&name, "{{index .RepoDigests 0}}");
    docker.ok(&format!("pull {name}:latest"));
    assert!(digest.starts_with(&format!("{name}@sha256:")), "{digest}");
    let missing = "no matching manifest for linux/s390x in the manifest list entries";
    docker.fails(&format!("pull --platform linux/s390x {name}"), 1, missing);
    docker.fails(&format!("pull --platform linux/arm64 {name}"), 1, "manifest verification failed");
    docker.fails(&format!("pull --platform windows/amd64 {name}"), 1, "not supported");
}

#[test]
fn manifests_that_are_not_what_they_seem() {
    let Some(host) = host() else { return };
    let case = Arc::new(AtomicUsize::new(0));
    let which = Arc::clone(&case);
    let image = image();
    let registry = FakeRegistry::start(&host, "127.0.0.1:0", move |request| {
        if !request.path.contains("/manifests/") {
            return image.answer(request);
        }
        let mut manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
        let mut kind = "application/vnd.docker.distribution.manifest.v2+json".to_owned();
        match which.load(Ordering::Relaxed) {
            0 => manifest["layers"][0]["urls"] = json!(["http://127.0.0.1/"]),
            1 => kind = "text/html".to_owned(),
            2 => manifest["layers"][0]["size"] = (1_u64 << 60).into(),
            3 => manifest["layers"] = json!([manifest["layers"][0]]),
            4 => manifest["config"]["size"] = (1 << 30).into(),
            5 => manifest["manifests"] = json!([]),
            _ => {
                kind = "application/vnd.oci.image.index.v1+json".to_owned();
                manifest = json!({ "manifests": [] });
            }
        }
        Answer::new(200, manifest.to_string()).with("Content-Type", &kind)
    });
    for why in [
        "is not in the registry (foreign)",
        "was sent as",
        "bytes",
        "layers length mismatch",
        "image configuration of 1073741824 bytes",
        "an index as well",
        "no matching manifest",
    ] {
        refused(&host, &registry, why);
        case.fetch_add(1, Ordering::Relaxed);
    }
    nothing_left(&host, 0);
}
