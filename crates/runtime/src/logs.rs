//! Reading the log that `conmon` writes.

use std::time::SystemTime;

use bytes::Bytes;

use crate::attach::Stream;
use crate::error::Error;

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// Not what is older.
    pub since: Option<SystemTime>,
    /// Not what is younger.
    pub until: Option<SystemTime>,
    /// Only so many lines at the end.
    pub tail: Option<usize>,
    /// Go on until the container ends.
    pub follow: bool,
}

/// One line, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Where it was written to.
    pub stream: Stream,
    /// When.
    pub time: SystemTime,
    /// The bytes, with the line's end if it is complete.
    pub data: Bytes,
}

/// The entries of a log.
#[derive(Debug)]
pub struct Logs;

impl Logs {
    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn next(&mut self) -> Result<Option<LogEntry>, Error> {
        todo!()
    }
}
