//! Making places for mounts inside a root file system, never outside.
//!
//! In: the root's descriptor and a path as the container sees it. Out: a directory or a file
//! there. Links are resolved as the container would, with the root as `/`; where one leads to
//! nothing, that is made. Each step opens what is there without following it.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, chmodat, fchmod, mkdirat, openat, readlinkat, statat,
};
use rustix::io::Errno;

use crate::error::{Error, Result};

/// As many links as the kernel follows.
const MAX_LINKS: usize = 40;
const DIRECTORY: OFlags =
    OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Makes a directory with its parents inside a root, never outside: links are resolved within it.
/// Existing directories are left as they are; new ones are root's, mode 755.
pub fn ensure_dir(root: BorrowedFd<'_>, path: &Path) -> Result<()> {
    ensure(root, path, FileType::Directory)
        .map_err(|error| Error::io("create directory in root file system", path)(error.into()))
}

/// As [`ensure_dir`], for an empty regular file (the place of a bind mount of a file). Anything
/// but a directory that is already there will do.
pub fn ensure_file(root: BorrowedFd<'_>, path: &Path) -> Result<()> {
    ensure(root, path, FileType::RegularFile)
        .map_err(|error| Error::io("create file in root file system", path)(error.into()))
}

/// A walk through the root file system.
struct Walk<'a> {
    root: BorrowedFd<'a>,
    /// From below the root to where we are; to go back on `..`.
    stack: Vec<OwnedFd>,
    /// Components still to go.
    rest: VecDeque<OsString>,
    links: usize,
}

fn ensure(root: BorrowedFd<'_>, path: &Path, last: FileType) -> Result<(), Errno> {
    let mut walk = Walk { root, stack: Vec::new(), rest: VecDeque::new(), links: 0 };
    walk.push(path.as_os_str());
    while let Some(name) = walk.rest.pop_front() {
        let is_last = walk.rest.is_empty();
        match name.as_bytes() {
            b"" | b"." => {}
            b".." => drop(walk.stack.pop()),
            _ => walk.step(&name, if is_last { last } else { FileType::Directory })?,
        }
    }
    Ok(())
}

impl Walk<'_> {
    /// Puts a path before what is still to go.
    fn push(&mut self, path: &OsStr) {
        if path.as_bytes().starts_with(b"/") {
            self.stack.clear();
        }
        for part in path.as_bytes().rsplit(|byte| *byte == b'/') {
            self.rest.push_front(OsStr::from_bytes(part).to_owned());
        }
        // A slash at the end must not hide which component is the last.
        while self.rest.back().is_some_and(|part| part.is_empty()) {
            self.rest.pop_back();
        }
    }

    fn step(&mut self, name: &OsStr, wanted: FileType) -> Result<(), Errno> {
        let here = self.stack.last().map_or(self.root, |directory| directory.as_fd());
        let found = match statat(here, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Some(FileType::from_raw_mode(stat.st_mode)),
            Err(Errno::NOENT) => None,
            Err(error) => return Err(error),
        };
        if found == Some(FileType::Symlink) {
            let target = readlinkat(here, name, Vec::new())?;
            return self.follow(OsString::from_vec(target.into_bytes()));
        }
        if wanted == FileType::RegularFile {
            return file(here, name, found);
        }
        if found.is_none() {
            // Then with chmod, since the umask takes part. What was just made is no link.
            let mode = Mode::from_raw_mode(0o755);
            mkdirat(here, name, mode)?;
            chmodat(here, name, mode, AtFlags::empty())?;
        }
        let directory = openat(here, name, DIRECTORY, Mode::empty())?;
        self.stack.push(directory);
        Ok(())
    }

    fn follow(&mut self, target: OsString) -> Result<(), Errno> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::LOOP);
        }
        self.push(&target);
        Ok(())
    }
}

fn file(here: BorrowedFd<'_>, name: &OsStr, found: Option<FileType>) -> Result<(), Errno> {
    match found {
        Some(FileType::Directory) => Err(Errno::ISDIR),
        Some(_) => Ok(()),
        None => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
            let mode = Mode::from_raw_mode(0o644);
            fchmod(openat(here, name, flags | OFlags::CLOEXEC, mode)?, mode)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    struct Root(tempfile::TempDir);

    impl Root {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            fs::create_dir(directory.path().join("root")).unwrap();
            Self(directory)
        }

        fn path(&self, path: &str) -> std::path::PathBuf {
            self.0.path().join("root").join(path)
        }

        fn dir(&self, path: &str) -> Result<()> {
            ensure_dir(fs::File::open(self.path("")).unwrap().as_fd(), Path::new(path))
        }

        fn file(&self, path: &str) -> Result<()> {
            ensure_file(fs::File::open(self.path("")).unwrap().as_fd(), Path::new(path))
        }
    }

    #[test]
    fn places_are_made_with_their_parents() {
        let root = Root::new();
        root.dir("/a/b/./c/").unwrap();
        root.dir("a/b").unwrap();
        root.file("/a/f").unwrap();
        root.file("/a/f").unwrap();
        root.file("x/y/z").unwrap();
        root.dir("/").unwrap();
        assert!(root.path("a/b/c").is_dir() && root.path("a/f").is_file());
        assert!(root.path("x/y/z").is_file());
        assert!(root.dir("/a/f").is_err() && root.dir("/a/f/g").is_err());
        assert!(root.file("/a/b").is_err());
    }

    #[test]
    fn links_are_resolved_inside() {
        let root = Root::new();
        fs::create_dir(root.0.path().join("outside")).unwrap();
        fs::create_dir(root.path("var")).unwrap();
        symlink("/run", root.path("var/run")).unwrap();
        symlink("../../outside", root.path("climb")).unwrap();
        symlink(root.0.path().join("outside"), root.path("absolute")).unwrap();
        symlink("var/target", root.path("file")).unwrap();
        root.dir("/var/run/lock").unwrap();
        root.dir("/climb/d").unwrap();
        root.dir("/absolute/d").unwrap();
        root.file("/file").unwrap();
        root.dir("/../../up").unwrap();
        assert!(root.path("run/lock").is_dir(), "a link to nothing: its target is made");
        assert!(root.path("outside/d").is_dir() && root.path("up").is_dir());
        assert!(root.path("var/target").is_file());
        assert_eq!(fs::read_dir(root.0.path().join("outside")).unwrap().count(), 0);
    }

    #[test]
    fn links_that_go_round_are_refused() {
        let root = Root::new();
        symlink("b", root.path("a")).unwrap();
        symlink("a", root.path("b")).unwrap();
        assert!(root.dir("/a/x").is_err());
    }
}
