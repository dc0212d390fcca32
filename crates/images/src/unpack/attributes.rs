//! Owners, modes, times, xattrs, and the marks that overlayfs reads.
//!
//! In: a file that was just made, and its entry. Out: the file as the entry says.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    self, AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags,
};
use rustix::io::Errno;

use super::beneath::Parent;
use crate::tar::Entry;

/// Opens a directory, not a symlink to one.
pub(super) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const OPAQUE: &str = "trusted.overlay.opaque";

pub(super) fn open_directory(parent: &Parent, name: &[u8]) -> io::Result<OwnedFd> {
    Ok(fs::openat(parent, name, DIRECTORY, Mode::empty())?)
}

/// Owner, mode and xattrs. In this order: a change of owner takes setuid bits and file
/// capabilities away.
pub(super) fn set_on(file: &impl AsFd, entry: &Entry) -> io::Result<()> {
    let (uid, gid) = owner(entry);
    fs::fchown(file, uid, gid)?;
    fs::fchmod(file, Mode::from_raw_mode(entry.mode))?;
    for (name, value) in entry.xattrs.iter().filter(|(name, _)| is_welcome(name)) {
        match fs::fsetxattr(file, name.as_slice(), value, XattrFlags::empty()) {
            // The file system below has no such xattrs: as Docker, go on without.
            Ok(()) | Err(Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Owner and time of a symlink: it has no mode.
pub(super) fn set_on_link(parent: &Parent, name: &[u8], entry: &Entry) -> io::Result<()> {
    let (uid, gid) = owner(entry);
    fs::chownat(parent, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(fs::utimensat(parent, name, &times(entry.mtime), AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Owner, mode and time of what must not be opened (opening a device does things).
pub(super) fn set_on_special(parent: &Parent, name: &[u8], entry: &Entry) -> io::Result<()> {
    let (uid, gid) = owner(entry);
    fs::chownat(parent, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
    // Follows links, but nobody else writes here and we just made this file.
    fs::chmodat(parent, name, Mode::from_raw_mode(entry.mode), AtFlags::empty())?;
    Ok(fs::utimensat(parent, name, &times(entry.mtime), AtFlags::SYMLINK_NOFOLLOW)?)
}

pub(super) fn set_times(file: BorrowedFd<'_>, mtime: (i64, u32)) -> io::Result<()> {
    Ok(fs::futimens(file, &times(mtime))?)
}

/// Hides what the layers below have in this directory.
pub(super) fn set_opaque(directory: &OwnedFd) -> io::Result<()> {
    Ok(fs::fsetxattr(directory, OPAQUE, b"y", XattrFlags::empty())?)
}

/// Hides a name that a layer below has.
pub(super) fn make_whiteout(parent: &Parent, name: &[u8]) -> io::Result<()> {
    Ok(fs::mknodat(parent, name, FileType::CharacterDevice, Mode::empty(), 0)?)
}

pub(super) fn is_whiteout(parent: &Parent, name: &[u8]) -> io::Result<bool> {
    Ok(fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?.st_rdev == 0)
}

fn owner(entry: &Entry) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(entry.uid)), Some(Gid::from_raw(entry.gid)))
}

fn times((seconds, nanos): (i64, u32)) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: nanos.into() },
    }
}

/// Which xattrs an image may bring. overlayfs's own would let a layer redirect directories;
/// those of security modules belong to the host.
fn is_welcome(name: &[u8]) -> bool {
    let overlay = name.starts_with(b"user.overlay.") || name.starts_with(b"trusted.overlay.");
    let known = name == b"security.capability"
        || name.starts_with(b"user.")
        || name.starts_with(b"trusted.")
        || name.starts_with(b"system.posix_acl_");
    known && !overlay
}
