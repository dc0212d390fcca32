//! Keys that detach a client from a terminal: their names, and finding them in the input.
//!
//! In: `ctrl-p,ctrl-q` and the bytes that a client types. Out: the bytes to pass on, and whether
//! the keys were among them.

use crate::error::{Error, Result};

const DEFAULT: &[u8] = &[0x10, 0x11];

/// Reads names of keys: a character, or `ctrl-` and one of `a`-`z`, `@`, `[`, `\`, `]`, `^`, `_`.
///
/// # Errors
/// Invalid, in Docker's words.
pub(crate) fn parse(keys: Option<&str>) -> Result<Vec<u8>> {
    let Some(keys) = keys.filter(|keys| !keys.is_empty()) else { return Ok(DEFAULT.to_vec()) };
    let bytes: Option<Vec<u8>> = keys.split(',').map(key).collect();
    bytes.ok_or_else(|| Error::invalid(format!("Invalid detach keys ({keys}) provided")))
}

fn key(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [byte] => Some(*byte),
        _ => match name.strip_prefix("ctrl-")?.as_bytes() {
            [c @ b'a'..=b'z'] => Some(c - b'a' + 1),
            [b'@'] => Some(0),
            [c @ b'['..=b'_'] => Some(c - b'[' + 27),
            _ => None,
        },
    }
}

/// Finds the keys in a stream of input.
#[derive(Debug)]
pub(crate) struct Filter {
    keys: Vec<u8>,
    /// How many of the keys were typed just now; they are held back until it is clear.
    matched: usize,
}

impl Filter {
    /// A filter for these keys; none detaches never.
    pub(crate) fn new(keys: Vec<u8>) -> Self {
        Self { keys, matched: 0 }
    }

    /// What to pass on of this input, and whether the keys were completed (what comes after them
    /// is dropped).
    pub(crate) fn pass(&mut self, input: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::with_capacity(input.len() + self.matched);
        if self.keys.is_empty() {
            out.extend_from_slice(input);
            return (out, false);
        }
        for &byte in input {
            if byte != self.keys[self.matched] {
                out.extend_from_slice(&self.keys[..self.matched]);
                self.matched = 0;
                if byte != self.keys[0] {
                    out.push(byte);
                    continue;
                }
            }
            self.matched += 1;
            if self.matched == self.keys.len() {
                return (out, true);
            }
        }
        (out, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_names() {
        assert_eq!(parse(None).unwrap(), [16, 17]);
        assert_eq!(parse(Some("a,ctrl-@,ctrl-[,ctrl-_,ctrl-z")).unwrap(), [b'a', 0, 27, 31, 26]);
        let error = parse(Some("ctrl-p,nonsense")).unwrap_err();
        assert_eq!(error.to_string(), "Invalid detach keys (ctrl-p,nonsense) provided");
    }

    #[test]
    fn keys_are_found_across_writes() {
        let mut filter = Filter::new(vec![16, 17]);
        assert_eq!(filter.pass(b"ls\x10"), (b"ls".to_vec(), false));
        assert_eq!(filter.pass(b"\x11more"), (Vec::new(), true));
    }

    #[test]
    fn half_of_the_keys_is_input() {
        let mut filter = Filter::new(vec![16, 17]);
        assert_eq!(filter.pass(b"\x10"), (Vec::new(), false));
        assert_eq!(filter.pass(b"\x10x"), (b"\x10\x10x".to_vec(), false));
        assert_eq!(Filter::new(Vec::new()).pass(b"\x10\x11"), (b"\x10\x11".to_vec(), false));
    }
}
