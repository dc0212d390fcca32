//! Extension records before an entry: PAX key=value pairs, GNU long names.
//!
//! In: the bytes of the record (already bounded). Out: what they say in place of the header.

use std::io;

use super::malformed;

const XATTR: &[u8] = b"SCHILY.xattr.";

/// What extension records said of the entry that follows.
#[derive(Default)]
pub(super) struct Extensions {
    pub path: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub mtime: Option<(i64, u32)>,
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Extensions {
    pub(super) fn read_name(&mut self, bytes: Vec<u8>) {
        self.path = Some(until_zero(bytes));
    }

    pub(super) fn read_link(&mut self, bytes: Vec<u8>) {
        self.link = Some(until_zero(bytes));
    }

    /// Records are `<length> <key>=<value>\n`, the length counting itself.
    pub(super) fn read_pax(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let bad = || malformed("extension record");
        while !bytes.is_empty() {
            let space = bytes.iter().position(|byte| *byte == b' ').ok_or_else(bad)?;
            let length: usize = number(bytes.get(..space).unwrap_or_default())?;
            let record = bytes.get(space + 1..length).ok_or_else(bad)?;
            let record = record.strip_suffix(b"\n").ok_or_else(bad)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(bad)?;
            let (key, value) = record.split_at(equals);
            self.set(key, value.get(1..).unwrap_or_default())?;
            bytes = bytes.get(length..).unwrap_or_default();
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(number(value)?),
            b"uid" => self.uid = Some(number(value)?),
            b"gid" => self.gid = Some(number(value)?),
            b"mtime" => self.mtime = Some(time(value)?),
            _ if key.starts_with(b"GNU.sparse.") => {
                return Err(malformed("sparse files are not supported"));
            }
            _ => {
                if let Some(name) = key.strip_prefix(XATTR) {
                    self.xattrs.push((name.to_vec(), value.to_vec()));
                }
            }
        }
        Ok(())
    }
}

fn until_zero(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> io::Result<T> {
    let text = std::str::from_utf8(bytes).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| malformed("number in extension record"))
}

/// `seconds[.fraction]`, possibly negative.
fn time(value: &[u8]) -> io::Result<(i64, u32)> {
    let dot = value.iter().position(|byte| *byte == b'.').unwrap_or(value.len());
    let (seconds, fraction) = value.split_at(dot);
    let seconds: i64 = number(seconds)?;
    let mut digits: Vec<u8> = fraction.iter().skip(1).take(9).copied().collect();
    digits.resize(9, b'0');
    let nanos: u32 = number(&digits)?;
    // -1.25 s is 0.75 s after -2 s.
    if value.starts_with(b"-") && nanos > 0 {
        return Ok((seconds.saturating_sub(1), 1_000_000_000 - nanos));
    }
    Ok((seconds, nanos))
}
