//! Pulling: an image whose blobs come one by one.
//!
//! In: a manifest and a configuration from a registry, blobs as [`Part`](crate::Part)s. Out: an image
//! in the index. All that it needs is pinned meanwhile; if it comes to nothing its layers go when the
//! value is dropped, and its parts stay for a while. How the bytes got here is not known here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::ImageConfig;
use crate::error::{Error, Result};
use crate::files::replace_file;
use crate::id::{ChainId, Digest, ImageId};
use crate::index::{Known, State};
use crate::part::{promote, source};
use crate::resolve::put_tag;
use crate::{Images, Pins, Platform, Reference, RemoteImage, layers, load};

/// An image that is being pulled.
#[derive(Debug)]
pub struct Incoming {
    images: Arc<Images>,
    remote: RemoteImage,
    config: Arc<ImageConfig>,
    config_bytes: Vec<u8>,
    layers: Vec<IncomingLayer>,
    pins: Option<Pins>,
    finished: AtomicBool,
}

/// A layer of it.
#[derive(Clone, Debug)]
pub struct IncomingLayer {
    /// Digest of the blob.
    pub digest: Digest,
    /// Its size.
    pub size: u64,
    diff_id: Digest,
    chain: ChainId,
    /// Whether nothing need be done.
    pub present: bool,
    /// Whether the blob is there.
    pub fetched: bool,
}

impl Images {
    /// Begins with an image. `platform` is what the user asked for, if anything.
    ///
    /// Errors: kind `InvalidParameter` for a configuration that does not fit; `NotFound` if it is
    /// for another platform.
    pub fn incoming(
        self: &Arc<Self>,
        remote: RemoteImage,
        config_bytes: Vec<u8>,
        platform: Option<&Platform>,
    ) -> Result<Incoming> {
        let (digest, _) = remote.config();
        if Digest::of(&config_bytes) != *digest {
            let message = format!("image configuration verification failed for digest {digest}");
            return Err(Error::InvalidArchive(message));
        }
        let config = load::check(&config_bytes, remote.manifest.layers.len())?;
        check_platform(&config, platform)?;
        let chain = ChainId::chain(&config.rootfs.diff_ids);
        let manifest_digest = Digest::of(&remote.bytes);
        let blobs = remote.manifest.blobs().chain([&manifest_digest]);
        let pins = self.pins.pin(blobs.chain(chain.iter().map(|chain| &chain.0)));
        // After the pins: what is there now stays.
        let state = self.state();
        let mut layers = Vec::with_capacity(chain.len());
        let diff_ids = config.rootfs.diff_ids.iter();
        for ((layer, diff_id), chain) in remote.manifest.layers.iter().zip(diff_ids).zip(chain) {
            let fetched = self.layout.blob(&layer.digest).exists();
            let unpacked = layers::size(&self.layout, &chain).is_some();
            let present = fetched && unpacked && is_pair(&state, &layer.digest, diff_id);
            let (digest, size) = (layer.digest.clone(), layer.size);
            layers.push(IncomingLayer {
                digest,
                size,
                diff_id: diff_id.clone(),
                chain,
                present,
                fetched,
            });
        }
        Ok(Incoming {
            images: Arc::clone(self),
            config: Arc::new(config),
            config_bytes,
            remote,
            layers,
            pins: Some(pins),
            finished: AtomicBool::new(false),
        })
    }
}

/// Whether it is known of some image that the blob uncompressed has that diff id.
fn is_pair(state: &State, digest: &Digest, diff_id: &Digest) -> bool {
    state.images.values().any(|known| {
        let layers = known.manifest.layers.iter().map(|layer| &layer.digest);
        layers.zip(&known.config.rootfs.diff_ids).any(|pair| pair == (digest, diff_id))
    })
}

fn check_platform(config: &ImageConfig, wanted: Option<&Platform>) -> Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let own = Platform {
        architecture: config.architecture.clone(),
        os: if config.os.is_empty() { "linux".to_owned() } else { config.os.clone() },
        variant: config.variant.clone(),
    };
    if own.serves(wanted) {
        return Ok(());
    }
    let message = format!("does not provide the specified platform ({wanted}): it is for {own}");
    Err(Error::WrongPlatform(message))
}

impl Incoming {
    /// Its layers, the lowest first.
    pub fn layers(&self) -> &[IncomingLayer] {
        &self.layers
    }

    /// The image's id.
    pub fn id(&self) -> ImageId {
        ImageId(self.remote.manifest.config.digest.clone())
    }

    /// Whether it is in the index.
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// Unpacks a layer whose blob is there.
    ///
    /// Errors: kind `InvalidParameter` for a layer that is hostile or has another diff id.
    pub fn unpack(&self, layer: &IncomingLayer) -> Result<()> {
        let layout = &self.images.layout;
        let unpack = || {
            let blob = source(layout, &layer.digest);
            layers::ensure(layout, &layer.chain, &blob, &layer.diff_id).map(drop)
        };
        match unpack() {
            // Another pull may have made a blob of the part in between.
            Err(error) if error.is_absence() => unpack(),
            done => done,
        }
    }

    /// Puts the image into the index under these names; whether any of them stood for something
    /// else before. All layers must be there.
    pub fn finish(&self, names: &[Reference]) -> Result<bool> {
        let layout = &self.images.layout;
        let mut size = 0;
        for layer in &self.layers {
            promote(layout, &layer.digest)?;
            let missing = || Error::InvalidArchive(format!("layer {} is missing", layer.digest));
            size += layers::size(layout, &layer.chain).ok_or_else(missing)?;
        }
        let manifest_digest = Digest::of(&self.remote.bytes);
        replace_file(&layout.blob(&self.id().0), &self.config_bytes)?;
        replace_file(&layout.blob(&manifest_digest), &self.remote.bytes)?;
        self.images.sync()?;
        let (config, manifest) = (Arc::clone(&self.config), self.remote.manifest.clone());
        let known = Known { config, manifest_digest, manifest, size, last_tagged: None };
        let (changed, old) =
            self.images.change(|state| Ok(put(state, &self.id(), known, names)))?;
        self.finished.store(true, Ordering::Release);
        self.images.sweep(Vec::new(), old)?;
        Ok(changed)
    }
}

/// Adds the image and its names; whether a name changed, and blobs that may be of no use any more.
fn put(state: &mut State, id: &ImageId, known: Known, names: &[Reference]) -> (bool, Vec<Digest>) {
    let old = state.images.get(id).cloned();
    let last_tagged = old.as_ref().and_then(|old| old.last_tagged.clone());
    // The manifest that it came with is the one that the digest in its name means.
    state.images.insert(id.clone(), Arc::new(Known { last_tagged, ..known }));
    let mut changed = false;
    for name in names {
        if state.references.get(name) == Some(id) {
            continue;
        }
        changed = true;
        match name.tag() {
            Some(_) => put_tag(state, id, name.clone()),
            None => drop(state.references.insert(name.clone(), id.clone())),
        }
    }
    (changed, old.map(|old| old.blobs().cloned().collect()).unwrap_or_default())
}

impl Drop for Incoming {
    fn drop(&mut self) {
        drop(self.pins.take());
        if self.is_finished() {
            return;
        }
        let chain = self.layers.iter().map(|layer| layer.chain.clone()).collect();
        let own = [self.id().0, Digest::of(&self.remote.bytes)];
        let blobs = self.layers.iter().map(|layer| layer.digest.clone()).chain(own).collect();
        if let Err(error) = self.images.sweep(chain, blobs) {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot clean up");
        }
    }
}
