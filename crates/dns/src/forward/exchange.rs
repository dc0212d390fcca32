//! One question to one upstream.
//!
//! In: a packet, and how the client asked. Out: what the upstream says. Each question has an id of
//! its own that cannot be guessed; what does not answer exactly the question is passed over.

use std::io;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::sync::Arc;

use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream};

use super::Transport;
use super::pool::{Line, Pool};
use crate::Upstream;
use crate::buffer::with_datagram;
use crate::message::{self, Query, Verdict};
use crate::stream::{read_message, write_message};

/// So many packets that answer something else, and somebody is guessing: the question goes over
/// TCP, where that does not help.
const GUESSES: usize = 32;

/// What an upstream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// An answer.
    Good(Vec<u8>),
    /// That it cannot or will not answer, or something malformed.
    Failure(Vec<u8>),
}

/// Asks. How long it may take is the caller's business.
pub(crate) async fn ask(
    upstream: &Upstream,
    pool: &Pool,
    packet: &[u8],
    query: &Query,
    transport: Transport,
) -> io::Result<Said> {
    match transport {
        Transport::Udp => match ask_udp(upstream, pool, packet, query).await? {
            Some(said) => Ok(said),
            None => ask_tcp(upstream, packet, query).await,
        },
        Transport::Tcp => match ask_tcp(upstream, packet, query).await {
            Ok(said) => Ok(said),
            // Some answer over UDP alone; that will do if it fits.
            Err(error) => match ask_udp(upstream, pool, packet, query).await? {
                Some(Said::Good(answer)) if message::is_truncated(&answer) => Err(error),
                Some(said) => Ok(said),
                None => Err(error),
            },
        },
    }
}

/// `None`: somebody is guessing.
async fn ask_udp(
    upstream: &Upstream,
    pool: &Pool,
    packet: &[u8],
    query: &Query,
) -> io::Result<Option<Said>> {
    let id: u16 = rand::random();
    let line = pool.take(upstream).await?;
    line.socket.send(&message::with_id(packet, id)).await?;
    for _ in 0..GUESSES {
        if let Some(said) = receive(&line, id, query).await? {
            pool.give_back(line);
            return Ok(Some(said));
        }
    }
    Ok(None)
}

/// `None`: it was something else.
async fn receive(line: &Line, id: u16, query: &Query) -> io::Result<Option<Said>> {
    loop {
        // That nobody is there comes as an error alone.
        if line.socket.ready(Interest::READABLE | Interest::ERROR).await?.is_error() {
            return Err(line.socket.take_error()?.unwrap_or(io::ErrorKind::BrokenPipe.into()));
        }
        let receive = |buffer: &mut [u8]| Ok((line.socket.try_recv(buffer)?, ()));
        match with_datagram(receive, |packet, ()| judge(packet, id, query)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
    }
}

async fn ask_tcp(upstream: &Upstream, packet: &[u8], query: &Query) -> io::Result<Said> {
    let id: u16 = rand::random();
    let mut stream = connect(upstream).await?;
    write_message(&mut stream, &message::with_id(packet, id)).await?;
    for _ in 0..GUESSES {
        let answer = read_message(&mut stream).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if let Some(said) = judge(&answer, id, query) {
            return Ok(said);
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "answers to other questions"))
}

fn judge(packet: &[u8], id: u16, query: &Query) -> Option<Said> {
    match message::judge(packet, id, query) {
        Verdict::Other => None,
        Verdict::Good => Some(Said::Good(packet.to_vec())),
        Verdict::Failure => Some(Said::Failure(packet.to_vec())),
    }
}

async fn connect(upstream: &Upstream) -> io::Result<TcpStream> {
    let address = upstream.address;
    let socket = match (&upstream.from, address) {
        (None, SocketAddr::V4(_)) => TcpSocket::new_v4()?,
        (None, SocketAddr::V6(_)) => TcpSocket::new_v6()?,
        (Some(factory), _) => {
            let factory = Arc::clone(factory);
            let opened = tokio::task::spawn_blocking(move || factory.tcp(address)).await;
            let stream = StdStream::from(opened.map_err(io::Error::other)??);
            stream.set_nonblocking(true)?;
            TcpSocket::from_std_stream(stream)
        }
    };
    socket.connect(address).await
}
