//! The fixed 512-byte header of an entry.
//!
//! In: a block. Out: its fields as numbers and bytes; an error if its checksum is wrong.

use std::io;
use std::ops::Range;

use super::{BLOCK, malformed};

const NAME: Range<usize> = 0..100;
const MODE: Range<usize> = 100..108;
const UID: Range<usize> = 108..116;
const GID: Range<usize> = 116..124;
const SIZE: Range<usize> = 124..136;
const MTIME: Range<usize> = 136..148;
const CHECKSUM: Range<usize> = 148..156;
const TYPE: usize = 156;
const LINK: Range<usize> = 157..257;
const MAGIC: Range<usize> = 257..263;
const MAJOR: Range<usize> = 329..337;
const MINOR: Range<usize> = 337..345;
const PREFIX: Range<usize> = 345..500;

/// A header whose checksum is right.
pub(super) struct Header([u8; BLOCK]);

impl Header {
    pub(super) fn parse(block: [u8; BLOCK]) -> io::Result<Self> {
        let blank = |(at, byte): (usize, &u8)| if CHECKSUM.contains(&at) { b' ' } else { *byte };
        let sum: i64 = block.iter().enumerate().map(blank).map(i64::from).sum();
        // Some old programs summed signed bytes.
        let signed: i64 =
            block.iter().enumerate().map(blank).map(|b| i64::from(b.cast_signed())).sum();
        let header = Self(block);
        let written = header.number(CHECKSUM)?;
        if written != sum && written != signed {
            return Err(malformed("wrong checksum (not a tar archive?)"));
        }
        Ok(header)
    }

    pub(super) fn type_flag(&self) -> u8 {
        self.0[TYPE]
    }

    pub(super) fn path(&self) -> Vec<u8> {
        let name = self.text(NAME);
        let prefix = self.text(PREFIX);
        // GNU's format (magic `ustar  `) has times where POSIX has the prefix.
        if self.field(MAGIC) != b"ustar\0" || prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }

    pub(super) fn link(&self) -> Vec<u8> {
        self.text(LINK).to_vec()
    }

    pub(super) fn mode(&self) -> io::Result<u32> {
        // Some programs put the file type above the permission bits.
        Ok((self.number(MODE)? & 0o7777) as u32)
    }

    pub(super) fn uid(&self) -> io::Result<u32> {
        self.number(UID)?.try_into().map_err(|_| malformed("user id"))
    }

    pub(super) fn gid(&self) -> io::Result<u32> {
        self.number(GID)?.try_into().map_err(|_| malformed("group id"))
    }

    pub(super) fn size(&self) -> io::Result<u64> {
        self.number(SIZE)?.try_into().map_err(|_| malformed("size"))
    }

    pub(super) fn mtime(&self) -> io::Result<(i64, u32)> {
        Ok((self.number(MTIME)?, 0))
    }

    pub(super) fn device(&self) -> io::Result<(u32, u32)> {
        if !self.field(MAGIC).starts_with(b"ustar") {
            return Ok((0, 0));
        }
        let part = |range| self.number(range)?.try_into().map_err(|_| malformed("device number"));
        Ok((part(MAJOR)?, part(MINOR)?))
    }

    fn field(&self, range: Range<usize>) -> &[u8] {
        self.0.get(range).unwrap_or_default()
    }

    /// Up to the first zero byte.
    fn text(&self, range: Range<usize>) -> &[u8] {
        self.field(range).split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// Octal digits between blanks, or (first bit set) a big-endian binary number.
    fn number(&self, range: Range<usize>) -> io::Result<i64> {
        let field = self.field(range);
        if field.first().is_some_and(|byte| byte & 0x80 != 0) {
            return binary(field);
        }
        let text = std::str::from_utf8(field).map_err(|_| malformed("number"))?;
        let digits = text.trim_matches(['\0', ' ']);
        if digits.is_empty() {
            return Ok(0);
        }
        i64::from_str_radix(digits, 8).map_err(|_| malformed("number"))
    }
}

fn binary(field: &[u8]) -> io::Result<i64> {
    let negative = field.first().is_some_and(|byte| byte & 0x40 != 0);
    let mut number: i128 = if negative { -1 } else { 0 };
    for (at, byte) in field.iter().enumerate() {
        // The first bit only says that this is binary; the second is the sign.
        let byte = if at == 0 && !negative { byte & 0x7f } else { *byte };
        number = (number << 8) | i128::from(byte);
    }
    number.try_into().map_err(|_| malformed("number"))
}
