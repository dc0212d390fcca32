//! Images and the root file systems made of them.
//!
//! In: archives (`load`, `import`), references, container ids. Out: [`Image`]s with their
//! configuration, and for a container an overlay of the image's layers, mounted *detached*: a
//! file descriptor that is in no mount namespace until the caller attaches it.
//! It starts no container, speaks no HTTP and pulls nothing (yet).
//!
//! On disk, below the root: `images/blobs/sha256/<hex>` (configs, manifests, layers as they
//! came), `images/index.json` (images and their names, replaced atomically), `layers/<hex of the
//! chain id>/diff` (unpacked), `rootfs/<container>/{diff,work}`, `images/tmp` (emptied at start).
//!
//! All calls block: use a blocking thread.

mod compression;
mod config;
mod error;
mod hash;
mod id;
mod reference;
mod tar;
mod unpack;

pub use config::{ContainerConfig, Healthcheck, History, ImageConfig, RootFs};
pub use error::{Error, Kind, Result};
pub use id::{ChainId, Digest, ImageId};
pub use reference::Reference;

use std::io::Read;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// How `import` makes an image out of a tar of a root file system.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// `repo[:tag]` to give it.
    pub reference: Option<String>,
    /// The history's comment (`Imported from -` if empty).
    pub message: String,
    /// Dockerfile instructions (`CMD ["sh"]`, `ENV A=b`, …).
    pub changes: Vec<String>,
    /// `os/arch[/variant]`; this machine's if `None`.
    pub platform: Option<String>,
}

/// What `remove` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// A name (familiar) was taken away.
    Untagged(String),
    /// An image (`sha256:…`) or layer (its chain id) is gone.
    Deleted(String),
}

/// A container that uses an image, told by the caller of `remove`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The container's id.
    pub container: String,
    /// Whether it runs.
    pub running: bool,
}

/// The image store. Shared by reference between threads.
#[derive(Debug)]
pub struct Images {}

impl Images {
    /// Opens the store below `root` (the data root), or makes it; takes away what an earlier
    /// process left half-done.
    pub fn open(root: &Path) -> Result<Self> {
        let _ = root;
        todo!()
    }

    /// Reads an archive (docker-archive or OCI, plain or compressed) and keeps its images.
    pub fn load(&self, archive: impl Read) -> Result<Vec<Loaded>> {
        let _ = &archive;
        todo!()
    }

    /// Makes an image of one layer from a tar (plain or compressed) of a root file system.
    pub fn import(&self, archive: impl Read, options: &ImportOptions) -> Result<ImageId> {
        let _ = (&archive, options);
        todo!()
    }

    /// Writes the images that the references name as an archive that `load` reads
    /// (docker-archive and OCI layout in one).
    pub fn save(&self, references: &[&str], out: impl std::io::Write) -> Result<()> {
        let _ = (references, &out);
        todo!()
    }

    /// All images, newest first.
    pub fn list(&self) -> Vec<Image> {
        todo!()
    }

    /// The image that a name, name with digest, id or unique id prefix means.
    ///
    /// Errors: kind `NotFound`, `No such image: …` as Docker says it; `InvalidParameter` for a
    /// malformed reference.
    pub fn resolve(&self, reference: &str) -> Result<Image> {
        let _ = reference;
        todo!()
    }

    /// Gives the image `source` the name `target` (`repo[:tag]`), taking it from another.
    pub fn tag(&self, source: &str, target: &str) -> Result<()> {
        let _ = (source, target);
        todo!()
    }

    /// Takes the name away, and the image with its layers when it was the last name.
    /// `users` gives the containers that use an image.
    ///
    /// Errors: kind `Conflict` in Docker's words.
    pub fn remove(
        &self,
        reference: &str,
        force: bool,
        users: &dyn Fn(&ImageId) -> Vec<User>,
    ) -> Result<Vec<Removed>> {
        let _ = (reference, force, users);
        todo!()
    }

    /// Makes the directories of a container's root file system on top of an image.
    pub fn create_rootfs(&self, container: &str, image: &ImageId) -> Result<Rootfs> {
        let _ = (container, image);
        todo!()
    }

    /// The directories that `create_rootfs` made (after a restart of the daemon, say). They
    /// stay valid when the image was removed by force.
    pub fn rootfs(&self, container: &str) -> Result<Rootfs> {
        let _ = container;
        todo!()
    }

    /// Removes a container's root file system; nothing if there is none.
    pub fn remove_rootfs(&self, container: &str) -> Result<()> {
        let _ = container;
        todo!()
    }
}

/// The directories of a container's root file system.
#[derive(Clone, Debug)]
pub struct Rootfs {
    /// The image's layers, topmost first.
    pub lowers: Vec<PathBuf>,
    /// What the container writes.
    pub upper: PathBuf,
    /// overlayfs's own.
    pub work: PathBuf,
}

impl Rootfs {
    /// Mounts the overlay, attached nowhere: it lives as long as the descriptor, or as the place
    /// that the caller attaches it to (`move_mount`).
    pub fn mount(&self, readonly: bool) -> Result<OwnedFd> {
        let _ = readonly;
        todo!()
    }
}

/// Makes a directory with its parents inside a root, never outside: links are resolved within it.
/// Existing directories are left as they are.
pub fn ensure_dir(root: BorrowedFd<'_>, path: &Path) -> Result<()> {
    let _ = (root, path);
    todo!()
}

/// As [`ensure_dir`], for an empty regular file (the place of a bind mount of a file).
pub fn ensure_file(root: BorrowedFd<'_>, path: &Path) -> Result<()> {
    let _ = (root, path);
    todo!()
}
