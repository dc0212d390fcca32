//! The streams between a client and a container's process.

use std::io;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::stream::Stream;

/// Which output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Standard output; all output of a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Output as it comes; ends when the process has closed it, or the client detached.
pub type OutputStream = Pin<Box<dyn Stream<Item = io::Result<(StreamKind, Bytes)>> + Send>>;

/// A client joined to a process.
pub struct Attachment {
    /// Whether there is a terminal: output is then one raw stream.
    pub tty: bool,
    /// Output.
    pub output: OutputStream,
    /// Input, if asked for and open.
    pub input: Option<AttachInput>,
}

/// What became of written input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It was passed on.
    Open,
    /// The detach keys were in it: the output stream ends now, and so should the connection.
    Detached,
    /// The process does not read any more: further input is pointless, output may go on.
    Closed,
}

/// The way to a process's standard input.
pub struct AttachInput {
    _private: (),
}

impl AttachInput {
    /// Passes input on, looking for the detach keys.
    ///
    /// # Errors
    /// Any of the socket to the process.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<Progress> {
        let _ = bytes;
        todo!()
    }

    /// The client has no more input: closes the process's stdin if it is this client's to close.
    ///
    /// # Errors
    /// Any of the socket to the process.
    pub async fn close(self) -> io::Result<()> {
        todo!()
    }
}
