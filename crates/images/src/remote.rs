//! Manifests as registries send them: nothing of them is believed.
//!
//! In: bytes, and what the registry says they are. Out: an image's manifest or an index, checked as
//! far as that goes without what they name. The digest of the bytes is checked by who knows it.

use serde_json::Value;

use crate::archive::MAX_JSON;
use crate::error::{Error, Result};
use crate::id::Digest;
use crate::layers::MAX_LAYER;
use crate::manifest::{DOCKER_LIST, DOCKER_MANIFEST, INDEX, Index, MANIFEST, Manifest};
use crate::platform::Platform;

/// What overlayfs can stack.
const MAX_LAYERS: usize = 500;
/// Most entries of an index.
const MAX_ENTRIES: usize = 1000;

/// What a tag or digest of a registry stands for.
#[derive(Clone, Debug)]
pub enum Remote {
    /// One image.
    Image(RemoteImage),
    /// Images for several platforms.
    Index(RemoteIndex),
}

/// A manifest from a registry, byte for byte.
#[derive(Clone, Debug)]
pub struct RemoteImage {
    pub(crate) manifest: Manifest,
    pub(crate) bytes: Vec<u8>,
}

/// An index from a registry.
#[derive(Clone, Debug)]
pub struct RemoteIndex(Index);

impl Remote {
    /// Reads a manifest.
    ///
    /// Errors: kind `InvalidParameter` for what is none, or not to be trusted.
    pub fn read(media_type: &str, bytes: Vec<u8>) -> Result<Self> {
        let value: Value = parse(&bytes)?;
        let said = value["mediaType"].as_str().unwrap_or_default();
        let kind = match (said, known(media_type)) {
            ("", true) => media_type,
            // Some registries do not say what they send.
            (said, false) if known(said) && says_nothing(media_type) => said,
            (said, true) if said == media_type => said,
            ("", false) => return Err(unsupported(media_type)),
            (said, _) => {
                let message = format!("manifest of type {said:?} was sent as {media_type:?}");
                return Err(Error::InvalidArchive(message));
            }
        };
        // What is both could be taken for one thing here and for another there.
        if value.get("manifests").is_some() && value.get("layers").is_some() {
            let message = "manifest that is an index as well".to_owned();
            return Err(Error::InvalidArchive(message));
        }
        match kind {
            INDEX | DOCKER_LIST => RemoteIndex::read(&bytes).map(Self::Index),
            MANIFEST | DOCKER_MANIFEST => RemoteImage::read(bytes).map(Self::Image),
            other => Err(unsupported(other)),
        }
    }
}

fn known(media_type: &str) -> bool {
    matches!(media_type, INDEX | DOCKER_LIST | MANIFEST | DOCKER_MANIFEST)
}

fn says_nothing(media_type: &str) -> bool {
    matches!(media_type, "" | "application/json" | "application/octet-stream" | "text/plain")
}

fn unsupported(media_type: &str) -> Error {
    let old = media_type.starts_with("application/vnd.docker.distribution.manifest.v1");
    let hint = if old { ": push the image again with a newer engine" } else { "" };
    Error::InvalidArchive(format!("manifest of unsupported type {media_type:?}{hint}"))
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::InvalidArchive(format!("manifest: {error}")))
}

impl RemoteIndex {
    fn read(bytes: &[u8]) -> Result<Self> {
        let index: Index = parse(bytes)?;
        if index.manifests.len() > MAX_ENTRIES {
            let message = format!("index of more than {MAX_ENTRIES} manifests");
            return Err(Error::InvalidArchive(message));
        }
        Ok(Self(index))
    }

    /// The manifest for a platform, if there is one.
    pub fn choose(&self, wanted: &Platform) -> Option<&Digest> {
        let fits = |platform: &Option<Platform>| {
            platform.as_ref().is_some_and(|platform| platform.serves(wanted))
        };
        let mut entries = self.0.manifests.iter();
        let found = entries.clone().find(|entry| fits(&entry.platform));
        // What names no platform may be anything, and is often all there is.
        let found = found.or_else(|| entries.find(|entry| entry.platform.is_none()));
        found.map(|entry| &entry.digest)
    }

    /// The platforms that it names.
    pub fn platforms(&self) -> Vec<Platform> {
        self.0.manifests.iter().filter_map(|entry| entry.platform.clone()).collect()
    }
}

