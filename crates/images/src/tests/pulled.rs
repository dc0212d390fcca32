//! Images that come blob by blob, and go again.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::{Incoming, Kind, Reference, Remote, RemoteImage};

/// A manifest of layers as they come, and its configuration.
fn remote(layers: &[(&[u8], &[u8])]) -> (RemoteImage, Vec<u8>) {
    let plain: Vec<&[u8]> = layers.iter().map(|(plain, _)| *plain).collect();
    let config = config(&plain);
    let kind = "application/vnd.oci.image.layer.v1.tar";
    let layer = |(_, blob): &(&[u8], &[u8])| json!({"mediaType": kind, "digest": Digest::of(blob), "size": blob.len()});
    let manifest = json!({
        "schemaVersion": 2,
        "config": {"digest": Digest::of(&config), "size": config.len()},
        "layers": layers.iter().map(layer).collect::<Vec<_>>(),
    });
    let read = Remote::read(crate::manifest::MANIFEST, manifest.to_string().into_bytes());
    let Ok(Remote::Image(remote)) = read else { panic!("{read:?}") };
    (remote, config)
}

struct Pull {
    directory: tempfile::TempDir,
    images: Arc<Images>,
}

impl Pull {
    fn new() -> Self {
        let Store { directory, images } = Store::new();
        Self { directory, images: Arc::new(images) }
    }

    fn begin(&self, layers: &[(&[u8], &[u8])]) -> Incoming {
        let (remote, config) = remote(layers);
        self.images.incoming(remote, config, None).unwrap()
    }

    fn fetch(&self, blob: &[u8]) {
        let mut part = self.images.part(&Digest::of(blob), blob.len() as u64).unwrap();
        part.write(&blob[usize::try_from(part.at()).unwrap()..]).unwrap();
        part.finish().unwrap();
    }

    fn there(&self, directory: &str) -> usize {
        names(&self.directory.path().join(directory)).len()
    }
}

fn name(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

#[test]
fn an_image_is_kept_when_all_of_it_is_there() {
    let pull = Pull::new();
    let (one, two) = (layer(&[("a", "1")]), layer(&[("b", "2")]));
    let two_packed = gzip(&two);
    let layers: [(&[u8], &[u8]); 2] = [(&one, &one), (&two, &two_packed)];
    let incoming = pull.begin(&layers);
    assert!(incoming.finish(&[name("x:1")]).is_err(), "nothing is there");
    for (layer, blob) in incoming.layers().iter().zip([&one, &two_packed]) {
        assert!(!layer.present && !layer.fetched);
        pull.fetch(blob);
        incoming.unpack(layer).unwrap();
    }
    assert!(incoming.finish(&[name("x:1")]).unwrap());
    drop(incoming);
    let image = pull.images.resolve("x:1").unwrap();
    assert_eq!((image.size, pull.there("layers"), pull.there("images/parts")), (2, 2, 0));
    assert_eq!(pull.there("images/blobs/sha256"), 4);
    // Once more: nothing is to be done, and nothing changes.
    let again = pull.begin(&layers);
    assert!(again.layers().iter().all(|layer| layer.present));
    assert!(!again.finish(&[name("x:1")]).unwrap());
    assert!(again.finish(&[name("x:2")]).unwrap());
    drop(again);
    assert_eq!(pull.there("images/blobs/sha256"), 4);
    // It goes out as it came in.
    let outgoing = pull.images.outgoing(&name("x:1")).unwrap();
    assert_eq!(fs::read(&outgoing.layers[1].path).unwrap(), two_packed);
    assert_eq!(outgoing.layers[1].shown, Digest::of(&two));
}

#[test]
fn what_comes_to_nothing_leaves_parts_alone() {
    let pull = Pull::new();
    let (one, two) = (layer(&[("a", "1")]), layer(&[("b", "2")]));
    let incoming = pull.begin(&[(&one, &one), (&two, &two)]);
    pull.fetch(&one);
    incoming.unpack(&incoming.layers()[0]).unwrap();
    assert_eq!(pull.there("layers"), 1);
    drop(incoming);
    let there = ["layers", "images/blobs/sha256", "images/tmp", "images/parts"];
    assert_eq!(there.map(|directory| pull.there(directory)), [0, 0, 0, 1]);
    pull.images.sweep_parts(Duration::from_secs(60)).unwrap();
    assert_eq!(pull.there("images/parts"), 1, "it is young");
    pull.images.sweep_parts(Duration::ZERO).unwrap();
    assert_eq!(pull.there("images/parts"), 0);
}

#[test]
fn parts_are_gone_on_with_and_checked() {
    let pull = Pull::new();
    let blob = layer(&[("a", "1")]);
    let (digest, size) = (Digest::of(&blob), blob.len() as u64);
    let mut part = pull.images.part(&digest, size).unwrap();
    part.write(&blob[..100]).unwrap();
    pull.images.sweep_parts(Duration::ZERO).unwrap();
    assert_eq!(pull.there("images/parts"), 1, "somebody writes it");
    drop(part);
    let mut part = pull.images.part(&digest, size).unwrap();
    assert_eq!(part.at(), 100);
    part.write(&blob[100..]).unwrap();
    assert!(part.is_whole());
    part.finish().unwrap();
    // A wrong beginning is found out, and is not gone on with again.
    let path = pull.directory.path().join("images/parts").join(digest.hex());
    fs::write(&path, b"something else").unwrap();
    let mut part = pull.images.part(&digest, size).unwrap();
    part.write(&blob[14..]).unwrap();
    let error = part.finish().unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidParameter);
    assert!(error.to_string().contains("verification failed for digest"), "{error}");
    assert!(!path.exists());
    // More than was announced.
    let mut part = pull.images.part(&digest, size).unwrap();
    assert!(part.write(&[0; 1 << 20]).unwrap_err().to_string().contains("is longer than"));
    assert!(!path.exists());
}

#[test]
fn a_known_blob_does_not_pass_for_another_layer() {
    let pull = Pull::new();
    let (one, two) = (layer(&[("a", "1")]), layer(&[("a", "2")]));
    for blob in [&one, &two] {
        let incoming = pull.begin(&[(blob, blob)]);
        pull.fetch(blob);
        incoming.unpack(&incoming.layers()[0]).unwrap();
        incoming.finish(&[name(&format!("x:{}", Digest::of(blob).hex()))]).unwrap();
    }
    // Both the layer and the blob are there, but they are not one another's.
    let liar = pull.begin(&[(&one, &two)]);
    let layer = liar.layers()[0].clone();
    assert!(!layer.present && layer.fetched);
    assert!(liar.unpack(&layer).unwrap_err().to_string().contains("invalid diffID"));
}

#[test]
fn an_image_for_another_machine_is_refused_if_that_was_asked() {
    let pull = Pull::new();
    let one = layer(&[("a", "1")]);
    let (remote, config) = remote(&[(&one, &one)]);
    let wanted = crate::Platform::parse("linux/s390x").unwrap();
    let error = pull.images.incoming(remote, config, Some(&wanted)).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}
