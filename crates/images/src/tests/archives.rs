//! Loading, importing and saving.

use std::io::Read;

use super::*;
use crate::{Kind, Loaded};

#[test]
fn a_docker_archive_is_loaded() {
    let store = Store::new();
    let (base, top) = (layer(&[("a", "1"), ("b", "22")]), layer(&[(".wh.a", ""), ("c", "333")]));
    let archive = docker_archive(&["one:1", "localhost:5000/two:x"], &[&base, &gzip(&top)[..]]);
    // diff ids are of the plain tars.
    assert!(store.images.load(archive.as_slice()).is_err(), "the diff id of the gzip is refused");
    assert_eq!(store.leftovers(), [""; 0]);
    let archive = docker_archive(&["one:1", "localhost:5000/two:x"], &[&base, &top]);
    let loaded = store.images.load(archive.as_slice()).unwrap();
    let tag = |tag: &str| Loaded::Tag(tag.to_owned());
    assert_eq!(loaded, [tag("one:1"), tag("localhost:5000/two:x")]);
    let store = store.reopen();
    let image = store.images.resolve("one:1").unwrap();
    assert_eq!(image.id.0, Digest::of(&config(&[&base, &top])));
    assert_eq!(image.repo_tags, ["localhost:5000/two:x", "one:1"]);
    assert_eq!(image.size, 6);
    assert_eq!(image.config.config.cmd.as_deref().unwrap(), ["/bin/sh"]);
    assert_eq!(image.config.extra["moby.something"]["new"], 1, "unknown fields are kept");
    assert_eq!(image.config.config.extra["Unknown"], true);
    assert_eq!(names(&store.path("layers")).len(), 2);
    assert_eq!(names(&store.path("images/tmp")), [""; 0]);
}

#[test]
fn loading_again_changes_nothing_and_a_name_moves() {
    let store = Store::new();
    let (one, two) = (layer(&[("a", "1")]), layer(&[("a", "2")]));
    let first = docker_archive(&["x:1"], &[&one]);
    store.images.load(first.as_slice()).unwrap();
    let old = store.images.resolve("x:1").unwrap().id;
    assert_eq!(store.images.load(first.as_slice()).unwrap(), [Loaded::Tag("x:1".to_owned())]);
    let loaded = store.images.load(gzip(&docker_archive(&["x:1"], &[&two])).as_slice()).unwrap();
    let renamed = Loaded::Renamed { tag: "x:1".to_owned(), old: old.clone() };
    assert_eq!(loaded, [renamed, Loaded::Tag("x:1".to_owned())]);
    assert_eq!(store.images.resolve(old.short()).unwrap().repo_tags, [""; 0]);
    assert_eq!(store.images.list().len(), 2);
}

#[test]
fn layers_may_be_linked_shared_and_repeated() {
    let store = Store::new();
    let one = layer(&[("a", "1")]);
    let config = config(&[&one, &one]);
    let item = |tag: &str| json!({"Config": "c.json", "RepoTags": [tag], "Layers": ["x/layer.tar", "y/layer.tar"]});
    let manifest = json!([item("a:1"), item("b:1")]).to_string();
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, data) in
        [("manifest.json", manifest.as_bytes()), ("c.json", &config), ("x/layer.tar", &one)]
    {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        builder.append_data(&mut header, name, data).unwrap();
    }
    let mut link = ::tar::Header::new_gnu();
    link.set_entry_type(::tar::EntryType::Symlink);
    link.set_size(0);
    builder.append_link(&mut link, "y/layer.tar", "../x/layer.tar").unwrap();
    let archive = builder.into_inner().unwrap();
    assert_eq!(store.images.load(archive.as_slice()).unwrap().len(), 2);
    assert_eq!(store.images.resolve("a:1").unwrap().id, store.images.resolve("b:1").unwrap().id);
}

fn blob_name(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", Digest::of(bytes).hex())
}

/// An OCI archive whose index has one entry for another machine, and one nested index for ours.
fn oci_archive(layer: &[u8], compressed: &[u8]) -> Vec<u8> {
    let config = config(&[layer]);
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": Digest::of(&config), "size": config.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": Digest::of(compressed), "size": compressed.len()}],
        "annotations": {"kept": "byte for byte"},
    })
    .to_string();
    let entry = |digest: Digest, architecture: &str| {
        json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1,
               "platform": {"architecture": architecture, "os": "linux"}})
    };
    let nested = json!({"schemaVersion": 2, "manifests": [
        entry(Digest::of(b"not there"), "s390x"),
        entry(Digest::of(manifest.as_bytes()), crate::manifest::architecture()),
    ]})
    .to_string();
    let index = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "digest": Digest::of(nested.as_bytes()), "size": nested.len(),
        "annotations": {"org.opencontainers.image.ref.name": "example.org/app:2"},
    }]})
    .to_string();
    let blobs = [config.as_slice(), compressed, manifest.as_bytes(), nested.as_bytes()];
    let named: Vec<(String, &[u8])> = blobs.iter().map(|blob| (blob_name(blob), *blob)).collect();
    let mut files: Vec<(&str, &[u8])> = vec![
        ("oci-layout", b"{\"imageLayoutVersion\":\"1.0.0\"}"),
        ("index.json", index.as_bytes()),
    ];
    files.extend(named.iter().map(|(name, blob)| (name.as_str(), *blob)));
    tar_of(&files)
}

