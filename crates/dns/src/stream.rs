//! Messages over TCP: each is preceded by its length in two bytes.
//!
//! In and out: bytes and whole messages. How long one may take is the caller's business.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of a client, in whatever pieces they come, as messages.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
}

/// A message that is announced with a length that no query has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Frames {
    /// Longest query that is taken.
    pub(crate) const LONGEST: usize = 4096;

    /// Takes what came, and hands on each message that is whole by then.
    pub(crate) fn push(
        &mut self,
        piece: &[u8],
        mut message: impl FnMut(&[u8]),
    ) -> Result<(), TooLong> {
        self.bytes.extend(piece);
        let mut rest = self.bytes.as_slice();
        while let Some((length, behind)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes(*length));
            if length > Self::LONGEST {
                return Err(TooLong);
            }
            let Some((whole, after)) = behind.split_at_checked(length) else { break };
            message(whole);
            rest = after;
        }
        let done = self.bytes.len() - rest.len();
        self.bytes.drain(..done);
        if self.bytes.is_empty() {
            // A connection that is quiet holds no memory.
            self.bytes = Vec::new();
        }
        Ok(())
    }

    /// Whether a message has begun that is not whole.
    pub(crate) fn is_partial(&self) -> bool {
        !self.bytes.is_empty()
    }
}

/// Adds a message to what is to be sent; `false` if it is too long for the format.
pub(crate) fn frame(out: &mut Vec<u8>, message: &[u8]) -> bool {
    let Ok(length) = u16::try_from(message.len()) else { return false };
    out.extend(length.to_be_bytes());
    out.extend(message);
    true
}

/// The next message; `None` if the other side closed between messages.
pub(crate) async fn read_message(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let length = match stream.read_u16().await {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut message = vec![0; length.into()];
    stream.read_exact(&mut message).await?;
    Ok(Some(message))
}

/// Sends a message in one piece.
pub(crate) async fn write_message(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let mut framed = Vec::with_capacity(2 + message.len());
    if !frame(&mut framed, message) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "message too long"));
    }
    stream.write_all(&framed).await
}
