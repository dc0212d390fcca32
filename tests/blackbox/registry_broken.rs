//! Registries that break off, are slow or out of order: a pull goes on where it can, shares, and takes
//! what is for this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hawser_testkit::{
    Answer, ArchiveEntry as Entry, Cli, FakeImage, FakeRegistry, Request, Running, Sending,
    TestHost, eventually, layer_tar,
};
use serde_json::json;

use crate::registry_hostile::{host, image, kept, nothing_left, peak_memory, pull, pulled};

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
