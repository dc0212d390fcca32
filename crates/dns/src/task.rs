//! What reads the sockets of one sandbox.
//!
//! In: packets and connections. Out: replies. Questions that upstreams are asked, and connections,
//! are tasks of their own, which end with this one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;

use crate::buffer::with_datagram;
use crate::connection::Connection;
use crate::connections::{Activity, Connections};
use crate::forward::Transport;
use crate::sandbox::{Outcome, Sandbox};

/// Datagrams that are answered before others have their turn: a sandbox that floods us does not
/// keep others waiting for longer than that.
const BURST: usize = 16;

/// The task of one sandbox.
pub(crate) struct Task {
    sandbox: Arc<Sandbox>,
    udp: Arc<UdpSocket>,
    tcp: TcpListener,
    connections: Connections,
    work: JoinSet<()>,
}

impl Task {
    pub(crate) fn new(sandbox: Arc<Sandbox>, udp: UdpSocket, tcp: TcpListener) -> Self {
        let (udp, connections) = (Arc::new(udp), Connections::default());
        Self { sandbox, udp, tcp, connections, work: JoinSet::new() }
    }

    /// Answers until told to end; then all that belongs to it ends before it does.
    pub(crate) async fn run(mut self, ended: oneshot::Receiver<()>) {
        tokio::select! {
            _ = ended => {}
            () = self.answer_all() => {}
        }
        self.work.shutdown().await;
    }

    async fn answer_all(&mut self) {
        loop {
            let step = tokio::select! {
                ready = self.udp.readable() => ready.and_then(|()| self.burst()),
                accepted = self.tcp.accept() => accepted.map(|(stream, _)| {
                    self.connection(stream);
                    true
                }),
                Some(_) = self.work.join_next(), if !self.work.is_empty() => Ok(false),
            };
            match step {
                Ok(true) => {
                    // The kernel as well lets others go first, those of this process and their
                    // clients: a thread that never sleeps keeps them waiting for milliseconds.
                    std::thread::yield_now();
                    yield_now().await;
                }
                Ok(false) => {}
                Err(error) => pause(&error).await,
            }
        }
    }

    /// Answers what has come; whether there may be more.
    fn burst(&mut self) -> io::Result<bool> {
        let udp = Arc::clone(&self.udp);
        for _ in 0..BURST {
            let receive = |buffer: &mut [u8]| udp.try_recv_from(buffer);
            let outcome = with_datagram(receive, |packet, client| {
                (self.sandbox.look_up(packet, Transport::Udp, None), client)
            });
            match outcome {
                Ok((Outcome::Silence, _)) => {}
                Ok((Outcome::Reply(reply), client)) => send(&udp, &reply, client),
                Ok((Outcome::Forward(pending), client)) => {
                    let (sandbox, udp) = (Arc::clone(&self.sandbox), Arc::clone(&udp));
                    self.work.spawn(async move {
                        send(&udp, &sandbox.ask(*pending, None).await, client);
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        // What has ended in the meantime is not kept while they keep coming.
        while self.work.try_join_next().is_some() {}
        Ok(true)
    }

    fn connection(&mut self, stream: TcpStream) {
        self.connections.make_room();
        let activity = Activity::new();
        let connection = Connection::new(Arc::clone(&self.sandbox), stream);
        let task = self.work.spawn(connection.serve(Arc::clone(&activity)));
        self.connections.add(activity, task);
    }
}

/// Sends without waiting: a datagram that does not fit into the client's buffer may be lost.
fn send(udp: &UdpSocket, reply: &[u8], client: SocketAddr) {
    if let Err(error) = udp.try_send_to(reply, client) {
        tracing::debug!(%client, %error, "reply not sent");
    }
}

/// An error that stays must not make a busy loop.
async fn pause(error: &io::Error) {
    tracing::debug!(%error, "name service socket");
    sleep(Duration::from_millis(20)).await;
}
