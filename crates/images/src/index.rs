//! The index: which images there are and what they are called.
//!
//! In: `images/index.json` and the blobs it names. Out: a [`State`] in memory, and the file again
//! after each change. A broken image is left out with a warning: it must not keep the daemon
//! from starting.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::config::ImageConfig;
use crate::error::{Error, Result};
use crate::files::{self, Layout};
use crate::id::{ChainId, Digest, ImageId};
use crate::manifest::Manifest;
use crate::reference::Reference;

const VERSION: u32 = 1;

/// All images and their names at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub images: BTreeMap<ImageId, Arc<Known>>,
    /// Names with a tag or a digest.
    pub references: BTreeMap<Reference, ImageId>,
}

/// An image of the store.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub config: Arc<ImageConfig>,
    pub manifest_digest: Digest,
    pub manifest: Manifest,
    pub size: u64,
    pub last_tagged: Option<String>,
}

impl Known {
    /// Its layers, the lowest first.
    pub(crate) fn chain(&self) -> Vec<ChainId> {
        ChainId::chain(&self.config.rootfs.diff_ids)
    }

    /// All its blobs.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Digest> {
        self.manifest.blobs().chain([&self.manifest_digest])
    }
}

impl State {
    /// The names of an image, in order.
    pub(crate) fn names<'a>(&'a self, id: &'a ImageId) -> impl Iterator<Item = &'a Reference> {
        self.references.iter().filter(move |(_, named)| *named == id).map(|(name, _)| name)
    }
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    images: BTreeMap<ImageId, Record>,
    references: BTreeMap<String, ImageId>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    manifest: Digest,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_tagged: Option<String>,
}

/// Reads the index; an absent one is empty.
pub(crate) fn read(layout: &Layout) -> Result<State> {
    let path = layout.index();
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let file: File = parse(&path, &bytes)?;
    let mut state = State::default();
    for (id, record) in file.images {
        match known(layout, &id, record) {
            Ok(known) => drop(state.images.insert(id, Arc::new(known))),
            Err(error) => {
                tracing::warn!(image = %id, error = &error as &dyn std::error::Error, "image is broken, left out")
            }
        }
    }
    for (name, id) in file.references {
        if state.images.contains_key(&id) {
            state.references.insert(Reference::parse(&name)?, id);
        }
    }
    Ok(state)
}

fn known(layout: &Layout, id: &ImageId, record: Record) -> Result<Known> {
    Ok(Known {
        config: Arc::new(read_blob(layout, &id.0)?),
        manifest: read_blob(layout, &record.manifest)?,
        manifest_digest: record.manifest,
        size: record.size,
        last_tagged: record.last_tagged,
    })
}

fn read_blob<T: for<'de> Deserialize<'de>>(layout: &Layout, digest: &Digest) -> Result<T> {
    let path = layout.blob(digest);
    let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
    parse(&path, &bytes)
}

fn parse<T: for<'de> Deserialize<'de>>(path: &Path, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| Error::io("read", path)(error.into()))
}

/// Writes the index, durably.
pub(crate) fn write(layout: &Layout, state: &State) -> Result<()> {
    let record = |known: &Known| Record {
        manifest: known.manifest_digest.clone(),
        size: known.size,
        last_tagged: known.last_tagged.clone(),
    };
    let images = state.images.iter().map(|(id, known)| (id.clone(), record(known))).collect();
    let name = |(name, id): (&Reference, &ImageId)| (name.to_string(), id.clone());
    let references = state.references.iter().map(name).collect();
    let path = layout.index();
    let bytes = serde_json::to_vec_pretty(&File { version: VERSION, images, references })
        .map_err(|error| Error::io("write", &path)(error.into()))?;
    files::replace_file(&path, &bytes)
}
