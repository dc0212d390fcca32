//! Reading the log that `conmon` writes.
//!
//! In: the log's path and what of it is wanted. Out: entries, one by one, from the past into the present. Each line
//! of the file is `<time> <stream> <F or P> <bytes>`; `P` is a part of a line that goes on in the next one.

mod follow;
mod line;

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use tokio::io::AsyncReadExt;

use crate::attach::Stream;
use crate::container::Container;
use crate::error::Error;
use follow::Follow;

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
    /// Only so many lines at the end; counted before all other choices, as Docker does.
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
pub struct Logs {
    file: tokio::fs::File,
    options: LogOptions,
    /// What is read but not yet given out, from `start`.
    buffer: Vec<u8>,
    start: usize,
    follow: Option<Follow>,
    ended: bool,
}

const CHUNK: usize = 64 << 10;
/// `conmon` cuts lines at 8 KiB or 32 KiB; what is longer was not written by it.
const LONGEST: usize = 1 << 20;

impl Logs {
    /// Opens a log; it is followed as long as `container` runs.
    pub(crate) fn open(
        path: PathBuf,
        options: LogOptions,
        container: Option<Arc<Container>>,
    ) -> Result<Self, Error> {
        let failed = || Error::io(format!("open the log {}", path.display()));
        // Before the first read, so that what is written in between is noticed.
        let follow = match container.filter(|_| options.follow) {
            Some(container) => Some(Follow::new(&path, container).map_err(failed())?),
            None => None,
        };
        let file = open_at(&path, options.tail).map_err(failed())?;
        Ok(Self {
            file: tokio::fs::File::from_std(file),
            options,
            buffer: Vec::with_capacity(CHUNK),
            start: 0,
            follow,
            ended: false,
        })
    }

    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn next(&mut self) -> Result<Option<LogEntry>, Error> {
        while !self.ended {
            let Some(entry) = self.next_line().await? else { break };
            if self.options.until.is_some_and(|until| entry.time > until) {
                break;
            }
            let wanted = match entry.stream {
                Stream::Stdout => self.options.stdout,
                Stream::Stderr => self.options.stderr,
            };
            if wanted && self.options.since.is_none_or(|since| entry.time >= since) {
                return Ok(Some(entry));
            }
        }
        self.ended = true;
        Ok(None)
    }

    async fn next_line(&mut self) -> Result<Option<LogEntry>, Error> {
        loop {
            let rest = &self.buffer[self.start..];
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let entry = line::parse(&rest[..=end]);
                self.start += end + 1;
                match entry {
                    Some(entry) => return Ok(Some(entry)),
                    None => continue,
                }
            }
            if rest.len() > LONGEST {
                self.start = self.buffer.len();
            }
            if self.fill().await? == 0 && !self.more().await? {
                return Ok(None);
            }
        }
    }

    /// Whether there can be more; waits for it.
    async fn more(&mut self) -> Result<bool, Error> {
        let failed = Error::io("follow a log");
        match &mut self.follow {
            Some(follow) => follow.wait(self.options.until).await.map_err(failed),
            None => Ok(false),
        }
    }

    async fn fill(&mut self) -> Result<usize, Error> {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.reserve(CHUNK);
        self.file.read_buf(&mut self.buffer).await.map_err(Error::io("read a log"))
    }
}

/// Opens a log at the place where its last `tail` lines begin.
fn open_at(path: &Path, tail: Option<usize>) -> std::io::Result<std::fs::File> {
    let mut file = std::fs::File::open(path)?;
    let Some(tail) = tail else { return Ok(file) };
    let mut position = file.seek(SeekFrom::End(0))?;
    let mut wanted = tail;
    let mut block = vec![0; CHUNK];
    // The last line's own end does not begin a line.
    let mut last = true;
    while position > 0 {
        let length = CHUNK.min(usize::try_from(position).unwrap_or(CHUNK));
        position -= length as u64;
        file.seek(SeekFrom::Start(position))?;
        file.read_exact(&mut block[..length])?;
        for (at, byte) in block[..length].iter().enumerate().rev() {
            let ends_line = *byte == b'\n' && !last;
            last = false;
            if tail == 0 || ends_line && wanted == 1 {
                file.seek(SeekFrom::Start(position + at as u64 + 1))?;
                return Ok(file);
            }
            wanted -= usize::from(ends_line);
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "2026-01-02T03:04:05.000000001+00:00 stdout F one\n\
                    nonsense\n\
                    2026-01-02T03:04:06.5+01:00 stderr F two\n\
                    2026-01-02T03:04:07.5Z stdout P thr\n\
                    2026-01-02T03:04:07.5Z stdout F ee\n";
        std::fs::write(file.path(), text).unwrap();
        file
    }

    async fn read(options: LogOptions) -> Vec<String> {
        let file = log();
        let mut logs = Logs::open(file.path().to_path_buf(), options, None).unwrap();
        let mut lines = Vec::new();
        while let Some(entry) = logs.next().await.unwrap() {
            lines.push(String::from_utf8(entry.data.to_vec()).unwrap());
        }
        lines
    }

    fn both() -> LogOptions {
        LogOptions { stdout: true, stderr: true, ..LogOptions::default() }
    }

    #[tokio::test]
    async fn lines_and_parts_come_in_order_and_nonsense_is_skipped() {
        assert_eq!(read(both()).await, ["one\n", "two\n", "thr", "ee\n"]);
        assert_eq!(read(LogOptions { stderr: false, ..both() }).await, ["one\n", "thr", "ee\n"]);
    }

    #[tokio::test]
    async fn the_tail_is_counted_from_the_end() {
        for (tail, lines) in [(0, 0), (1, 1), (3, 3), (4, 3), (5, 4), (9, 4)] {
            assert_eq!(
                read(LogOptions { tail: Some(tail), ..both() }).await.len(),
                lines,
                "{tail}"
            );
        }
    }

    #[tokio::test]
    async fn since_and_until_bound_the_time() {
        let at = |text: &str| line::time(text.as_bytes());
        let since = LogOptions { since: at("2026-01-02T03:04:05.000000001Z"), ..both() };
        assert_eq!(read(since).await, ["one\n", "thr", "ee\n"]);
        let until = LogOptions { until: at("2026-01-02T03:04:05Z"), ..both() };
        assert_eq!(read(until).await, Vec::<String>::new());
    }
}
