//! What answers one sandbox: a task that reads its sockets.
//!
//! In: packets. Out: replies. Everything a sandbox can make us hold is bounded: forwarded
//! queries, connections, the time of each. A packet that is malformed costs its parsing.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::answer::{Decision, Sight, decide};
use crate::forward::{Transport, forward};
use crate::message::{Code, Query, Unusable};
use crate::stream::{read_message, write_message};
use crate::turns::Turns;
use crate::{Upstream, View};
use hawser_hoststate::Zone;

/// Queries of one sandbox that are being forwarded.
const MAX_FORWARDED: usize = 128;
/// Connections of one sandbox.
const MAX_CONNECTIONS: usize = 32;
/// How long a connection may be silent, and how long sending to it may take.
const IDLE: Duration = Duration::from_secs(10);
/// Longest query over UDP that is read.
const MAX_QUERY: usize = 4096;

/// All zones by key.
pub(crate) type Zones = RwLock<HashMap<String, Arc<Zone>>>;

/// Who is asked what is not ours, in order.
pub(crate) type Upstreams = Arc<[Upstream]>;

/// What answers one sandbox.
pub(crate) struct Task {
    view: Arc<RwLock<Arc<View>>>,
    zones: Arc<Zones>,
    upstreams: Arc<RwLock<Upstreams>>,
    /// Names with several addresses are answered in turn.
    turns: Turns,
    forwarding: Arc<Semaphore>,
    forwarding_in_all: Arc<Semaphore>,
}

/// Held while a query is forwarded.
type Permits = (OwnedSemaphorePermit, OwnedSemaphorePermit);

impl Task {
    pub(crate) fn new(
        view: Arc<RwLock<Arc<View>>>,
        zones: Arc<Zones>,
        upstreams: Arc<RwLock<Upstreams>>,
        forwarding_in_all: Arc<Semaphore>,
    ) -> Self {
        let forwarding = Arc::new(Semaphore::new(MAX_FORWARDED));
        Self { view, zones, upstreams, turns: Turns::new(), forwarding, forwarding_in_all }
    }

    /// Answers until told to end; then all that belongs to it ends before it does.
    pub(crate) async fn run(
        self: Arc<Self>,
        udp: UdpSocket,
        tcp: TcpListener,
        ended: oneshot::Receiver<()>,
    ) {
        let mut work = JoinSet::new();
        tokio::select! {
            _ = ended => {}
            () = self.answer_all(Arc::new(udp), tcp, &mut work) => {}
        }
        work.shutdown().await;
    }

    async fn answer_all(
        self: &Arc<Self>,
        udp: Arc<UdpSocket>,
        tcp: TcpListener,
        work: &mut JoinSet<()>,
    ) {
        let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut buffer = vec![0; MAX_QUERY];
        loop {
            tokio::select! {
                received = udp.recv_from(&mut buffer) => match received {
                    Ok((length, client)) => {
                        let packet = buffer.get(..length).unwrap_or_default();
                        self.datagram(packet, client, &udp, work);
                    }
                    Err(error) => pause(&error).await,
                },
                accepted = tcp.accept() => match accepted {
                    // Beyond the limit it is closed at once.
                    Ok((stream, _)) => if let Ok(permit) = connections.clone().try_acquire_owned() {
                        let task = Arc::clone(self);
                        work.spawn(async move { task.connection(stream, permit).await });
                    },
                    Err(error) => pause(&error).await,
                },
                Some(_) = work.join_next() => {}
            }
        }
    }

    fn datagram(
        self: &Arc<Self>,
        packet: &[u8],
        client: SocketAddr,
        udp: &Arc<UdpSocket>,
        work: &mut JoinSet<()>,
    ) {
        let (query, permits) = match self.look_up(packet, Transport::Udp) {
            Outcome::Silence => return,
            Outcome::Reply(reply) => return send(udp, &reply, client),
            Outcome::Forward(query, permits) => (query, permits),
        };
        let (task, udp, packet) = (Arc::clone(self), Arc::clone(udp), packet.to_vec());
        work.spawn(async move {
            send(&udp, &task.ask(&packet, &query, Transport::Udp).await, client);
            drop(permits);
        });
    }

    /// Answers one query after the other.
    async fn connection(&self, mut stream: TcpStream, _permit: OwnedSemaphorePermit) {
        while let Ok(Ok(Some(packet))) = timeout(IDLE, read_message(&mut stream)).await {
            let reply = match self.look_up(&packet, Transport::Tcp) {
                Outcome::Silence => return,
                Outcome::Reply(reply) => reply,
                Outcome::Forward(query, _permits) => {
                    self.ask(&packet, &query, Transport::Tcp).await
                }
            };
            let Ok(Ok(())) = timeout(IDLE, write_message(&mut stream, &reply)).await else {
                return;
            };
        }
    }

    fn look_up(&self, packet: &[u8], transport: Transport) -> Outcome {
        let query = match Query::parse(packet) {
            Ok(query) => query,
            Err(Unusable::Silent) => return Outcome::Silence,
            Err(Unusable::Refuse(reply)) => return Outcome::Reply(reply),
        };
        let limit = match transport {
            Transport::Udp => query.udp_limit(),
            Transport::Tcp => usize::from(u16::MAX),
        };
        match self.decide(&query, limit) {
            Decision::Reply(reply) => Outcome::Reply(reply),
            Decision::Forward if self.upstreams().is_empty() => {
                Outcome::Reply(query.reply(Code::ServFail))
            }
            Decision::Forward => match self.permits() {
                Some(permits) => Outcome::Forward(Box::new(query), permits),
                None => Outcome::Reply(query.reply(Code::Refused)),
            },
        }
    }

    fn decide(&self, query: &Query, limit: usize) -> Decision {
        let view = Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner));
        let zones = self.zones.read().unwrap_or_else(PoisonError::into_inner);
        let aliases = view.aliases.iter().filter_map(|alias| {
            Some((alias.name.as_str(), &**zones.get(&alias.zone)?, alias.target.as_str()))
        });
        let sight = Sight {
            aliases: aliases.collect(),
            zones: view.zones.iter().filter_map(|key| Some(&**zones.get(key)?)).collect(),
        };
        decide(query, &sight, &self.turns, limit)
    }

    fn permits(&self) -> Option<Permits> {
        let own = Arc::clone(&self.forwarding).try_acquire_owned().ok()?;
        Some((own, Arc::clone(&self.forwarding_in_all).try_acquire_owned().ok()?))
    }

    async fn ask(&self, packet: &[u8], query: &Query, transport: Transport) -> Vec<u8> {
        let answer = forward(&self.upstreams(), packet, query, transport).await;
        answer.unwrap_or_else(|| query.reply(Code::ServFail))
    }

    fn upstreams(&self) -> Upstreams {
        Arc::clone(&self.upstreams.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is done with a packet.
enum Outcome {
    Silence,
    Reply(Vec<u8>),
    Forward(Box<Query>, Permits),
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