impl RemoteImage {
    fn read(bytes: Vec<u8>) -> Result<Self> {
        let manifest: Manifest = parse(&bytes)?;
        let refuse = |why: String| Err(Error::InvalidArchive(why));
        if manifest.layers.len() > MAX_LAYERS {
            return refuse(format!("image of more than {MAX_LAYERS} layers"));
        }
        if manifest.config.size > MAX_JSON {
            return refuse(format!("image configuration of {} bytes", manifest.config.size));
        }
        for layer in &manifest.layers {
            let kind = &layer.media_type;
            // Docker fetches such layers from wherever they point; a registry must not decide that.
            let foreign = kind.contains("foreign") || kind.contains("nondistributable");
            if foreign || !layer.urls.is_empty() {
                return refuse(format!("layer {} is not in the registry (foreign)", layer.digest));
            }
            let is_layer = kind.contains(".image.layer.") || kind.contains(".image.rootfs.diff.");
            if !is_layer {
                return refuse(format!("layer {} is of type {kind:?}", layer.digest));
            }
            if layer.size > MAX_LAYER {
                return refuse(format!("layer {} of {} bytes", layer.digest, layer.size));
            }
        }
        Ok(Self { manifest, bytes })
    }

    /// Digest and size of its configuration.
    pub fn config(&self) -> (&Digest, u64) {
        (&self.manifest.config.digest, self.manifest.config.size)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: &str, value: &Value) -> Result<Remote> {
        Remote::read(kind, value.to_string().into_bytes())
    }

    fn image() -> Value {
        let blob = |kind: &str| json!({"mediaType": kind, "digest": Digest::of(b"x"), "size": 1});
        json!({
            "schemaVersion": 2,
            "config": blob("application/vnd.oci.image.config.v1+json"),
            "layers": [blob("application/vnd.oci.image.layer.v1.tar+gzip")],
        })
    }

    #[test]
    fn what_a_manifest_is_must_be_clear() {
        assert!(matches!(read(MANIFEST, &image()), Ok(Remote::Image(_))));
        let mut named = image();
        named["mediaType"] = MANIFEST.into();
        assert!(matches!(read("application/json", &named), Ok(Remote::Image(_))));
        assert!(read("text/html", &named).is_err());
        assert!(read(INDEX, &named).is_err(), "it says that it is something else");
        assert!(read("text/html", &image()).is_err());
        let old = "application/vnd.docker.distribution.manifest.v1+prettyjws";
        assert!(read(old, &image()).unwrap_err().to_string().contains("push the image again"));
        let mut both = image();
        both["manifests"] = json!([]);
        assert!(read(MANIFEST, &both).is_err());
        assert!(Remote::read(MANIFEST, b"<html>".to_vec()).is_err());
    }

    #[test]
    fn layers_that_are_elsewhere_or_no_layers_are_refused() {
        let with = |key: &str, value: Value| {
            let mut image = image();
            image["layers"][0][key] = value;
            read(MANIFEST, &image)
        };
        assert!(with("urls", json!(["https://evil.example/"])).is_err());
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        assert!(with("mediaType", foreign.into()).is_err());
        assert!(with("mediaType", "application/vnd.cncf.helm.chart".into()).is_err());
        assert!(with("size", (1_u64 << 50).into()).is_err());
        assert!(with("digest", "sha256:../../etc".into()).is_err());
        let mut image = image();
        image["layers"] = vec![image["layers"][0].clone(); 501].into();
        assert!(read(MANIFEST, &image).is_err());
    }

    #[test]
    fn an_index_is_chosen_from() {
        let entry = |architecture: &str, n: &[u8]| {
            json!({"mediaType": MANIFEST, "digest": Digest::of(n), "size": 1,
                   "platform": {"os": "linux", "architecture": architecture}})
        };
        let index = json!({"manifests": [entry("unknown", b"0"), entry("arm64", b"1")]});
        let Ok(Remote::Index(index)) = read(INDEX, &index) else { panic!("no index") };
        let arm = Platform::parse("linux/arm64/v8").unwrap();
        assert_eq!(index.choose(&arm), Some(&Digest::of(b"1")));
        assert_eq!(index.choose(&Platform::parse("linux/s390x").unwrap()), None);
    }
}
