//! Output and input of a process under `conmon`.

use std::io;

use bytes::Bytes;

/// Which output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output; everything of a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Where it was written to.
    pub stream: Stream,
    /// What.
    pub data: Bytes,
}

/// One connection to a process.
#[derive(Debug)]
pub struct Attachment {
    /// What it writes.
    pub output: Output,
    /// What it reads.
    pub input: Input,
}

/// The reading half. It must be read or dropped: a full one holds the process up.
#[derive(Debug)]
pub struct Output;

impl Output {
    /// The next piece; `None` when the process has ended.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> io::Result<Option<Chunk>> {
        todo!()
    }
}

/// The writing half.
#[derive(Debug)]
pub struct Input;

impl Input {
    /// Writes all.
    ///
    /// # Errors
    /// The connection broke: the process has ended.
    pub async fn write(&self, _data: &[u8]) -> io::Result<()> {
        todo!()
    }

    /// Closes the process's standard input (when it was created with `stdin_once`); output goes on.
    pub fn close(&self) {
        todo!()
    }
}
