//! Serves the API on the listeners until the daemon stops.
//!
//! In: bound listeners, the API, a token that says when to stop. Out: when all is served, nothing.
//! Connections are bounded in number; one that stays silent is closed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::listen::Listener;

/// How many connections there may be at once, over all listeners.
const CONNECTIONS: usize = 4096;
/// How long the head of a request may take; also how long a connection may idle.
const HEAD: Duration = Duration::from_secs(300);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long answers may go on after the daemon was told to stop.
const GRACE: Duration = Duration::from_secs(1);
/// Rest after an accept that failed for want of something that comes back (descriptors).
const REST: Duration = Duration::from_millis(100);

/// What all connections share.
#[derive(Clone)]
struct Server {
    router: Router,
    stop: CancellationToken,
    tasks: TaskTracker,
    places: Arc<Semaphore>,
}

/// Serves until `stop`, and then until running answers have ended or the grace is over.
pub async fn serve(
    listeners: Vec<Listener>,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let server = Server { router, stop: stop.clone(), tasks: TaskTracker::new(), places };
    for listener in listeners {
        let task = server.clone();
        match listener {
            Listener::Unix(listener, _) => {
                listener.set_nonblocking(true)?;
                let listener = tokio::net::UnixListener::from_std(listener)?;
                server.tasks.spawn(async move { task.unix(listener).await });
            }
            Listener::Tcp(listener, tls) => {
                listener.set_nonblocking(true)?;
                let listener = tokio::net::TcpListener::from_std(listener)?;
                server.tasks.spawn(async move { task.tcp(listener, tls).await });
            }
        }
    }
    stop.cancelled().await;
    server.tasks.close();
    if tokio::time::timeout(GRACE, server.tasks.wait()).await.is_err() {
        tracing::debug!("connections were cut");
    }
    Ok(())
}

impl Server {
    async fn unix(self, listener: tokio::net::UnixListener) {
        while let Some((stream, place)) = self.next(|| listener.accept()).await {
            let server = self.clone();
            self.tasks.spawn(async move { server.connection(stream, place).await });
        }
    }

    async fn tcp(self, listener: tokio::net::TcpListener, tls: Option<TlsAcceptor>) {
        while let Some((stream, place)) = self.next(|| listener.accept()).await {
            // Small answers are the rule; a delay of each would be felt.
            let _ = stream.set_nodelay(true);
            let (server, tls) = (self.clone(), tls.clone());
            self.tasks.spawn(async move {
                match tls {
                    None => server.connection(stream, place).await,
                    Some(tls) => server.handshake(stream, place, tls).await,
                }
            });
        }
    }

    /// The next connection; none when the daemon stops.
    async fn next<S, A, F>(&self, accept: impl Fn() -> F) -> Option<(S, OwnedSemaphorePermit)>
    where
        F: Future<Output = io::Result<(S, A)>>,
    {
        let accept = async {
            let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
            loop {
                match accept().await {
                    Ok((stream, _)) => return Some((stream, place)),
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(REST).await;
                    }
                }
            }
        };
        tokio::select! {
            connection = accept => connection,
            () = self.stop.cancelled() => None,
        }
    }

    async fn handshake(
        self,
        stream: tokio::net::TcpStream,
        place: OwnedSemaphorePermit,
        tls: TlsAcceptor,
    ) {
        match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.connection(stream, place).await,
            Ok(Err(error)) => tracing::info!(%error, "TLS handshake failed"),
            Err(_) => tracing::info!("TLS handshake took too long"),
        }
    }

    async fn connection<S>(self, stream: S, _place: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = TowerToHyperService::new(self.router);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .title_case_headers(true)
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
