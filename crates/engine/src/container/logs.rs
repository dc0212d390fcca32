//! `logs`.

use std::sync::Arc;

use super::OutputStream;
use crate::Engine;
use crate::error::Result;

/// What of a log to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// Only from here on, in nanoseconds since 1970.
    pub since: Option<i64>,
    /// Only up to here, in nanoseconds since 1970.
    pub until: Option<i64>,
    /// Only so many lines, the last; all if none.
    pub tail: Option<usize>,
    /// Put the time before each line.
    pub timestamps: bool,
    /// Go on as long as the container runs.
    pub follow: bool,
    /// Put the log's attributes before each line.
    pub details: bool,
}

/// A log.
pub struct Logs {
    /// Whether the container has a terminal: output is then one raw stream.
    pub tty: bool,
    /// The lines.
    pub output: OutputStream,
}

impl Engine {
    /// Reads a container's log.
    ///
    /// # Errors
    /// NotFound, Invalid if neither output is asked for, NotImplemented for the log driver `none`.
    pub async fn container_logs(self: &Arc<Self>, reference: &str, options: LogOptions) -> Result<Logs> {
        let _ = (reference, options);
        todo!()
    }
}
