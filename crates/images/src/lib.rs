//! Images and the root file systems made of them.
//!
//! In: archives (`load`, `import`), blobs of registries, references, container ids. Out: [`Image`]s with their
//! configuration, and for a container an overlay of the image's layers, mounted *detached*: a
//! file descriptor that is in no mount namespace until the caller attaches it.
//! It starts no container and speaks no HTTP.
//!
//! On disk, below the root: `images/blobs/sha256/<hex>` (configurations, manifests, layers as
//! they came), `images/index.json` (images and their names, replaced atomically),
//! `layers/<hex of the chain id>/diff` (unpacked), `rootfs/<container>/{diff,work,layers}`,
//! `images/parts/<hex>` (blobs on their way), `images/tmp` (emptied at start). One process at a time: whoever opens it holds the data
//! root's lock (the store's).
//!
//! All calls block: use a blocking thread.

mod archive;
mod compression;
mod config;
mod error;
mod files;
mod hash;
mod id;
mod import;
mod incoming;
mod index;
mod instruction;
mod layers;
mod load;
mod manifest;
mod outgoing;
mod overlay;
mod part;
mod pins;
mod place;
mod platform;
mod reference;
mod remote;
mod remove;
mod resolve;
mod rootfs;
mod save;
mod sweep;
mod tar;
mod tree;
mod unpack;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

pub use config::{ContainerConfig, Healthcheck, History, ImageConfig, RootFs};
pub use error::{Error, Kind, Result};
use files::Layout;
pub use id::{ChainId, Digest, ImageId, InvalidDigest};
pub use import::ImportOptions;
pub use incoming::{Incoming, IncomingLayer};
use index::State;
pub use outgoing::{Outgoing, OutgoingBlob};
pub use part::{LIFETIME as PART_LIFETIME, Part};
pub(crate) use pins::{PinBoard, Pins};
pub use place::{ensure_dir, ensure_file};
pub use platform::Platform;
pub use reference::Reference;
pub use remote::{Remote, RemoteImage, RemoteIndex};
pub use remove::{Removed, User};
pub use rootfs::Rootfs;
pub use tree::remove_tree;

/// An image in the store.
#[derive(Clone, Debug)]
pub struct Image {
    /// Digest of its configuration: Docker's image id.
    pub id: ImageId,
    /// The configuration, shared.
    pub config: Arc<ImageConfig>,
    /// Digest of its OCI manifest.
    pub manifest: Digest,
    /// Familiar names with a tag (`busybox:latest`), sorted.
    pub repo_tags: Vec<String>,
    /// Familiar names with a digest (`busybox@sha256:…`), sorted.
    pub repo_digests: Vec<String>,
    /// Bytes of regular files in all layers.
    pub size: u64,
    /// When a tag was last moved to it (RFC 3339), if ever.
    pub last_tagged: Option<String>,
}

/// What `load` did with one image, in the words that `docker load` prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// `Loaded image: busybox:latest`
    Tag(String),
    /// `Loaded image ID: sha256:…` (the archive gave it no name)
    Id(ImageId),
    /// `The image busybox:latest already exists, renaming the old one with ID sha256:… to empty string`
    Renamed {
        /// The name that moved.
        tag: String,
        /// The image that lost it.
        old: ImageId,
    },
}

/// The image store. Shared by reference between threads.
#[derive(Debug)]
pub struct Images {
    layout: Layout,
    state: RwLock<Arc<State>>,
    /// Held by who changes the state, from reading it until the index is written.
    changing: Mutex<()>,
    pins: PinBoard,
}

impl Images {
    /// Opens the store below `root` (the data root), or makes it; takes away what an earlier
    /// process left half-done.
    pub fn open(root: &Path) -> Result<Self> {
        let layout = Layout::open(root)?;
        let state = RwLock::new(Arc::new(index::read(&layout)?));
        let images = Self { layout, state, changing: Mutex::default(), pins: PinBoard::default() };
        images.sweep_after_crash()?;
        Ok(images)
    }

    /// The state at this moment.
    pub(crate) fn state(&self) -> Arc<State> {
        // Only whole values are ever put there: a panic elsewhere cannot have spoilt it.
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state: durably, or (when `edit` or the write fails) not at all.
    pub(crate) fn change<T>(&self, edit: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = State::clone(&self.state());
        let result = edit(&mut state)?;
        index::write(&self.layout, &state)?;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        Ok(result)
    }
}

/// Now, as RFC 3339 in UTC with nanoseconds.
pub(crate) fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
}
