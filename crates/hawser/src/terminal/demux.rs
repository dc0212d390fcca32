//! Takes apart the multiplexed stream of a container without a terminal.
//!
//! In: bytes, as they come: frames of a header (stream, three zeros, length in network byte
//! order) and a payload. Out: pieces of payload with the stream they belong to. Nothing is
//! buffered but a header, so a frame of any length costs no memory.

/// Where a piece of payload belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The standard output (also what comes back of the standard input).
    Out,
    /// The standard error.
    Err,
    /// An error of the engine itself.
    Engine,
}

/// The state between two reads.
#[derive(Debug, Default)]
pub struct Demux {
    header: Vec<u8>,
    left: usize,
}

impl Demux {
    /// Takes the first piece of payload off `bytes`; `Ok(None)` when they are used up. A
    /// header that is none is an error (its first byte).
    pub fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<(Stream, &'a [u8])>, u8> {
        while self.left == 0 {
            let missing = (8 - self.header.len()).min(bytes.len());
            let (head, rest) = bytes.split_at(missing);
            self.header.extend_from_slice(head);
            *bytes = rest;
            let [_, _, _, _, a, b, c, d] = self.header[..] else { return Ok(None) };
            self.left = u32::from_be_bytes([a, b, c, d]) as usize;
            if self.left == 0 {
                self.header.clear();
            }
        }
        let stream = match self.header[0] {
            0 | 1 => Stream::Out,
            2 => Stream::Err,
            3 => Stream::Engine,
            other => return Err(other),
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        let (payload, rest) = bytes.split_at(self.left.min(bytes.len()));
        *bytes = rest;
        self.left -= payload.len();
        if self.left == 0 {
            self.header.clear();
        }
        Ok(Some((stream, payload)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stream: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![stream, 0, 0, 0];
        frame.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
        frame.extend(payload);
        frame
    }

    #[test]
    fn takes_frames_apart_however_they_are_cut() {
        let bytes =
            [frame(1, b"hello "), frame(1, b""), frame(2, b"bad"), frame(1, b"world")].concat();
        for size in 1..bytes.len() {
            let (mut demux, mut out, mut err) = (Demux::default(), Vec::new(), Vec::new());
            for mut chunk in bytes.chunks(size) {
                while let Some((stream, payload)) = demux.next(&mut chunk).unwrap() {
                    if stream == Stream::Err { &mut err } else { &mut out }.extend(payload);
                }
            }
            assert_eq!((out, err), (b"hello world".to_vec(), b"bad".to_vec()), "{size}");
        }
    }

    #[test]
    fn refuses_what_is_no_header() {
        assert_eq!(Demux::default().next(&mut &b"plain text"[..]), Err(b'p'));
    }
}
