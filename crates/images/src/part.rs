//! Blobs that are on their way, in part or whole: `images/parts/<hex>`.
//!
//! In: bytes of a blob as they come. Out: a file that is whole and has the right digest, or one
//! that can be gone on with. One writer at a time, which the file's lock sees to. What nobody goes
//! on with is swept after [`LIFETIME`].

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::Images;
use crate::error::{Error, Result};
use crate::files::{self, Layout};
use crate::id::Digest;

/// How long an unfinished blob waits for somebody to go on with it.
pub const LIFETIME: Duration = Duration::from_secs(3600);

/// A blob that is being written.
#[derive(Debug)]
pub struct Part {
    file: File,
    path: PathBuf,
    hash: Sha256,
    digest: Digest,
    size: u64,
    at: u64,
}

impl Images {
    /// The blob with that digest and size, as far as it is there. Waits while another writes it.
    pub fn part(&self, digest: &Digest, size: u64) -> Result<Part> {
        let path = self.layout.part(digest);
        let file = open_locked(&path).map_err(Error::io("open", &path))?;
        let mut part =
            Part { file, path, hash: Sha256::new(), digest: digest.clone(), size, at: 0 };
        part.read_on().map_err(Error::io("read", &part.path))?;
        Ok(part)
    }

    /// Removes parts that were last written before so long a time, and that nobody writes.
    pub fn sweep_parts(&self, age: Duration) -> Result<()> {
        let directory = self.layout.parts();
        for name in files::names(&directory)? {
            let path = directory.join(name);
            let Ok(file) = File::open(&path) else { continue };
            let modified = file.metadata().and_then(|metadata| metadata.modified());
            let is_old = modified.is_ok_and(|time| {
                SystemTime::now().duration_since(time).is_ok_and(|passed| passed >= age)
            });
            if is_old && file.try_lock().is_ok() {
                files::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// Opens the file and locks it. The one before us may have moved or removed it meanwhile: then
/// there is another.
fn open_locked(path: &Path) -> io::Result<File> {
    loop {
        let file =
            File::options().create(true).truncate(false).read(true).append(true).open(path)?;
        file.lock()?;
        let ours = file.metadata()?.ino();
        match fs::metadata(path) {
            Ok(there) if there.ino() == ours => return Ok(file),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
}

impl Part {
    /// How many bytes are there.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Whether all bytes are there (right or wrong).
    pub fn is_whole(&self) -> bool {
        self.at == self.size
    }

    /// Reads what an earlier attempt left.
    fn read_on(&mut self) -> io::Result<()> {
        if self.file.metadata()?.len() > self.size {
            self.file.set_len(0)?;
        }
        let mut buffer = vec![0; 256 << 10];
        loop {
            match self.file.read(&mut buffer)? {
                0 => return Ok(()),
                read => {
                    self.hash.update(&buffer[..read]);
                    self.at += read as u64;
                }
            }
        }
    }

    /// Begins anew.
    pub fn restart(&mut self) -> Result<()> {
        self.file.set_len(0).map_err(Error::io("truncate", &self.path))?;
        (self.hash, self.at) = (Sha256::new(), 0);
        Ok(())
    }

    /// Adds bytes.
    ///
    /// Errors: kind `InvalidParameter` for more than were announced; then nothing is left.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.at + bytes.len() as u64 > self.size {
            files::remove_file(&self.path)?;
            let message = format!("blob {} is longer than {} bytes", self.digest, self.size);
            return Err(Error::InvalidArchive(message));
        }
        self.file.write_all(bytes).map_err(Error::io("write", &self.path))?;
        self.hash.update(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Checks the digest of the whole.
    ///
    /// Errors: kind `InvalidParameter`, in Docker's words; then nothing is left.
    pub fn finish(self) -> Result<()> {
        if Digest::from_hash(self.hash.finalize().as_slice()) == self.digest {
            return Ok(());
        }
        files::remove_file(&self.path)?;
        let message = format!("filesystem layer verification failed for digest {}", self.digest);
        Err(Error::InvalidArchive(message))
    }
}

/// Where the bytes of a blob are: among the blobs, else among the parts.
pub(crate) fn source(layout: &Layout, digest: &Digest) -> PathBuf {
    let blob = layout.blob(digest);
    if blob.exists() { blob } else { layout.part(digest) }
}

/// Makes a blob of a part that is whole and checked.
pub(crate) fn promote(layout: &Layout, digest: &Digest) -> Result<()> {
    let (part, blob) = (layout.part(digest), layout.blob(digest));
    if blob.exists() {
        return files::remove_file(&part);
    }
    match fs::rename(&part, &blob) {
        // Another pull of the same blob was quicker.
        Err(_) if blob.exists() => Ok(()),
        moved => moved.map_err(Error::io("keep blob", &blob)),
    }
}
