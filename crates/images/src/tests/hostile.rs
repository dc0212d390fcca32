//! Archives that lie or attack: each is refused, and nothing of it stays.

use super::*;
use crate::Kind;

fn refused(archive: &[u8]) -> String {
    let store = Store::new();
    let error = store.images.load(archive).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidParameter, "{error}");
    let again = store.reopen();
    assert_eq!(again.leftovers(), [""; 0]);
    assert!(again.images.list().is_empty());
    error.to_string()
}

/// A tar with an entry that the library would not write.
fn raw_entry(kind: ::tar::EntryType, path: &str, link: &str) -> Vec<u8> {
    let mut header = ::tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_size(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[test]
fn a_layer_that_leaves_its_root_is_refused_and_removed() {
    use ::tar::EntryType::{Link, Regular, Symlink};
    let climb = raw_entry(Regular, "../../../escaped", "");
    let link = [raw_entry(Symlink, "l", "/etc"), raw_entry(Regular, "l/escaped", "")].concat();
    let hard = raw_entry(Link, "l", "../../../images/index.json");
    for layer in [climb, link, hard] {
        let good = layer_before();
        let message = refused(&docker_archive(&["x"], &[&good, &layer]));
        assert!(message.contains("would be written outside the layer's root"), "{message}");
    }
    assert!(!Path::new("/etc/escaped").exists());
}

fn layer_before() -> Vec<u8> {
    layer(&[("a", "1")])
}

#[test]
fn digests_that_do_not_match_are_refused() {
    let (one, two) = (layer(&[("a", "1")]), layer(&[("a", "2")]));
    let config = config(&[&one]);
    let manifest = json!([{"Config": "c.json", "RepoTags": ["x"], "Layers": ["l"]}]).to_string();
    let archive =
        tar_of(&[("manifest.json", manifest.as_bytes()), ("c.json", &config), ("l", &two)]);
    assert!(refused(&archive).contains("invalid diffID"));
    let name = format!("blobs/sha256/{}", Digest::of(b"something else").hex());
    let index = json!({"manifests": [{"digest": Digest::of(b"something else"), "size": 1}]});
    let archive = tar_of(&[("index.json", index.to_string().as_bytes()), (&name, b"{}")]);
    assert!(refused(&archive).contains("has digest"));
}

#[test]
fn a_wrong_diff_id_is_noticed_for_a_layer_that_is_there() {
    let store = Store::new();
    let (one, two) = (layer(&[("a", "1")]), layer(&[("a", "2")]));
    store.images.load(docker_archive(&["x"], &[&one]).as_slice()).unwrap();
    let before = store.leftovers().len();
    let config = config(&[&one]);
    let manifest = json!([{"Config": "c.json", "RepoTags": ["y"], "Layers": ["l"]}]).to_string();
    let archive =
        tar_of(&[("manifest.json", manifest.as_bytes()), ("c.json", &config), ("l", &two)]);
    assert!(store.images.load(archive.as_slice()).is_err());
    assert_eq!(store.leftovers().len(), before);
    assert!(store.images.resolve("x").is_ok());
}

#[test]
fn malformed_archives_are_refused() {
    let one = layer(&[("a", "1")]);
    let with = |manifest: serde_json::Value, config: &[u8]| {
        let manifest = manifest.to_string();
        tar_of(&[("manifest.json", manifest.as_bytes()), ("c.json", config), ("l", &one)])
    };
    let item = json!([{"Config": "c.json", "Layers": ["l"]}]);
    assert!(refused(b"").contains("neither manifest.json"));
    assert!(refused(&layer(&[("etc/passwd", "x")])).contains("neither manifest.json"));
    refused(
        b"neither a tar nor anything else, but long enough to be a header ......................",
    );
    assert!(refused(&with(json!({"a": 1}), b"{}")).contains("manifest.json"));
    assert!(refused(&with(item.clone(), b"not json")).contains("image configuration"));
    assert!(
        refused(&with(item.clone(), b"{}")).contains("layers length mismatch: expected 0, got 1")
    );
    let missing = json!([{"Config": "c.json", "Layers": ["../../etc/passwd"]}]);
    assert!(refused(&with(missing, b"{}")).contains("\"etc/passwd\" is not in it"));
    let windows = json!({"os": "windows", "rootfs": {"diff_ids": [Digest::of(&one)]}}).to_string();
    assert!(refused(&with(item.clone(), windows.as_bytes())).contains("cannot load windows image"));
    let bad_name = json!([{"Config": "c.json", "Layers": ["l"], "RepoTags": ["Bad Name"]}]);
    assert!(refused(&with(bad_name, &config(&[&one]))).contains("invalid reference format"));
    assert!(refused(&gzip(&one)[..40]).contains("invalid archive"));
    let long = vec![b' '; 9 << 20];
    assert!(refused(&with(item, &long)).contains("more than 8388608 bytes"));
}

#[test]
fn several_images_are_kept_or_none() {
    let (one, two) = (layer(&[("a", "1")]), layer(&[("b", "2")]));
    let (good, bad) = (config(&[&one]), config(&[&one]));
    let item = |config: &str, layer: &str| json!({"Config": config, "Layers": [layer]});
    let manifest = json!([item("good", "1"), item("bad", "2")]).to_string();
    let files: [(&str, &[u8]); 5] = [
        ("manifest.json", manifest.as_bytes()),
        ("good", &good),
        ("bad", &bad),
        ("1", &one),
        ("2", &two),
    ];
    refused(&tar_of(&files));
}
