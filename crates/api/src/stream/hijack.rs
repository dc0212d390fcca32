//! Connections taken over for attach and exec: after the head of the answer both sides just talk.
//!
//! In: a request and an [`Attachment`]. Out: the head of the answer (101 for clients that asked
//! for an upgrade, else 200 and a plain body), and a task that copies until either side ends.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::Response;
use futures_util::StreamExt;
use hawser_engine::container::{AttachInput, Attachment, OutputStream, Progress};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use hyper::ext::ReasonPhrase;
use hyper::upgrade::OnUpgrade;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::hangup::{self, Hangup};
use super::{frame, output};
use crate::version::ApiVersion;

/// How many bytes of input are passed on at a time.
const CHUNK: usize = 32 << 10;

/// A request that may be taken over.
pub struct Hijack {
    upgrade: Option<OnUpgrade>,
    version: ApiVersion,
}

impl<S: Sync> FromRequestParts<S> for Hijack {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let asked = parts.headers.contains_key(header::UPGRADE);
        let upgrade = parts.extensions.remove::<OnUpgrade>().filter(|_| asked);
        let version = parts.extensions.get().copied().unwrap_or(ApiVersion::CURRENT);
        Ok(Self { upgrade, version })
    }
}

impl Hijack {
    /// Answers, and copies between client and process from then on.
    pub fn respond(self, attachment: Attachment) -> Response {
        let kind = output::media_type(attachment.tty, self.version);
        let Some(upgrade) = self.upgrade else { return plain(kind, attachment) };
        tokio::spawn(async move {
            match upgrade.await {
                Ok(connection) => {
                    let (from, to, hangup) = hangup::split(connection);
                    serve(from, to, hangup, attachment).await;
                }
                Err(error) => tracing::debug!(%error, "client left before the upgrade"),
            }
        });
        switching(kind)
    }
}

fn switching(kind: &'static str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.extensions_mut().insert(ReasonPhrase::from_static(b"UPGRADED"));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("tcp"));
    response
}

/// The answer for a client that asked for no upgrade: output as the body, no input.
fn plain(kind: &'static str, attachment: Attachment) -> Response {
    let mut response = Response::new(output::body(attachment.tty, attachment.output));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Copies both ways until the output ends, the client detaches or the client is gone.
async fn serve<R, W>(from: R, to: W, hangup: Hangup, attachment: Attachment)
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    let Attachment { tty, output, input } = attachment;
    tokio::select! {
        biased;
        () = send(tty, output, to) => {}
        // Ends by detaching or leaving; the end of input alone ends nothing.
        () = receive(from, hangup, input) => {}
    }
}

/// Output to the client, then the end of the stream.
async fn send<W: AsyncWrite + Unpin>(tty: bool, mut output: OutputStream, mut to: W) {
    while let Some(piece) = output.next().await {
        let (kind, bytes) = match piece {
            Ok(piece) => piece,
            Err(error) => {
                tracing::warn!(%error, "output of a container broke off");
                break;
            }
        };
        if to.write_all(&frame::encode(tty, kind, bytes)).await.is_err() {
            return;
        }
    }
    // The client may be gone already: then there is no one to tell.
    let _ = to.shutdown().await;
}

/// Input to the process until the client ends it; returns when the connection is to be closed.
async fn receive<R: AsyncRead + Unpin>(mut from: R, hangup: Hangup, input: Option<AttachInput>) {
    if let Some(input) = input {
        match pass_on(&mut from, input).await {
            Ok(Progress::Detached) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "input of a container broke off");
            }
        }
    }
    // What a client sends beyond that is of no use to anyone.
    hangup.wait().await;
}

async fn pass_on<R: AsyncRead + Unpin>(
    from: &mut R,
    mut input: AttachInput,
) -> std::io::Result<Progress> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = from.read(&mut chunk).await?;
        if count == 0 {
            input.close().await?;
            return Ok(Progress::Open);
        }
        match input.write(&chunk[..count]).await? {
            Progress::Open => {}
            end => return Ok(end),
        }
    }
}
