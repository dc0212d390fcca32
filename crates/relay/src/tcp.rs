//! TCP: accepts, connects onwards, and carries both directions until both have ended.
//!
//! In: a bound socket and the address of the server. Out: bytes. An end of one direction is passed
//! on and leaves the other open; a failure of either ends both, so that no peer waits for ever.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{Shutdown, sockopt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::{PER_PORT, splice};

/// How long a server may take to answer; as long as Linux tries with 5 SYNs.
const CONNECT: Duration = Duration::from_secs(31);

/// After a failure to accept (no descriptors left), which would come again at once.
const PAUSE: Duration = Duration::from_millis(100);

/// A peer that vanished is noticed after some minutes: the first probe, and the others' distance.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Makes a bound socket a listener.
pub(crate) fn listen(socket: &OwnedFd) -> io::Result<()> {
    Ok(rustix::net::listen(socket, 1024)?)
}

/// Relays one port until `ended`; its connections end with it.
pub(crate) async fn run(
    socket: OwnedFd,
    to: SocketAddr,
    all: Arc<Semaphore>,
    ended: oneshot::Receiver<()>,
) {
    // Here and not where it was made: a thousand ports are registered behind the answer.
    let listener = match TcpListener::from_std(socket.into()) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%to, %error, "a port cannot be relayed"),
    };
    let mut connections = JoinSet::new();
    tokio::select! {
        _ = ended => {}
        () = serve(&listener, to, all, &mut connections) => {}
    }
    connections.shutdown().await;
}

async fn serve(
    listener: &TcpListener,
    to: SocketAddr,
    all: Arc<Semaphore>,
    connections: &mut JoinSet<()>,
) {
    let own = Arc::new(Semaphore::new(PER_PORT));
    loop {
        // Beyond the limits clients wait in the backlog: they are served as others end.
        let (Ok(own), Ok(all)) =
            (Arc::clone(&own).acquire_owned().await, Arc::clone(&all).acquire_owned().await)
        else {
            return;
        };
        match listener.accept().await {
            Ok((client, peer)) => {
                connections.spawn(async move {
                    let _limits = (own, all);
                    if let Err(error) = carry(client, to).await {
                        tracing::debug!(%peer, %to, %error, "a relayed connection has failed");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%to, %error, "a connection to relay could not be accepted");
                sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(client: TcpStream, to: SocketAddr) -> io::Result<()> {
    let server = timeout(CONNECT, TcpStream::connect(to)).await??;
    for socket in [&client, &server] {
        socket.set_nodelay(true)?;
        sockopt::set_socket_keepalive(socket, true)?;
        sockopt::set_tcp_keepidle(socket, KEEPALIVE)?;
        sockopt::set_tcp_keepintvl(socket, KEEPALIVE)?;
    }
    tokio::try_join!(one_way(&client, &server), one_way(&server, &client))?;
    Ok(())
}

async fn one_way(from: &TcpStream, to: &TcpStream) -> io::Result<()> {
    splice::pump(from, to).await?;
    match rustix::net::shutdown(to, Shutdown::Write) {
        // The peer has gone altogether: there is nobody to tell.
        Err(rustix::io::Errno::NOTCONN) => Ok(()),
        done => Ok(done?),
    }
}
