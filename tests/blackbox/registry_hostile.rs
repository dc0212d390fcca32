//! Registries that lie or attack: the pull says what is wrong, and nothing is left but what can be gone
//! on with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hawser_testkit::{
    Answer, ArchiveEntry as Entry, EngineKind, FakeImage, FakeRegistry, Sending, TestHost,
    busybox_tar, eventually, layer_tar,
};
use serde_json::{Value, json};

/// A host with a hawserd that has no image; none where dockerd is tested: these are not its words.
pub fn host() -> Option<TestHost> {
    let host = TestHost::new();
    if host.engine() == EngineKind::Docker {
        return None;
    }
    host.start_daemon(&[]);
    Some(host)
}

pub fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// busybox as gzip, a file as zstd, another as it is.
pub fn image() -> FakeImage {
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
pub fn pull_with(host: &TestHost, name: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let path = format!("/images/create?fromImage={name}&tag=latest");
    let answer = host.http().request("POST", &path, headers, b"");
    (answer.status, answer.text())
}

pub fn pull(host: &TestHost, registry: &FakeRegistry) -> (u16, String) {
    pull_with(host, &format!("{}/x", registry.address()), &[])
}

pub fn pulled(host: &TestHost, registry: &FakeRegistry) -> String {
    let (status, said) = pull(host, registry);
    assert!(status == 200 && said.contains("Downloaded newer image"), "{status} {said}");
    let name = format!("{}/x", registry.address());
    assert_eq!(host.docker().ok(&format!("run --rm {name}")), "1\n2");
    said
}

/// The names of files in a directory of the data root.
pub fn kept(host: &TestHost, directory: &str) -> Vec<String> {
    let path = host.path(&format!("/var/lib/hawser/{directory}"));
    let names = std::fs::read_dir(path).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Waits until nothing of a pull is left but (where it is said) parts.
pub fn nothing_left(host: &TestHost, parts: usize) {
    eventually("an empty store", || {
        let places = ["images/blobs/sha256", "layers", "images/tmp"];
        let empty = places.iter().all(|place| kept(host, place).is_empty());
        (empty && kept(host, "images/parts").len() == parts).then_some(())
    });
    assert_eq!(host.http().get("/images/json").json(), json!([]));
}

pub fn refused(host: &TestHost, registry: &FakeRegistry, why: &str) {
    let (_, said) = pull(host, registry);
    assert!(said.contains(why), "{why:?} in {said}");
    assert!(!said.contains("Downloaded newer"), "{said}");
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
pub fn peak_memory(host: &TestHost) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.daemon_pid().unwrap()));
    let status = status.unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
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
