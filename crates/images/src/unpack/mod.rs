//! Unpacking a layer into a directory, as overlayfs wants it.
//!
//! In: a tar of which every byte may be hostile, and an empty directory. Out: the files with
//! owners, modes, times and xattrs; whiteouts as overlayfs has them. An entry that would be
//! written outside the directory, however it is dressed up, ends the work with an error.
//! It knows no digests and decides nothing about what becomes of a half-unpacked directory.

mod attributes;
mod beneath;
mod path;

use std::io::{self, Read};
use std::os::fd::AsFd;

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::tar::{Archive, Entry, Kind};
use beneath::{Parent, Root};
use path::Place;

/// Most entries of a layer.
const MAX_ENTRIES: u64 = 4_000_000;
const OPAQUE: &str = ".wh..wh..opq";
const WHITEOUT: &[u8] = b".wh.";

/// Unpacks `tar` below `directory`; returns the bytes of all files. The reader stands then
/// wherever the archive's end mark was.
pub(crate) fn unpack<R: Read>(
    archive: &mut Archive<R>,
    directory: &std::path::Path,
) -> io::Result<u64> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = Root::new(fs::openat(CWD, directory, flags, Mode::empty())?);
    let mut layer = Layer { root, directory_times: Vec::new(), size: 0 };
    let mut count = 0;
    while let Some(entry) = archive.next()? {
        count += 1;
        if count > MAX_ENTRIES {
            return Err(invalid(&format!("more than {MAX_ENTRIES} entries")));
        }
        layer.apply(&entry, archive).map_err(|error| about(&entry, error))?;
    }
    layer.finish()?;
    Ok(layer.size)
}

/// A layer being unpacked.
struct Layer {
    root: Root,
    /// Set at the end: making files in a directory changes its time.
    directory_times: Vec<(Place, (i64, u32))>,
    size: u64,
}

