//! Keeping images: `load` and what `import` shares with it.
//!
//! In: candidates (from an archive) whose layers are staged. Out: blobs, unpacked layers and
//! entries of the index. The index is written last: a crash before leaves nothing but what the
//! next start sweeps away.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::sync::Arc;

use crate::archive::{self, Candidate};
use crate::config::ImageConfig;
use crate::error::{Error, Result};
use crate::files::{Layout, replace_file};
use crate::id::{ChainId, Digest, ImageId};
use crate::index::{Known, State};
use crate::manifest::Manifest;
use crate::reference::Reference;
use crate::{Images, Loaded, layers};

impl Images {
    /// Reads an archive (docker-archive or OCI, plain or compressed) and keeps its images.
    ///
    /// Errors: kind `InvalidParameter` for a malformed or hostile archive, of which nothing stays.
    pub fn load(&self, archive: impl Read) -> Result<Vec<Loaded>> {
        let staging = self.layout.staging()?;
        let candidates = archive::read(archive, &staging)?;
        self.load_all(candidates).inspect_err(|_| self.tidy_up())
    }

    fn load_all(&self, candidates: Vec<Candidate>) -> Result<Vec<Loaded>> {
        let mut kept = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            kept.push((self.keep(&candidate)?, candidate.names));
        }
        self.sync()?;
        self.change(|state| {
            let mut told = Vec::new();
            for ((id, known, _pins), names) in &kept {
                add(state, id, known);
                name(state, id, names, &mut told);
            }
            Ok(told)
        })
    }

    /// Removes what a failure left. The failure is what is told, so its own only gets logged.
    pub(crate) fn tidy_up(&self) {
        if let Err(error) = self.sweep_all() {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot clean up");
        }
    }

    /// Puts an image's blobs and layers in place. They are pinned until the pins are dropped,
    /// which must not be before the index names the image.
    pub(crate) fn keep(&self, candidate: &Candidate) -> Result<(ImageId, Known, crate::Pins)> {
        let id = ImageId(Digest::of(&candidate.config));
        let config = check(&candidate.config, candidate.layers.len())?;
        let chain = ChainId::chain(&config.rootfs.diff_ids);
        let (manifest, manifest_bytes) = manifest(candidate)?;
        let manifest_digest = Digest::of(&manifest_bytes);
        let blobs = manifest.blobs().chain([&manifest_digest]);
        let pins = self.pins.pin(blobs.chain(chain.iter().map(|chain| &chain.0)));
        let mut size = 0;
        let diff_ids = &config.rootfs.diff_ids;
        for ((layer, chain), diff_id) in candidate.layers.iter().zip(&chain).zip(diff_ids) {
            size += layers::ensure(&self.layout, chain, &layer.path, diff_id)?;
            keep_blob(&self.layout, &layer.digest, &layer.path)?;
        }
        replace_file(&self.layout.blob(&id.0), &candidate.config)?;
        replace_file(&self.layout.blob(&manifest_digest), &manifest_bytes)?;
        let config = Arc::new(config);
        let known = Known { config, manifest_digest, manifest, size, last_tagged: None };
        Ok((id, known, pins))
    }

    /// Has the file system write what was unpacked, before the index speaks of it.
    pub(crate) fn sync(&self) -> Result<()> {
        let layers = self.layout.layers();
        let directory = fs::File::open(&layers).map_err(Error::io("open", &layers))?;
        let synced = rustix::fs::syncfs(&directory);
        synced.map_err(|error| Error::io("sync", &layers)(error.into()))
    }
}

/// Adds an image; one that is there keeps when it was tagged.
pub(crate) fn add(state: &mut State, id: &ImageId, known: &Known) {
    state.images.entry(id.clone()).or_insert_with(|| Arc::new(known.clone()));
}

/// Gives an image its names, telling what `docker load` would print.
fn name(state: &mut State, id: &ImageId, names: &[Reference], told: &mut Vec<Loaded>) {
    for name in names {
        let old = state.references.insert(name.clone(), id.clone());
        if let Some(old) = old.filter(|old| old != id) {
            told.push(Loaded::Renamed { tag: name.familiar(), old });
        }
        told.push(Loaded::Tag(name.familiar()));
    }
    if names.is_empty() {
        told.push(Loaded::Id(id.clone()));
    }
}

pub(crate) fn check(bytes: &[u8], layers: usize) -> Result<ImageConfig> {
    let config: ImageConfig = serde_json::from_slice(bytes)
        .map_err(|error| Error::InvalidArchive(format!("image configuration: {error}")))?;
    let expected = config.rootfs.diff_ids.len();
    if expected != layers {
        let message =
            format!("invalid manifest, layers length mismatch: expected {expected}, got {layers}");
        return Err(Error::InvalidArchive(message));
    }
    if !matches!(config.os.as_str(), "" | "linux") {
        let message = format!("cannot load {} image on linux", config.os);
        return Err(Error::InvalidArchive(message));
    }
    Ok(config)
}

/// The candidate's manifest, or one made for it. What it says was checked by the archive's reader.
fn manifest(candidate: &Candidate) -> Result<(Manifest, Vec<u8>)> {
    if let Some(bytes) = &candidate.manifest {
        let parsed = serde_json::from_slice(bytes);
        let parsed = parsed.map_err(|error| Error::InvalidArchive(format!("manifest: {error}")))?;
        return Ok((parsed, bytes.clone()));
    }
    let mut kinds = BTreeMap::new();
    for layer in &candidate.layers {
        kinds.insert(&layer.path, layer.compression()?);
    }
    let layers = candidate.layers.iter();
    let layers = layers.map(|layer| (kinds[&layer.path], layer.digest.clone(), layer.size));
    let made = Manifest::new(&candidate.config, layers.collect());
    let bytes = serde_json::to_vec(&made);
    let bytes = bytes.map_err(|error| Error::InvalidArchive(format!("manifest: {error}")))?;
    Ok((made, bytes))
}

fn keep_blob(layout: &Layout, digest: &Digest, staged: &std::path::Path) -> Result<()> {
    let blob = layout.blob(digest);
    // A link, not a move: another image of the archive may name the same staged file.
    match fs::hard_link(staged, &blob) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::io("link blob to", &blob)(error))
        }
        _ => Ok(()),
    }
}
