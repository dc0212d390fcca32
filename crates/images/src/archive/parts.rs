//! The files of an archive, staged on disk.
//!
//! In: the archive's tar. Out: files by their name in it, with digest and size. Their names on
//! disk are ours (numbers): a name from the archive is never used as a path.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::MAX_JSON;
use crate::compression::{self, Compression};
use crate::error::{Error, Result};
use crate::files::Staging;
use crate::hash::{Hashing, read_bounded};
use crate::id::Digest;
use crate::tar::{Archive, Entry, Kind};

/// Most entries of an archive: each is an open and a hash, and a name in memory.
const MAX_ENTRIES: usize = 20_000;
/// Most bytes of one file in an archive.
const MAX_FILE: u64 = 64 << 30;
/// Most links that are followed from one name.
const MAX_LINKS: usize = 8;

/// A file of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub path: PathBuf,
    pub digest: Digest,
    pub size: u64,
}

/// All files of an archive.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    files: BTreeMap<String, Part>,
    links: BTreeMap<String, String>,
}

impl Parts {
    pub(super) fn read(archive: impl Read, staging: &Staging) -> Result<Self> {
        let failed = |error| Error::archive_io("read archive into", staging.path(), error);
        let (plain, _) = compression::plain(archive).map_err(failed)?;
        let mut archive = Archive::new(plain);
        let mut parts = Self::default();
        while let Some(entry) = archive.next().map_err(failed)? {
            let count = parts.files.len() + parts.links.len();
            if count >= MAX_ENTRIES {
                let message = format!("more than {MAX_ENTRIES} entries");
                return Err(Error::InvalidArchive(message));
            }
            parts.add(&entry, &mut archive, staging, count)?;
        }
        Ok(parts)
    }

    fn add(
        &mut self,
        entry: &Entry,
        data: &mut impl Read,
        staging: &Staging,
        number: usize,
    ) -> Result<()> {
        let name = clean("", &String::from_utf8_lossy(&entry.path));
        let link = String::from_utf8_lossy(&entry.link);
        match entry.kind {
            Kind::File => {
                let part = stage(data, &staging.path().join(number.to_string()))?;
                self.links.remove(&name);
                self.files.insert(name, part);
            }
            // Old `docker save` links layers that several images share.
            Kind::Symlink => {
                let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
                let target = clean(directory, &link);
                self.links.insert(name, target);
            }
            Kind::HardLink => drop(self.links.insert(name, clean("", &link))),
            Kind::Directory | Kind::Character | Kind::Block | Kind::Fifo => {}
        }
        Ok(())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_ok()
    }

    /// The file of that name.
    pub(super) fn get(&self, name: &str) -> Result<&Part> {
        let mut name = clean("", name);
        for _ in 0..MAX_LINKS {
            if let Some(part) = self.files.get(&name) {
                return Ok(part);
            }
            let Some(target) = self.links.get(&name) else { break };
            name.clone_from(target);
        }
        Err(Error::InvalidArchive(format!("{name:?} is not in it")))
    }

    /// The blob with that digest: `blobs/sha256/<hex>`, of which the content was checked.
    pub(super) fn blob(&self, digest: &Digest) -> Result<&Part> {
        let part = self.get(&format!("blobs/sha256/{}", digest.hex()))?;
        if part.digest != *digest {
            let message = format!("blob {digest} has digest {}", part.digest);
            return Err(Error::InvalidArchive(message));
        }
        Ok(part)
    }
}

impl Part {
    /// The bytes of a part that holds JSON.
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        let failed = |error| Error::archive_io("read", &self.path, error);
        read_bounded(File::open(&self.path).map_err(failed)?, MAX_JSON).map_err(failed)
    }

    /// How it is compressed.
    pub(crate) fn compression(&self) -> Result<Compression> {
        let failed = |error| Error::archive_io("read", &self.path, error);
        let file = File::open(&self.path).map_err(failed)?;
        Ok(compression::plain(file).map_err(failed)?.1)
    }
}

/// Reads JSON; what it was meant to be goes into the error.
pub(super) fn json<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| Error::InvalidArchive(format!("{what}: {error}")))
}

/// Copies a stream to a new file, hashing it.
pub(crate) fn stage(data: impl Read, path: &Path) -> Result<Part> {
    let copy = || -> io::Result<Part> {
        let mut reader = Hashing::new(data, MAX_FILE);
        io::copy(&mut reader, &mut File::create_new(path)?)?;
        let (digest, size) = reader.finish();
        Ok(Part { path: path.to_owned(), digest, size })
    };
    copy().map_err(|error| Error::archive_io("write", path, error))
}

/// A name of the archive, cleaned as text: it only ever is a key of our maps.
fn clean(directory: &str, name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let directory = if name.starts_with('/') { "" } else { directory };
    for part in directory.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_as_text() {
        assert_eq!(clean("", "./a//b"), "a/b");
        assert_eq!(clean("x/y", "../z/layer.tar"), "x/z/layer.tar");
        assert_eq!(clean("x", "/etc"), "etc");
        assert_eq!(clean("", "../../a"), "a");
    }

    #[test]
    fn links_that_go_round_end() {
        let mut parts = Parts::default();
        parts.links.insert("a".to_owned(), "b".to_owned());
        parts.links.insert("b".to_owned(), "a".to_owned());
        assert!(parts.get("a").is_err());
    }
}