#[test]
fn an_oci_archive_is_loaded() {
    let store = Store::new();
    let plain = layer(&[("a", "1")]);
    for compressed in [gzip(&plain), zstd::encode_all(plain.as_slice(), 1).unwrap()] {
        let loaded = store.images.load(oci_archive(&plain, &compressed).as_slice()).unwrap();
        assert_eq!(loaded, [Loaded::Tag("example.org/app:2".to_owned())]);
    }
    let image = store.images.resolve("example.org/app:2").unwrap();
    assert_eq!(image.id.0, Digest::of(&config(&[&plain])));
}

#[test]
fn what_was_saved_can_be_loaded_by_its_docker_or_oci_half() {
    let store = Store::new();
    let plain = layer(&[("a", "1")]);
    store.images.load(oci_archive(&plain, &gzip(&plain)).as_slice()).unwrap();
    store.images.tag("example.org/app:2", "example.org/app:3").unwrap();
    let other = store.import("other", "x");
    let mut saved = Vec::new();
    store.images.save(&["example.org/app", other.as_str()], &mut saved).unwrap();
    for without in ["manifest.json", "index.json"] {
        let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
        for entry in ::tar::Archive::new(saved.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut data = Vec::new();
            entry.read_to_end(&mut data).unwrap();
            parts.push((name, data));
        }
        parts.retain(|(name, _)| name != without);
        let parts: Vec<(&str, &[u8])> = parts.iter().map(|(n, d)| (n.as_str(), &d[..])).collect();
        let second = Store::new();
        let mut loaded = second.images.load(tar_of(&parts).as_slice()).unwrap();
        loaded.sort_by_key(|loaded| format!("{loaded:?}"));
        let tag = |tag: &str| Loaded::Tag(tag.to_owned());
        let expected =
            [Loaded::Id(other.clone()), tag("example.org/app:2"), tag("example.org/app:3")];
        assert_eq!(loaded, expected, "without {without}");
    }
    let error = store.images.save(&["nothing"], &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "No such image: nothing:latest");
}

#[test]
fn an_import_is_configured() {
    let store = Store::new();
    let options = ImportOptions {
        reference: Some("base".to_owned()),
        message: "made by hand".to_owned(),
        changes: vec!["CMD [\"sh\"]".to_owned(), "ENV A=b".to_owned()],
        platform: Some("linux/arm64/v8".to_owned()),
    };
    let tar = gzip(&layer(&[("bin/sh", "x")]));
    let id = store.images.import(tar.as_slice(), &options).unwrap();
    let image = store.reopen().images.resolve("base").unwrap();
    assert_eq!((image.id, image.repo_tags), (id, vec!["base:latest".to_owned()]));
    let config = &image.config;
    assert_eq!((config.architecture.as_str(), config.variant.as_str()), ("arm64", "v8"));
    assert_eq!(config.config.cmd.as_deref().unwrap(), ["sh"]);
    assert_eq!(config.history[0].comment, "made by hand");
    assert!(image.last_tagged.is_some() && config.created.is_some());
}

#[test]
fn a_bad_import_leaves_nothing() {
    let store = Store::new();
    let good = layer(&[("a", "1")]);
    let set = |change: &dyn Fn(&mut ImportOptions)| {
        let mut options = ImportOptions::default();
        change(&mut options);
        options
    };
    let attempts = [
        (&good[..], set(&|o| o.reference = Some("Bad".to_owned()))),
        (&good[..], set(&|o| o.changes = vec!["RUN x".to_owned()])),
        (&good[..], set(&|o| o.platform = Some("windows/amd64".to_owned()))),
        (&b"this is not a tar archive, is it?"[..], ImportOptions::default()),
        (&good[..600], ImportOptions::default()),
    ];
    for (archive, options) in attempts {
        let error = store.images.import(archive, &options).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidParameter, "{error}");
        assert_eq!(store.leftovers(), [""; 0]);
    }
    assert!(store.images.list().is_empty());
}
