//! The keys that detach from a container.
//!
//! In: what `--detach-keys` says, and the bytes that are typed. Out: the bytes that go to the
//! container, and whether the sequence was typed. A beginning of the sequence is held back
//! until it is clear that it is none.

use thiserror::Error;

/// Docker's default.
pub const DEFAULT: &str = "ctrl-p,ctrl-q";

/// A sequence that cannot be typed.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("unknown character: '{0}'")]
pub struct KeysError(String);

/// Parses a sequence such as `ctrl-p,ctrl-q` or `a,ctrl-[`.
pub fn parse(keys: &str) -> Result<Vec<u8>, KeysError> {
    keys.split(',').map(key).collect()
}

fn key(name: &str) -> Result<u8, KeysError> {
    let unknown = || KeysError(name.to_owned());
    if let [byte] = name.as_bytes() {
        return Ok(*byte);
    }
    match name.strip_prefix("ctrl-").map(str::as_bytes) {
        Some([byte @ (b'a'..=b'z' | b'@' | b'[' | b'\\' | b']' | b'^' | b'_')]) => Ok(byte & 0x1f),
        Some([byte @ b'A'..=b'Z']) => Ok(byte & 0x1f),
        _ => Err(unknown()),
    }
}

/// Looks for the sequence in what is typed.
pub struct Watch {
    keys: Vec<u8>,
    seen: usize,
}

/// What came of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// These go to the container.
    Input(Vec<u8>),
    /// The sequence was typed; these came before it.
    Detach(Vec<u8>),
}

impl Watch {
    /// Watches for `keys`; an empty sequence is never typed.
    pub fn new(keys: Vec<u8>) -> Self {
        Self { keys, seen: 0 }
    }

    /// Takes what was typed.
    pub fn feed(&mut self, bytes: &[u8]) -> Typed {
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if self.keys.get(self.seen) != Some(byte) {
                out.extend_from_slice(&self.keys[..self.seen]);
                self.seen = 0;
            }
            if self.keys.get(self.seen) == Some(byte) {
                self.seen += 1;
            } else {
                out.push(*byte);
            }
            if self.seen == self.keys.len() && self.seen > 0 {
                self.seen = 0;
                return Typed::Detach(out);
            }
        }
        Typed::Input(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_sequences() {
        assert_eq!(parse(DEFAULT), Ok(vec![16, 17]));
        assert_eq!(parse("a,ctrl-[,ctrl-\\,ctrl-@"), Ok(vec![b'a', 27, 28, 0]));
        assert_eq!(parse("foo"), Err(KeysError("foo".into())));
        assert_eq!(parse("ctrl-1"), Err(KeysError("ctrl-1".into())));
        assert_eq!(parse(""), Err(KeysError(String::new())));
    }

    #[test]
    fn hands_through_what_is_no_sequence() {
        let mut watch = Watch::new(vec![16, 17]);
        assert_eq!(watch.feed(b"ab"), Typed::Input(b"ab".to_vec()));
        assert_eq!(watch.feed(&[16]), Typed::Input(vec![]));
        assert_eq!(watch.feed(b"x"), Typed::Input(vec![16, b'x']));
        assert_eq!(watch.feed(&[16, 16, 17, b'y']), Typed::Detach(vec![16]));
    }

    #[test]
    fn sees_the_sequence_across_reads() {
        let mut watch = Watch::new(vec![16, 17]);
        assert_eq!(watch.feed(&[b'a', 16]), Typed::Input(b"a".to_vec()));
        assert_eq!(watch.feed(&[17]), Typed::Detach(vec![]));
    }

    #[test]
    fn an_empty_sequence_is_never_typed() {
        assert_eq!(Watch::new(Vec::new()).feed(b"abc"), Typed::Input(b"abc".to_vec()));
    }
}
