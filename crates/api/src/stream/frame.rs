//! The multiplexed stream format: each piece of output after a header that says which stream it
//! is of and how long it is.
//!
//! In: output. Out: bytes for the client. With a terminal there is one stream and no framing.

use bytes::{BufMut, Bytes, BytesMut};
use hawser_engine::container::StreamKind;

/// Length of the header: stream, three zero bytes, length (big endian).
const HEADER: usize = 8;

/// Output as it is sent: framed, or raw for a terminal.
pub fn encode(tty: bool, kind: StreamKind, bytes: Bytes) -> Bytes {
    if tty {
        return bytes;
    }
    let number = match kind {
        StreamKind::Stdout => 1,
        StreamKind::Stderr => 2,
    };
    let mut frame = BytesMut::with_capacity(HEADER + bytes.len());
    frame.put_slice(&[number, 0, 0, 0]);
    // Output comes in pieces of some KiB; a piece of 4 GiB cannot be.
    frame.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    frame.put_slice(&bytes);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_stream_and_length() {
        let frame = encode(false, StreamKind::Stderr, Bytes::from_static(b"oops"));
        assert_eq!(&frame[..], b"\x02\0\0\0\0\0\0\x04oops");
        let frame = encode(false, StreamKind::Stdout, Bytes::from(vec![b'x'; 300]));
        assert_eq!(&frame[..8], b"\x01\0\0\0\0\0\x01\x2c");
        assert_eq!(frame.len(), 308);
    }

    #[test]
    fn a_terminal_is_raw() {
        let raw = encode(true, StreamKind::Stdout, Bytes::from_static(b"x\r\n"));
        assert_eq!(&raw[..], b"x\r\n");
    }
}
