//! `logs`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{BufMut, Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::stream;
use hawser_runtime as runtime;

use super::{OutputStream, StreamKind, paths};
use crate::Engine;
use crate::engine::system;
use crate::error::{Error, Kind, Result};
use crate::record::Container;

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
    pub async fn container_logs(
        self: &Arc<Self>,
        reference: &str,
        options: LogOptions,
    ) -> Result<Logs> {
        if !options.stdout && !options.stderr {
            return Err(Error::invalid("Bad parameters: you must choose at least one stream"));
        }
        let record = self.containers.find(reference)?.record();
        let output = self.read_logs(&record, &options).await?;
        Ok(Logs { tty: record.config.tty, output })
    }

    pub(super) async fn read_logs(
        &self,
        record: &Container,
        options: &LogOptions,
    ) -> Result<OutputStream> {
        let Some(path) = paths::log(&self.settings, record) else {
            return Err(Error::new(
                Kind::NotImplemented,
                "configured logging driver does not support reading",
            ));
        };
        let running = record.state.is_running();
        if !running && !path.exists() {
            // It never ran.
            return Ok(Box::pin(stream::empty()));
        }
        let wanted = runtime::LogOptions {
            stdout: options.stdout,
            stderr: options.stderr,
            since: options.since.and_then(time),
            until: options.until.and_then(time),
            tail: options.tail,
            follow: options.follow && running,
        };
        let logs = self.runtime.logs(record.id.as_str(), path, wanted).await;
        let logs = logs.map_err(|e| system("open the container's log", e))?;
        let lines = Lines { logs, timestamps: options.timestamps, details: options.details };
        Ok(Box::pin(stream::unfold(Some(lines), |lines| async move {
            let mut lines = lines?;
            match lines.next().await {
                Ok(line) => line.map(|line| (Ok(line), Some(lines))),
                Err(e) => Some((Err(std::io::Error::other(e)), None)),
            }
        })))
    }
}

/// A log with what is put before each line.
struct Lines {
    logs: runtime::Logs,
    timestamps: bool,
    details: bool,
}

impl Lines {
    async fn next(&mut self) -> Result<Option<(StreamKind, Bytes)>, runtime::Error> {
        let Some(entry) = self.logs.next().await? else { return Ok(None) };
        let kind = StreamKind::from(entry.stream);
        if !self.timestamps && !self.details {
            return Ok(Some((kind, entry.data)));
        }
        let mut line = BytesMut::with_capacity(entry.data.len() + 32);
        if self.timestamps {
            line.put_slice(timestamp(entry.time).as_bytes());
            line.put_u8(b' ');
        }
        if self.details {
            // No attributes are kept with a line; what remains is the blank after them.
            line.put_u8(b' ');
        }
        line.put_slice(&entry.data);
        Ok(Some((kind, line.freeze())))
    }
}

/// Always with nine digits, so that columns stay.
fn timestamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
}

fn time(nanos: i64) -> Option<SystemTime> {
    let nanos = u64::try_from(nanos).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_nine_digits() {
        let at = time(1_500_000_000_000_000_100).unwrap();
        assert_eq!(timestamp(at), "2017-07-14T02:40:00.000000100Z");
        assert_eq!(time(-1), None);
    }
}
