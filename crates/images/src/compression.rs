//! Compression of archives and layers, told by the first bytes.
//!
//! In: a reader. Out: a reader of the plain bytes. gzip, zstd and none are known; others are
//! recognised, so that the error can name them.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const UNSUPPORTED: [(&[u8], &str); 2] = [(b"BZh", "bzip2"), (b"\xfd7zXZ", "xz")];
/// zstd's window is memory; 128 MiB is what `zstd -d` takes without being asked (log2).
const ZSTD_WINDOW: u32 = 27;

/// A bomb: more plain bytes than this, and more than so many for each compressed one (gzip cannot
/// do better than 1,032; zstd can).
const HARMLESS: u64 = 1024 * 1024 * 1024;
const RATIO: u64 = 1100;

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// The OCI media type of a layer compressed so.
    pub(crate) fn layer_media_type(self) -> &'static str {
        match self {
            Self::None => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

/// A reader of the plain bytes, and how they were compressed.
pub(crate) fn plain<'a>(reader: impl Read + 'a) -> io::Result<(Box<dyn Read + 'a>, Compression)> {
    let taken = Rc::new(Cell::new(0));
    let reader = Counting { inner: reader, count: Rc::clone(&taken) };
    let mut reader = BufReader::with_capacity(128 * 1024, reader);
    // A pipe may give a first byte alone: read until the longest magic number is in.
    let mut start = Vec::with_capacity(8);
    reader.by_ref().take(8).read_to_end(&mut start)?;
    if let Some((_, name)) = UNSUPPORTED.iter().find(|(magic, _)| start.starts_with(magic)) {
        let message = format!("compression {name} is not supported, only gzip and zstd are");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let compression = match start.as_slice() {
        s if s.starts_with(GZIP) => Compression::Gzip,
        s if s.starts_with(ZSTD) => Compression::Zstd,
        _ => Compression::None,
    };
    let whole = io::Cursor::new(start).chain(reader);
    let inner = decoder(whole, compression)?;
    let guarded = Guarded { inner, taken, given: 0, harmless: HARMLESS };
    Ok((Box::new(guarded), compression))
}

fn decoder<'a>(
    whole: impl BufRead + 'a,
    compression: Compression,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match compression {
        Compression::None => Box::new(whole),
        Compression::Gzip => Box::new(MultiGzDecoder::new(whole)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(whole)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
    })
}

/// Counts the compressed bytes.
struct Counting<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// Stops when far more comes out than went in.
struct Guarded<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
    given: u64,
    harmless: u64,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.given += read as u64;
        if self.given > self.harmless && self.given / RATIO > self.taken.get() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "decompression bomb"));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: &[u8]) -> io::Result<(Vec<u8>, Compression)> {
        let (mut reader, compression) = plain(bytes)?;
        let mut plain = Vec::new();
        reader.read_to_end(&mut plain)?;
        Ok((plain, compression))
    }

    #[test]
    fn compression_is_told_by_the_first_bytes() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"hello").unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(&b"hello"[..], 1).unwrap();
        assert_eq!(read(&gzip).unwrap(), (b"hello".to_vec(), Compression::Gzip));
        assert_eq!(read(&zstd).unwrap(), (b"hello".to_vec(), Compression::Zstd));
        assert_eq!(read(b"hello").unwrap(), (b"hello".to_vec(), Compression::None));
        assert_eq!(read(b"").unwrap(), (Vec::new(), Compression::None));
        assert!(read(&gzip[..gzip.len() - 4]).is_err(), "cut off");
        assert!(read(b"\xfd7zXZ\0").unwrap_err().to_string().contains("compression xz"));
    }

    #[test]
    fn bombs_are_stopped() {
        let zeros = io::repeat(0).take(64 << 20);
        let bomb = zstd::encode_all(zeros, 1).unwrap();
        let taken = Rc::new(Cell::new(bomb.len() as u64));
        let inner = zstd::stream::read::Decoder::new(bomb.as_slice()).unwrap();
        let mut guarded = Guarded { inner, taken, given: 0, harmless: 1 << 20 };
        let error = io::copy(&mut guarded, &mut io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "decompression bomb");
    }
}
