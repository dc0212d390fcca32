//! One connection to an engine that stays open, as clients and proxies keep theirs.
//!
//! In: a method, a path, a JSON body. Out: the answer, and the time from the first byte sent to the
//! last one read. Of HTTP it knows lengths and chunks, which is all that engines use.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// How long an answer may take: Docker's to a start with many published ports takes long.
const PATIENCE: Duration = Duration::from_secs(300);

/// An open connection.
#[derive(Debug)]
pub struct Connection(BufReader<UnixStream>);

/// An answer, and how long it took.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body; null when it is no JSON.
    pub body: Value,
    /// From the request to the end of the answer.
    pub took: Duration,
}

/// How an answer says where its body ends.
#[derive(Debug, PartialEq, Eq)]
enum Extent {
    Length(usize),
    Chunks,
}

impl Connection {
    /// Connects to an engine's socket.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn open(socket: &Path) -> Result<Connection> {
        let stream =
            UnixStream::connect(socket).with_context(|| format!("connect {}", socket.display()))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Connection(BufReader::new(stream)))
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// When the answer is no HTTP, or the connection ends.
    pub fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let begin = Instant::now();
        self.0.get_mut().write_all(request.as_bytes()).context("write the request")?;
        let (status, extent) = read_head(&mut self.0)?;
        let body = read_body(&mut self.0, &extent)?;
        let took = begin.elapsed();
        Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default(), took })
    }

    /// Sends a request whose answer must have `status`.
    ///
    /// # Errors
    /// As [`Connection::send`], or another status, with the engine's words.
    pub fn expect(
        &mut self,
        status: u16,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let answer = self.send(method, path, body)?;
        let said = || format!("{method} {path}: {} {}", answer.status, answer.body);
        ensure!(answer.status == status, "{}", said());
        Ok(answer)
    }
}

fn read_head(stream: &mut impl BufRead) -> Result<(u16, Extent)> {
    let first = read_line(stream)?;
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.with_context(|| format!("no status in {first:?}"))?;
    let mut extent = Extent::Length(0);
    loop {
        let line = read_line(stream)?.to_ascii_lowercase();
        match line.split_once(':') {
            None => return Ok((status, extent)),
            Some(("content-length", value)) => extent = Extent::Length(value.trim().parse()?),
            Some(("transfer-encoding", _)) => extent = Extent::Chunks,
            Some(_) => {}
        }
    }
}

fn read_body(stream: &mut impl BufRead, extent: &Extent) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    match extent {
        Extent::Length(length) => read_exactly(stream, *length, &mut body)?,
        Extent::Chunks => loop {
            let size = usize::from_str_radix(&read_line(stream)?, 16).context("chunk size")?;
            read_exactly(stream, size, &mut body)?;
            read_line(stream)?;
            if size == 0 {
                break;
            }
        },
    }
    Ok(body)
}

fn read_exactly(stream: &mut impl BufRead, length: usize, body: &mut Vec<u8>) -> Result<()> {
    let read = stream.take(length as u64).read_to_end(body).context("read the answer")?;
    ensure!(read == length, "the answer ends early");
    Ok(())
}

fn read_line(stream: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).context("read the answer")?;
    ensure!(read > 0, "the engine closed the connection");
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut text: &[u8]) -> Result<(u16, String, usize)> {
        let (status, extent) = read_head(&mut text)?;
        let body = read_body(&mut text, &extent)?;
        Ok((status, String::from_utf8(body)?, text.len()))
    }

    #[test]
    fn answers_end_where_they_say() {
        let sized = read(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}next").unwrap();
        assert_eq!(sized, (201, "{}".to_owned(), 4));
        let none = read(b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\nnext").unwrap();
        assert_eq!(none, (204, String::new(), 4));
        let chunks =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nnext";
        assert_eq!(read(chunks).unwrap(), (200, "abc".to_owned(), 4));
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        assert!(read(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}").is_err());
        assert!(read(b"").is_err());
    }
}