impl Layer {
    fn apply(&mut self, entry: &Entry, data: &mut impl Read) -> io::Result<()> {
        let place = Place::parse(&entry.path)?;
        let Some(name) = place.name() else { return self.top(entry, place) };
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return self.whiteout(&place, name, hidden);
        }
        let parent = self.root.parent(&place)?;
        let was = self.make_room(&parent, name, entry.kind)?;
        match entry.kind {
            Kind::Directory => self.directory(&parent, name, entry, place.clone(), was)?,
            Kind::File => self.file(&parent, name, entry, data)?,
            Kind::HardLink => self.hard_link(&parent, name, entry)?,
            Kind::Symlink => symlink(&parent, name, entry)?,
            Kind::Character | Kind::Block | Kind::Fifo => special(&parent, name, entry)?,
        }
        Ok(())
    }

    /// The entry of the layer's own root (`./`).
    fn top(&mut self, entry: &Entry, place: Place) -> io::Result<()> {
        if entry.kind != Kind::Directory {
            return Err(invalid("its path is the root"));
        }
        let directory = fs::openat(&self.root, ".", attributes::DIRECTORY, Mode::empty())?;
        attributes::set_on(&directory, entry)?;
        self.directory_times.push((place, entry.mtime));
        Ok(())
    }

    fn whiteout(&mut self, place: &Place, name: &[u8], hidden: &[u8]) -> io::Result<()> {
        if name == OPAQUE.as_bytes() {
            let parent = self.root.parent(place)?;
            let directory = fs::openat(&parent, ".", attributes::DIRECTORY, Mode::empty())?;
            return attributes::set_opaque(&directory);
        }
        if hidden.starts_with(WHITEOUT) {
            // aufs's own bookkeeping (`.wh..wh.plnk`); nothing of the image.
            return Ok(());
        }
        if matches!(hidden, b"" | b"." | b"..") {
            return Err(invalid("whiteout of nothing"));
        }
        let parent = self.root.parent(place)?;
        match existing(&parent, hidden)? {
            None => attributes::make_whiteout(&parent, hidden),
            // A whiteout speaks of the layers below; what this layer has of that name stays.
            Some(FileType::Directory) => {
                attributes::set_opaque(&attributes::open_directory(&parent, hidden)?)
            }
            Some(_) => Ok(()),
        }
    }

    /// Removes what an earlier entry of the same name left, except a directory that is to
    /// stay one. Returns what was there.
    fn make_room(&mut self, parent: &Parent, name: &[u8], kind: Kind) -> io::Result<Was> {
        let Some(found) = existing(parent, name)? else { return Ok(Was::Nothing) };
        if found == FileType::Directory && kind == Kind::Directory {
            return Ok(Was::Directory);
        }
        self.root.forget_parent();
        if found == FileType::Directory {
            beneath::remove_tree(parent, name)?;
            return Ok(Was::Nothing);
        }
        let whiteout = found == FileType::CharacterDevice && attributes::is_whiteout(parent, name)?;
        fs::unlinkat(parent, name, AtFlags::empty())?;
        Ok(if whiteout { Was::Whiteout } else { Was::Nothing })
    }

    fn directory(
        &mut self,
        parent: &Parent,
        name: &[u8],
        entry: &Entry,
        place: Place,
        was: Was,
    ) -> io::Result<()> {
        if was != Was::Directory {
            fs::mkdirat(parent, name, Mode::RWXU)?;
        }
        let directory = attributes::open_directory(parent, name)?;
        attributes::set_on(&directory, entry)?;
        if was == Was::Whiteout {
            // Below there is another directory of that name, which must not shine through.
            attributes::set_opaque(&directory)?;
        }
        self.directory_times.push((place, entry.mtime));
        Ok(())
    }

    fn file(
        &mut self,
        parent: &Parent,
        name: &[u8],
        entry: &Entry,
        data: &mut impl Read,
    ) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let file = fs::openat(parent, name, flags | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR)?;
        let mut file = std::fs::File::from(file);
        let written = io::copy(data, &mut file)?;
        if written != entry.size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.size += written;
        attributes::set_on(&file, entry)?;
        attributes::set_times(file.as_fd(), entry.mtime)
    }

    fn hard_link(&mut self, parent: &Parent, name: &[u8], entry: &Entry) -> io::Result<()> {
        let target = Place::parse(&entry.link)?;
        let target_name = target.name().ok_or_else(|| invalid("hard link to the root"))?;
        let from = self.root.existing_parent(&target)?;
        // Without AT_SYMLINK_FOLLOW: a link to a symlink is another name of the symlink.
        fs::linkat(&from, target_name, parent, name, AtFlags::empty())?;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        for (place, mtime) in self.directory_times.drain(..).rev() {
            match self.root.open_directory(&place) {
                Ok(directory) => attributes::set_times(directory.as_fd(), mtime)?,
                // A later entry took its place.
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What stood where an entry goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Was {
    Nothing,
    Directory,
    Whiteout,
}

fn symlink(parent: &Parent, name: &[u8], entry: &Entry) -> io::Result<()> {
    fs::symlinkat(entry.link.as_slice(), parent, name)?;
    attributes::set_on_link(parent, name, entry)
}

fn special(parent: &Parent, name: &[u8], entry: &Entry) -> io::Result<()> {
    let kind = match entry.kind {
        Kind::Character => FileType::CharacterDevice,
        Kind::Block => FileType::BlockDevice,
        _ => FileType::Fifo,
    };
    let (major, minor) = if entry.kind == Kind::Fifo { (0, 0) } else { entry.device };
    fs::mknodat(parent, name, kind, Mode::empty(), fs::makedev(major, minor))?;
    attributes::set_on_special(parent, name, entry)
}

fn existing(parent: &Parent, name: &[u8]) -> io::Result<Option<FileType>> {
    match fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Names the entry, and says in plain words what the kernel means by EXDEV.
fn about(entry: &Entry, error: io::Error) -> io::Error {
    let path = String::from_utf8_lossy(&entry.path).into_owned();
    if error.raw_os_error() == Some(Errno::XDEV.raw_os_error()) {
        return invalid(&format!("entry {path:?} would be written outside the layer's root"));
    }
    io::Error::new(error.kind(), format!("entry {path:?}: {error}"))
}

#[cfg(test)]
mod tests;
