//! Pushing: an image of the store, blob by blob.
//!
//! In: a name. Out: the manifest, and where each blob lies on disk; pinned until the value is
//! dropped. What goes out is what came in, byte for byte.

use std::fs;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::id::{Digest, ImageId};
use crate::manifest::{Descriptor, MANIFEST};
use crate::{Images, Pins, Reference};

/// An image that is being pushed.
#[derive(Debug)]
pub struct Outgoing {
    /// The image.
    pub id: ImageId,
    /// Digest of its manifest.
    pub digest: Digest,
    /// What kind of manifest it is.
    pub media_type: String,
    /// The manifest.
    pub manifest: Vec<u8>,
    /// The layers, the lowest first.
    pub layers: Vec<OutgoingBlob>,
    /// The configuration.
    pub config: OutgoingBlob,
    _pins: Pins,
}

/// A blob of it.
#[derive(Clone, Debug)]
pub struct OutgoingBlob {
    /// Its digest.
    pub digest: Digest,
    /// What identifies it to the user: of a layer, the digest of its plain tar.
    pub shown: Digest,
    /// Number of bytes.
    pub size: u64,
    /// Where they are.
    pub path: PathBuf,
}

impl Images {
    /// The image of a name with a tag.
    ///
    /// Errors: kind `NotFound`.
    pub fn outgoing(&self, name: &Reference) -> Result<Outgoing> {
        let state = self.state();
        let found = state.references.get(name).and_then(|id| Some((id, state.images.get(id)?)));
        let (id, known) = found.ok_or_else(|| Error::NoSuchImage(name.familiar()))?;
        let pins = self.pins.pin(known.blobs());
        let path = self.layout.blob(&known.manifest_digest);
        let manifest = fs::read(&path).map_err(Error::io("read", &path))?;
        let blob = |descriptor: &Descriptor, shown: &Digest| OutgoingBlob {
            digest: descriptor.digest.clone(),
            shown: shown.clone(),
            size: descriptor.size,
            path: self.layout.blob(&descriptor.digest),
        };
        let layers = known.manifest.layers.iter().zip(&known.config.rootfs.diff_ids);
        let said = known.manifest.media_type.clone();
        Ok(Outgoing {
            id: id.clone(),
            digest: known.manifest_digest.clone(),
            media_type: if said.is_empty() { MANIFEST.to_owned() } else { said },
            manifest,
            layers: layers.map(|(layer, diff_id)| blob(layer, diff_id)).collect(),
            config: blob(&known.manifest.config, &known.manifest.config.digest),
            _pins: pins,
        })
    }

    /// The names with a tag of a repository, in order.
    pub fn tags_of(&self, repository: &Reference) -> Vec<Reference> {
        let state = self.state();
        let names = state.references.keys();
        let here = names.filter(|name| name.tag().is_some() && name.name() == repository.name());
        here.cloned().collect()
    }

    /// Other repositories of the same registry that should have a blob, since an image that has
    /// one of their digests among its names consists of it.
    pub fn repositories_with(&self, blob: &Digest, target: &Reference) -> Vec<String> {
        let state = self.state();
        let has = |id: &ImageId| {
            state.images.get(id).is_some_and(|known| known.blobs().any(|other| other == blob))
        };
        let mut found: Vec<String> = state
            .references
            .iter()
            .filter(|(name, id)| {
                name.digest().is_some()
                    && name.domain() == target.domain()
                    && name.path() != target.path()
                    && has(id)
            })
            .map(|(name, _)| name.path().to_owned())
            .collect();
        found.dedup();
        found
    }

    /// Notes under which digest a repository has an image now.
    pub fn note_digest(&self, repository: &Reference, digest: &Digest, id: &ImageId) -> Result<()> {
        let name = repository.clone().with_digest(digest.clone());
        self.change(|state| {
            if state.images.contains_key(id) {
                state.references.insert(name, id.clone());
            }
            Ok(())
        })
    }
}
