//! One request on a connection of its own.
//!
//! In: a place and a request. Out: the head of the answer, with its body still to come. No wait is
//! without an end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Config;
use crate::error::{Error, Result, chain, clean};
use crate::place::Place;

/// The body of a request.
pub(crate) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// A body without content.
pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body that is known whole.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Sends a request whose target is a path. With a long body, `sent` counts what the connection took
/// of it: as long as that grows the answer is waited for.
pub(crate) async fn send(
    config: &Config,
    place: &Place,
    request: Request<Body>,
    sent: Option<&AtomicU64>,
) -> Result<Response<Incoming>> {
    let stream = open(config, place).await?;
    let broken = |error: hyper::Error| Error::Broken(clean(&chain(&error)));
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_headers(100)
        .max_buf_size(64 << 10)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    // It ends with the answer's body, or when that is dropped.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to a registry ended badly");
        }
    });
    let mut answer = std::pin::pin!(sender.send_request(request));
    loop {
        let before = sent.map(|sent| sent.load(Ordering::Relaxed));
        match timeout(config.patience, &mut answer).await {
            Ok(answer) => return answer.map_err(broken),
            Err(_) if before != sent.map(|sent| sent.load(Ordering::Relaxed)) => {}
            Err(_) => return Err(late(place, config.patience)),
        }
    }
}

fn late(place: &Place, patience: Duration) -> Error {
    Error::Broken(format!("{place} did not answer within {} s", patience.as_secs()))
}

async fn open(config: &Config, place: &Place) -> Result<Box<dyn Stream>> {
    let unreachable = |why: String| Error::Unreachable { place: place.to_string(), why };
    let connecting = TcpStream::connect((place.host(), place.port()));
    let tcp = match timeout(config.patience, connecting).await {
        Ok(tcp) => tcp.map_err(|error| unreachable(error.to_string()))?,
        Err(_) => return Err(unreachable("connection timed out".to_owned())),
    };
    // Nothing is lost if this fails but a little time.
    let _ = tcp.set_nodelay(true);
    if !place.tls {
        return Ok(Box::new(tcp));
    }
    let tls = read_certificates(place.clone(), &config.certificates).await.map_err(unreachable)?;
    let name = ServerName::try_from(place.host().to_owned());
    let name = name.map_err(|error| unreachable(error.to_string()))?;
    let handshake = tokio_rustls::TlsConnector::from(tls).connect(name, tcp);
    match timeout(config.patience, handshake).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(unreachable(format!("TLS: {error}"))),
        Err(_) => Err(unreachable("the TLS handshake timed out".to_owned())),
    }
}

async fn read_certificates(
    place: Place,
    certificates: &Path,
) -> Result<Arc<rustls::ClientConfig>, String> {
    let certificates = certificates.to_owned();
    let read = tokio::task::spawn_blocking(move || crate::tls::config(&place, &certificates));
    read.await.map_err(|error| error.to_string())?
}
