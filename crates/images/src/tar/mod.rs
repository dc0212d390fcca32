//! Reading tar archives that nobody vouches for.
//!
//! In: a reader. Out: [`Entry`]s, one after the other, and the bytes of each. ustar, GNU (long
//! names) and PAX (sizes, times, xattrs) are read; memory is bounded whatever the archive says,
//! which is why this is not left to a library: extension records there are read whole.
//! It touches no file and judges no path (`unpack` does).

mod header;
mod pax;

use std::io::{self, Read};

use header::Header;
use pax::Extensions;

const BLOCK: usize = 512;
/// Longest path that the kernel takes (`PATH_MAX`).
pub(crate) const MAX_PATH: usize = 4096;
/// Most bytes of extension records (long names, xattrs) that one entry may have.
const MAX_EXTENSION: u64 = 1024 * 1024;

/// What an entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    HardLink,
    Symlink,
    Character,
    Block,
    Directory,
    Fifo,
}

/// One entry; its bytes are read from the archive until the next one is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub path: Vec<u8>,
    pub kind: Kind,
    /// Target of a link.
    pub link: Vec<u8>,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    /// Seconds and nanoseconds since the epoch.
    pub mtime: (i64, u32),
    /// Major and minor number of a device.
    pub device: (u32, u32),
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A tar archive being read.
pub(crate) struct Archive<R> {
    inner: R,
    /// Bytes of the current entry that were not read yet.
    unread: u64,
    /// Bytes after them up to the next block.
    padding: u64,
}

impl<R: Read> Archive<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, unread: 0, padding: 0 }
    }

    /// The next entry; what is unread of the one before is skipped. `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut extensions = Extensions::default();
        let mut budget = MAX_EXTENSION;
        loop {
            self.skip()?;
            let Some(header) = self.header()? else { return Ok(None) };
            let size = extensions.size.unwrap_or(header.size()?);
            match header.type_flag() {
                // Global records: of what they may hold, nothing concerns a layer.
                b'g' => drop(self.extension(header.size()?, &mut budget)?),
                b'x' => extensions.read_pax(&self.extension(header.size()?, &mut budget)?)?,
                b'L' => extensions.read_name(self.extension(header.size()?, &mut budget)?),
                b'K' => extensions.read_link(self.extension(header.size()?, &mut budget)?),
                flag => {
                    let entry = entry(&header, flag, extensions, size)?;
                    let bytes = if entry.kind == Kind::File { entry.size } else { 0 };
                    self.expect(bytes);
                    return Ok(Some(entry));
                }
            }
        }
    }

    /// Reads to the end of the stream and gives the reader back (what follows the last entry
    /// belongs to the archive's digest).
    pub(crate) fn finish(mut self) -> io::Result<R> {
        io::copy(&mut self.inner, &mut io::sink())?;
        Ok(self.inner)
    }

    fn expect(&mut self, size: u64) {
        self.unread = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
    }

    fn skip(&mut self) -> io::Result<()> {
        let rest = self.unread + self.padding;
        let skipped = io::copy(&mut self.inner.by_ref().take(rest), &mut io::sink())?;
        self.expect(0);
        if skipped == rest { Ok(()) } else { Err(cut_off()) }
    }

    /// The next header; `None` at a block of zeros or the end of the stream.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let mut block = Vec::with_capacity(BLOCK);
        self.inner.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        if block.is_empty() || block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let block = block.try_into().map_err(|_| cut_off())?;
        Header::parse(block).map(Some)
    }

    fn extension(&mut self, size: u64, budget: &mut u64) -> io::Result<Vec<u8>> {
        *budget = budget.checked_sub(size).ok_or_else(|| malformed("extension too long"))?;
        self.expect(size);
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The bytes of the current entry.
impl<R: Read> Read for Archive<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.by_ref().take(self.unread).read(buffer)?;
        if read == 0 && self.unread > 0 && !buffer.is_empty() {
            return Err(cut_off());
        }
        self.unread -= read as u64;
        Ok(read)
    }
}

fn entry(header: &Header, flag: u8, extensions: Extensions, size: u64) -> io::Result<Entry> {
    let path = extensions.path.unwrap_or_else(|| header.path());
    let link = extensions.link.unwrap_or_else(|| header.link());
    if path.len() > MAX_PATH || link.len() > MAX_PATH {
        return Err(malformed("path too long"));
    }
    if path.contains(&0) || link.contains(&0) {
        return Err(malformed("zero byte in a path"));
    }
    if size > i64::MAX as u64 {
        return Err(malformed("impossible size"));
    }
    Ok(Entry {
        kind: kind(flag, &path)?,
        path,
        link,
        mode: header.mode()? & 0o7777,
        uid: extensions.uid.map_or_else(|| header.uid(), Ok)?,
        gid: extensions.gid.map_or_else(|| header.gid(), Ok)?,
        size,
        mtime: extensions.mtime.map_or_else(|| header.mtime(), Ok)?,
        device: header.device()?,
        xattrs: extensions.xattrs,
    })
}

fn kind(flag: u8, path: &[u8]) -> io::Result<Kind> {
    Ok(match flag {
        // Before POSIX a directory was a file whose name ends in a slash.
        b'0' | b'\0' | b'7' if path.ends_with(b"/") => Kind::Directory,
        b'0' | b'\0' | b'7' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::Character,
        b'4' => Kind::Block,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        b'S' => return Err(malformed("sparse files are not supported")),
        other => {
            let message = format!("unhandled tar header type {other}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
    })
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed tar: {what}"))
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "malformed tar: unexpected end")
}

#[cfg(test)]
mod tests;
