//! Blobs as they come: a stream that can begin where an earlier one broke off.
//!
//! In: a digest and how many bytes are there already. Out: a [`Blob`] of pieces. Whether the bytes
//! are the right ones is the caller's to check.

use bytes::Bytes;
use http::header::{CONTENT_RANGE, RANGE};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use crate::connect;
use crate::error::{Error, Result, chain, clean};
use crate::retry::retrying;
use crate::session::{Ask, Session};

/// A blob on its way.
#[derive(Debug)]
pub struct Blob {
    body: Incoming,
    patience: std::time::Duration,
    /// Where in the blob the first piece belongs: where it was asked for, or 0 if the registry
    /// does not know how to begin elsewhere.
    pub start: u64,
    /// Bytes still to come, if the registry says so.
    pub rest: Option<u64>,
}

impl Blob {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// Broken, if the connection is cut or nothing comes for too long.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let frame = match timeout(self.patience, self.body.frame()).await {
                Ok(None) => return Ok(None),
                Ok(Some(frame)) => frame.map_err(|error| Error::Broken(clean(&chain(&error))))?,
                Err(_) => return Err(Error::Broken("nothing comes any more".to_owned())),
            };
            if let Ok(piece) = frame.into_data() {
                return Ok(Some(piece));
            }
        }
    }
}

impl Session {
    /// A blob from byte `from` on. A failure of the request itself is not tried again here.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn blob(&self, digest: &str, from: u64) -> Result<Blob> {
        let mut ask = Ask::new(Method::GET, self.path(&format!("blobs/{digest}"))?);
        if from > 0 {
            ask = ask.with(RANGE, &format!("bytes={from}-"));
        }
        let answer = self.send(ask, connect::empty(), None).await?;
        let partial = answer.status() == StatusCode::PARTIAL_CONTENT;
        let range = answer.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
        let begins =
            range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok());
        let start = if partial { from } else { 0 };
        if partial && begins != Some(from) {
            return Err(Error::Misbehaves("it sends another part than asked for".to_owned()));
        }
        let rest = answer.body().size_hint().exact();
        Ok(Blob { body: answer.into_body(), patience: self.config.patience, start, rest })
    }

    /// Whether the repository has a blob.
    ///
    /// # Errors
    /// What the registry says, but for NotFound.
    pub async fn has_blob(&self, digest: &str) -> Result<bool> {
        let uri = self.path(&format!("blobs/{digest}"))?;
        let head = || async {
            let ask = Ask::new(Method::HEAD, uri.clone());
            self.send(ask, connect::empty(), None).await
        };
        match retrying(head).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
