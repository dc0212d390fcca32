//! Files and directories of the store itself: where they are, and how they change safely.
//!
//! In: paths below the data root, bytes. Out: files that are whole after a crash, or the old
//! ones. It knows nothing of images.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::id::{ChainId, Digest};

/// Where things are below the data root.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Makes the directories that are missing and empties the one for temporary files.
    pub(crate) fn open(root: &Path) -> Result<Self> {
        let layout = Self { root: root.to_owned() };
        remove_dir(&layout.temporary())?;
        let own =
            [layout.blobs(), layout.parts(), layout.temporary(), layout.layers(), layout.roots()];
        for directory in own {
            fs::create_dir_all(&directory).map_err(Error::io("create directory", &directory))?;
        }
        Ok(layout)
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.root.join("images/index.json")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("images/blobs/sha256")
    }

    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    /// Blobs that are on their way.
    pub(crate) fn parts(&self) -> PathBuf {
        self.root.join("images/parts")
    }

    pub(crate) fn part(&self, digest: &Digest) -> PathBuf {
        self.parts().join(digest.hex())
    }

    pub(crate) fn layers(&self) -> PathBuf {
        self.root.join("layers")
    }

    pub(crate) fn layer(&self, chain: &ChainId) -> PathBuf {
        self.layers().join(chain.0.hex())
    }

    pub(crate) fn roots(&self) -> PathBuf {
        self.root.join("rootfs")
    }

    fn temporary(&self) -> PathBuf {
        self.root.join("images/tmp")
    }

    /// A new directory for work in progress, removed when the value is dropped.
    pub(crate) fn staging(&self) -> Result<Staging> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
        let path = self.temporary().join(name);
        fs::create_dir(&path).map_err(Error::io("create directory", &path))?;
        Ok(Staging { path })
    }
}

/// A directory for work in progress.
#[derive(Debug)]
pub(crate) struct Staging {
    path: PathBuf,
}

impl Staging {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = remove_dir(&self.path) {
            // The next start of the daemon empties the place.
            tracing::warn!(%error, "cannot clean up");
        }
    }
}

/// Makes a directory that all may enter, whatever the umask.
pub(crate) fn create_dir(path: &Path) -> Result<()> {
    let create = || {
        fs::create_dir(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
    };
    create().map_err(Error::io("create directory", path))
}

/// Removes a directory with all that is in it; no error if there is none.
pub(crate) fn remove_dir(path: &Path) -> Result<()> {
    crate::tree::remove_tree(path).map_err(Error::io("remove", path))
}

/// Puts a file in place of another: after a crash there is one or the other, whole.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let new = path.with_extension(format!("{count}.new"));
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
    };
    write().map_err(Error::io("write", path))
}

/// Names of what is in a directory.
pub(crate) fn names(directory: &Path) -> Result<Vec<String>> {
    let failed = || Error::io("list", directory);
    let entries = fs::read_dir(directory).map_err(failed())?;
    let name = |entry: io::Result<fs::DirEntry>| {
        Ok(entry.map_err(failed())?.file_name().to_string_lossy().into_owned())
    };
    entries.map(name).collect()
}

/// Removes a file; no error if there is none.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
