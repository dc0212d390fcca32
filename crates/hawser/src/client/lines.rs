//! A stream of JSON values, one to a line: events, and the progress of long requests.

use bytes::{Buf, BytesMut};
use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use super::Error;

/// No value is longer than this.
const MAX_LINE: usize = 16 << 20;

/// Reads values as they come.
pub struct Lines {
    body: Incoming,
    read: BytesMut,
    ended: bool,
}

impl Lines {
    /// The values in the body of `answer`.
    pub fn new(answer: Response<Incoming>) -> Self {
        Self { body: answer.into_body(), read: BytesMut::new(), ended: false }
    }

    /// The next value; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Value>, Error> {
        loop {
            if let Some(line) = self.line() {
                return serde_json::from_slice(&line).map(Some).map_err(Error::Json);
            }
            if self.ended {
                return Ok(None);
            }
            if self.read.len() > MAX_LINE {
                return Err(Error::Body("a line is too long".to_owned()));
            }
            match self.body.frame().await {
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
                None => self.ended = true,
            }
        }
    }

    fn line(&mut self) -> Option<BytesMut> {
        loop {
            let end = self.read.iter().position(|byte| *byte == b'\n');
            let mut line = match end {
                Some(end) => {
                    let line = self.read.split_to(end);
                    self.read.advance(1);
                    line
                }
                None if self.ended && !self.read.is_empty() => self.read.split(),
                None => return None,
            };
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Some(line.split());
            }
        }
    }
}
