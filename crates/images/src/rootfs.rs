//! A container's root file system: its own directory over the layers of its image.
//!
//! In: a container's id and an image. Out: [`Rootfs`], which `overlay` mounts. Its layers stay
//! for as long as it does, even if the image is removed by force.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::Images;
use crate::error::{Error, Result};
use crate::files::{self, Layout};
use crate::id::{ChainId, Digest, ImageId};
use crate::layers;

/// The one lower directory of an image without layers.
const EMPTY: &str = "empty";

/// The directories of a container's root file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rootfs {
    /// The image's layers, topmost first; for an image without any, an empty directory
    /// (overlayfs wants one).
    pub lowers: Vec<PathBuf>,
    /// What the container writes.
    pub upper: PathBuf,
    /// overlayfs's own.
    pub work: PathBuf,
}

impl Images {
    /// Makes the directories of a container's root file system on top of an image.
    /// `container` is an id: hexadecimal digits.
    ///
    /// Errors: kind `NotFound` if the image is gone.
    pub fn create_rootfs(&self, container: &str, image: &ImageId) -> Result<Rootfs> {
        let state = self.state();
        let gone = || Error::NoSuchImage(image.to_string());
        let chain = state.images.get(image).ok_or_else(gone)?.chain();
        let _pins = self.pins.pin(chain.iter().map(|chain| &chain.0));
        // Looked up again under the pins: it may have been removed since.
        if !self.state().images.contains_key(image) {
            return Err(gone());
        }
        let directory = self.directory(container)?;
        let rootfs = rootfs(&self.layout, &directory, &chain);
        // Apart: one that is there already must stay as it is.
        files::create_dir(&directory)?;
        make(&directory, &rootfs, &chain).inspect_err(|_| {
            // The first error is the one to tell.
            drop(files::remove_dir(&directory));
        })?;
        Ok(rootfs)
    }

    /// The directories that `create_rootfs` made (after a restart of the daemon, say). They
    /// stay valid when the image was removed by force.
    ///
    /// Errors: kind `NotFound` if there are none.
    pub fn rootfs(&self, container: &str) -> Result<Rootfs> {
        let directory = self.directory(container)?;
        let chain = read_chain(&directory)?.ok_or_else(|| Error::NoRootfs(container.to_owned()))?;
        Ok(rootfs(&self.layout, &directory, &chain))
    }

    /// Removes a container's root file system; nothing if there is none.
    pub fn remove_rootfs(&self, container: &str) -> Result<()> {
        let directory = self.directory(container)?;
        let chain = read_chain(&directory)?;
        files::remove_dir(&directory)?;
        match chain {
            // Its image was removed before it: its layers go with it.
            Some(chain) if !self.is_of_an_image(&chain) => self.sweep(chain, Vec::new()).map(drop),
            _ => Ok(()),
        }
    }

    /// The containers that have a root file system here, in no order: whoever keeps the records
    /// can tell which of them a crash left without one.
    pub fn rootfs_ids(&self) -> Result<Vec<String>> {
        files::names(&self.layout.roots())
    }

    /// Whether an image has this chain: then a sweep, which looks at every container, finds nothing.
    fn is_of_an_image(&self, chain: &[ChainId]) -> bool {
        let Some(top) = chain.last() else { return true };
        self.state().images.values().any(|known| known.chain().contains(top))
    }

    fn directory(&self, container: &str) -> Result<PathBuf> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if container.is_empty() || container.len() > 128 || !container.bytes().all(good) {
            return Err(Error::NoRootfs(container.chars().take(128).collect()));
        }
        Ok(self.layout.roots().join(container))
    }
}

/// The layers of all containers.
pub(crate) fn all_layers(layout: &Layout) -> Result<Vec<ChainId>> {
    let roots = layout.roots();
    let mut all = Vec::new();
    for container in files::names(&roots)? {
        all.extend(read_chain(&roots.join(container))?.unwrap_or_default());
    }
    Ok(all)
}

/// Removes directories whose creation did not end.
pub(crate) fn remove_half_made(layout: &Layout) -> Result<()> {
    let roots = layout.roots();
    for container in files::names(&roots)? {
        let directory = roots.join(container);
        if read_chain(&directory)?.is_none() {
            files::remove_dir(&directory)?;
        }
    }
    Ok(())
}

fn rootfs(layout: &Layout, directory: &Path, chain: &[ChainId]) -> Rootfs {
    let mut lowers: Vec<PathBuf> =
        chain.iter().rev().map(|chain| layers::diff(layout, chain)).collect();
    if lowers.is_empty() {
        lowers.push(directory.join(EMPTY));
    }
    Rootfs { lowers, upper: directory.join("diff"), work: directory.join("work") }
}

fn make(directory: &Path, rootfs: &Rootfs, chain: &[ChainId]) -> Result<()> {
    let empty = chain.is_empty().then(|| directory.join(EMPTY));
    for part in [&rootfs.upper, &rootfs.work].into_iter().chain(empty.as_ref()) {
        files::create_dir(part)?;
    }
    if let Some(top) = rootfs.lowers.first() {
        copy_owner(top, &rootfs.upper).map_err(Error::io("set owner of", &rootfs.upper))?;
    }
    let lines: String = chain.iter().map(|chain| format!("{chain}\n")).collect();
    // Last: a directory without it is a creation that did not end.
    let path = directory.join("layers");
    fs::write(&path, lines).map_err(Error::io("write", &path))
}

/// The root directory that the container sees is the upper one: it must look as the image's.
fn copy_owner(from: &Path, to: &Path) -> io::Result<()> {
    let from = fs::metadata(from)?;
    chown(to, Some(from.uid()), Some(from.gid()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(from.mode() & 0o7777))
}

/// The layers noted in a container's directory, the lowest first.
fn read_chain(directory: &Path) -> Result<Option<Vec<ChainId>>> {
    let path = directory.join("layers");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let chain = |line: &str| {
        let digest = line.parse::<Digest>();
        digest.map(ChainId).map_err(|error| Error::io("read", &path)(io::Error::other(error)))
    };
    text.lines().map(chain).collect::<Result<_>>().map(Some)
}
