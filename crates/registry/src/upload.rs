//! Sending blobs.
//!
//! In: a digest and a body that is read piece by piece. Out: the blob in the repository, sent or
//! mounted from another repository of the registry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, StatusCode, Uri};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::sync::mpsc;

use crate::connect;
use crate::error::{Error, Result};
use crate::retry::retrying;
use crate::session::{Ask, Session};

/// Where a blob may be sent to, or that it is there already.
#[derive(Debug)]
pub enum Mounted {
    /// It was taken over from the other repository.
    There,
    /// It must be sent, to this place.
    SendTo(Uri),
}

/// What is sent, and how far that has come.
#[derive(Debug)]
pub struct UploadBody {
    /// The pieces.
    pub pieces: mpsc::Receiver<std::io::Result<Bytes>>,
    /// Number of all bytes.
    pub size: u64,
    /// Bytes that the connection has taken; kept up to date.
    pub sent: Arc<AtomicU64>,
}

impl Session {
    /// Begins an upload; if `from` is a repository that has the blob, takes it over from there.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn begin_upload(&self, digest: &str, from: Option<&str>) -> Result<Mounted> {
        let query = from.map(|from| format!("?mount={digest}&from={from}")).unwrap_or_default();
        let uri = self.path(&format!("blobs/uploads/{query}"))?;
        retrying(|| async {
            let ask = Ask::new(Method::POST, uri.clone()).with(CONTENT_LENGTH, "0");
            let answer = self.send(ask, connect::empty(), None).await?;
            match answer.status() {
                StatusCode::CREATED if from.is_some() => Ok(Mounted::There),
                StatusCode::ACCEPTED => self.next(&uri, answer.headers()).map(Mounted::SendTo),
                status => Err(Error::Misbehaves(format!("it answers an upload with {status}"))),
            }
        })
        .await
    }

    /// Sends a blob to where [`begin_upload`](Self::begin_upload) said; not tried again here.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn upload(&self, to: &Uri, digest: &str, body: UploadBody) -> Result<()> {
        let join = if to.query().is_some() { '&' } else { '?' };
        let uri = format!("{to}{join}digest={digest}");
        let uri = uri.parse().map_err(|_| Error::Misbehaves(format!("no place: {to}")))?;
        let ask = Ask::new(Method::PUT, uri)
            .with(CONTENT_TYPE, "application/octet-stream")
            .with(CONTENT_LENGTH, &body.size.to_string());
        let sent = Arc::clone(&body.sent);
        let counter = Arc::clone(&body.sent);
        let pieces = counted(body.pieces, counter);
        self.send(ask, pieces, Some(&sent)).await.map(drop)
    }
}

/// The pieces as a body that counts.
fn counted(
    mut pieces: mpsc::Receiver<std::io::Result<Bytes>>,
    sent: Arc<AtomicU64>,
) -> connect::Body {
    let stream = futures_util::stream::poll_fn(move |context| {
        let next = pieces.poll_recv(context);
        next.map(|piece| {
            piece.map(|piece| {
                piece.map(|bytes| {
                    sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    Frame::data(bytes)
                })
            })
        })
    });
    BodyExt::boxed_unsync(StreamBody::new(stream))
}
