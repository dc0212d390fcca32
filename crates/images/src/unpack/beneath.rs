//! Finding directories below a layer's root, never outside.
//!
//! In: a place. Out: an open directory. The kernel does the watching (`openat2` with
//! `RESOLVE_BENEATH`): a symlink that is absolute or climbs out makes it fail with `EXDEV`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{self, AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::path::Place;

/// The layer's root directory.
pub(super) struct Root {
    directory: OwnedFd,
    /// The parent of the last entry: the next one mostly has the same.
    last: Option<(Vec<u8>, Parent)>,
}

/// An open directory that entries go into.
#[derive(Clone)]
pub(super) struct Parent(Rc<OwnedFd>);

impl AsFd for Parent {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

impl Root {
    pub(super) fn new(directory: OwnedFd) -> Self {
        Self { directory, last: None }
    }

    /// The directory that the place is in; made, with its parents, if it is missing.
    pub(super) fn parent(&mut self, place: &Place) -> io::Result<Parent> {
        let path = place.parent();
        if let Some((last, parent)) = &self.last
            && last == path
        {
            return Ok(parent.clone());
        }
        let directory = match self.open(path) {
            Err(Errno::NOENT) => self.make(path)?,
            other => other?,
        };
        let parent = Parent(Rc::new(directory));
        self.last = Some((path.to_vec(), parent.clone()));
        Ok(parent)
    }

    /// The directory that the place is in.
    pub(super) fn existing_parent(&self, place: &Place) -> io::Result<Parent> {
        Ok(Parent(Rc::new(self.open(place.parent())?)))
    }

    /// The directory at the place, for setting its times.
    pub(super) fn open_directory(&self, place: &Place) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        Ok(self.openat2(place.as_bytes(), flags)?)
    }

    /// To be called when a directory was removed: the kept one may be that.
    pub(super) fn forget_parent(&mut self) {
        self.last = None;
    }

    fn open(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        self.openat2(path, OFlags::PATH | OFlags::DIRECTORY)
    }

    fn openat2(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { b"." } else { path };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        fs::openat2(&self.directory, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
    }

    /// Makes the directory and its missing parents, as `tar` does for archives that leave
    /// them out.
    fn make(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let mut directory = self.open(b"")?;
        for end in ends_of_components(path) {
            let upto = path.get(..end).unwrap_or_default();
            directory = match self.open(upto) {
                Err(Errno::NOENT) => {
                    let name = upto.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
                    let mode = Mode::from_raw_mode(0o755);
                    fs::mkdirat(&directory, name, mode)?;
                    // Again, since the umask took part. We just made it: it is no link.
                    fs::chmodat(&directory, name, mode, AtFlags::empty())?;
                    self.open(upto)?
                }
                other => other?,
            };
        }
        Ok(directory)
    }
}

fn ends_of_components(path: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    slashes.chain([path.len()])
}

/// Removes a directory with all that is in it; links in it are not followed.
pub(super) fn remove_tree(parent: &Parent, name: &[u8]) -> io::Result<()> {
    let parent = format!("/proc/self/fd/{}", parent.as_fd().as_raw_fd());
    std::fs::remove_dir_all(Path::new(&parent).join(std::ffi::OsStr::from_bytes(name)))
}
