//! Filling an empty volume with what the image has at its place.
//!
//! In: a root file system, a path in it, a directory of the host. Out: a copy with owners, modes,
//! times and attributes. The image is not trusted: its path is resolved inside its root, and links
//! are copied, never followed.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use hawser_images::Rootfs;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, Timestamps};

use crate::engine::system;
use crate::error::{Error, Kind, Result};

/// Deepest nesting that is copied; an image has no business with more.
const DEEPEST: u32 = 128;

/// Copies what the image has at `path` into the volume, if that is empty.
pub(super) fn copy_up(rootfs: &Rootfs, path: &Path, volume: &Path) -> Result<()> {
    let mut files = std::fs::read_dir(volume).map_err(|e| system("read a volume", e))?;
    if files.next().is_some() {
        return Ok(());
    }
    let root = rootfs.mount(true).map_err(|e| system("mount the root file system", e))?;
    let relative = path.strip_prefix("/").unwrap_or(path);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let source = rustix::fs::openat2(&root, relative, flags, Mode::empty(), ResolveFlags::IN_ROOT);
    let source = match source {
        Ok(source) => source,
        Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(rustix::io::Errno::NOTDIR) => {
            return Err(Error::new(
                Kind::System,
                format!("cannot mount volume over existing file, file exists {}", path.display()),
            ));
        }
        Err(e) => return Err(system("open the volume's place in the image", io::Error::from(e))),
    };
    let copied = open_dir(CWD, volume).and_then(|target| {
        copy_dir(source.as_fd(), target.as_fd(), 0)?;
        attributes(source.as_fd(), target.as_fd())
    });
    copied.map_err(|e| system(&format!("copy {} of the image into its volume", path.display()), e))
}

fn open_dir(at: BorrowedFd<'_>, path: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(at, path, flags, Mode::empty())?)
}

fn copy_dir(source: BorrowedFd<'_>, target: BorrowedFd<'_>, depth: u32) -> io::Result<()> {
    if depth > DEEPEST {
        return Err(io::Error::other("directories are nested too deep"));
    }
    for file in Dir::read_from(source)? {
        let file = file?;
        let name = file.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            copy_file(source, target, name, depth)?;
        }
    }
    Ok(())
}

fn copy_file(
    source: BorrowedFd<'_>,
    target: BorrowedFd<'_>,
    name: &CStr,
    depth: u32,
) -> io::Result<()> {
    let stat = rustix::fs::statat(source, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let mode = Mode::from_raw_mode(stat.st_mode);
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            rustix::fs::mkdirat(target, name, Mode::RWXU)?;
            let (from, to) = (open_dir(source, name)?, open_dir(target, name)?);
            copy_dir(from.as_fd(), to.as_fd(), depth + 1)?;
            attributes(from.as_fd(), to.as_fd())
        }
        FileType::RegularFile => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let from = rustix::fs::openat(source, name, flags, Mode::empty())?;
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let to = rustix::fs::openat(target, name, flags, Mode::RWXU)?;
            let (mut from, mut to) = (std::fs::File::from(from), std::fs::File::from(to));
            io::copy(&mut from, &mut to)?;
            attributes(from.as_fd(), to.as_fd())
        }
        FileType::Symlink => {
            let link = rustix::fs::readlinkat(source, name, Vec::new())?;
            rustix::fs::symlinkat(link.as_c_str(), target, name)?;
            owner(target, name, &stat)
        }
        kind => {
            rustix::fs::mknodat(target, name, kind, mode, stat.st_rdev)?;
            owner(target, name, &stat)?;
            Ok(rustix::fs::chmodat(target, name, mode, AtFlags::empty())?)
        }
    }
}

fn owner(target: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> io::Result<()> {
    let (uid, gid) = ids(stat);
    Ok(rustix::fs::chownat(target, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?)
}

fn ids(stat: &Stat) -> (Option<rustix::fs::Uid>, Option<rustix::fs::Gid>) {
    let uid = rustix::fs::Uid::from_raw(stat.st_uid);
    (Some(uid), Some(rustix::fs::Gid::from_raw(stat.st_gid)))
}

/// Owner, extended attributes, mode and times, in this order: a change of owner clears set-id bits
/// and capabilities, every change touches the times.
fn attributes(source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
    let stat = rustix::fs::fstat(source)?;
    let (uid, gid) = ids(&stat);
    rustix::fs::fchown(target, uid, gid)?;
    extended_attributes(source, target)?;
    rustix::fs::fchmod(target, Mode::from_raw_mode(stat.st_mode))?;
    let time = |seconds, nanos: u64| rustix::fs::Timespec {
        tv_sec: seconds,
        tv_nsec: i64::try_from(nanos).unwrap_or(0),
    };
    let times = Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    };
    Ok(rustix::fs::futimens(target, &times)?)
}

fn extended_attributes(source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
    let mut names = vec![0; 64 * 1024];
    let length = match rustix::fs::flistxattr(source, &mut names[..]) {
        Err(rustix::io::Errno::OPNOTSUPP) => return Ok(()),
        other => other?,
    };
    let mut value = vec![0; 64 * 1024];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        // What overlayfs keeps for itself means nothing in a plain directory.
        if name.starts_with(b"trusted.overlay.") {
            continue;
        }
        let length = rustix::fs::fgetxattr(source, name, &mut value[..])?;
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::fsetxattr(target, name, &value[..length], flags)?;
    }
    Ok(())
}
