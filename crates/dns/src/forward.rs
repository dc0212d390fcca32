//! Asking upstreams.
//!
//! In: a query that is not ours, as it came. Out: an upstream's answer, byte for byte but for the
//! id, or nothing. Each attempt has an id and a source port that cannot be guessed; what does not
//! answer exactly the question asked is ignored.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::message::{self, Query};
use crate::stream::{read_message, write_message};
use crate::{SocketFactory, Upstream};

/// How long one upstream may take. Clients give up after 5 s.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many upstreams are asked, as in resolv.conf.
const MAX_UPSTREAMS: usize = 3;
/// Longest answer over UDP that is taken.
const MAX_DATAGRAM: usize = 4096;

/// How the client asked, so that the answer fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// Asks the upstreams in order; the answer carries the client's id. A failure of one is kept
/// in case no other does better.
pub(crate) async fn forward(
    upstreams: &[Upstream],
    packet: &[u8],
    query: &Query,
    transport: Transport,
) -> Option<Vec<u8>> {
    let mut failure = None;
    for upstream in upstreams.iter().take(MAX_UPSTREAMS) {
        let id: u16 = rand::random();
        let question = message::with_id(packet, id);
        let asked = async {
            match transport {
                Transport::Udp => ask_udp(upstream, &question, id, query).await,
                Transport::Tcp => ask_tcp(upstream, &question, id, query).await,
            }
        };
        match timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => {
                let answer = message::with_id(&answer, message::id(packet));
                if !message::is_failure(&answer) {
                    return Some(answer);
                }
                failure = Some(answer);
            }
            Ok(Err(error)) => tracing::debug!(upstream = %upstream.address, %error, "no answer"),
            Err(_) => tracing::debug!(upstream = %upstream.address, "no answer in time"),
        }
    }
    failure
}

async fn ask_udp(
    upstream: &Upstream,
    question: &[u8],
    id: u16,
    query: &Query,
) -> io::Result<Vec<u8>> {
    let address = upstream.address;
    let socket = match &upstream.from {
        None => UdpSocket::bind(any(address)).await?,
        Some(factory) => {
            let socket = blocking(factory, move |factory| factory.udp(address)).await?;
            socket.set_nonblocking(true)?;
            UdpSocket::from_std(socket)?
        }
    };
    // Connected: the kernel drops what comes from elsewhere, and tells that nobody is there.
    socket.connect(address).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let answer = buffer.get(..length).unwrap_or_default();
        if message::matches(answer, id, query) {
            return Ok(answer.to_vec());
        }
    }
}

async fn ask_tcp(
    upstream: &Upstream,
    question: &[u8],
    id: u16,
    query: &Query,
) -> io::Result<Vec<u8>> {
    let address = upstream.address;
    let mut stream = match &upstream.from {
        None => TcpStream::connect(address).await?,
        Some(factory) => {
            let stream = blocking(factory, move |factory| factory.tcp(address)).await?;
            stream.set_nonblocking(true)?;
            TcpStream::from_std(stream)?
        }
    };
    write_message(&mut stream, question).await?;
    let answer = read_message(&mut stream).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    if message::matches(&answer, id, query) {
        return Ok(answer);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "answer to another question"))
}

fn any(upstream: SocketAddr) -> SocketAddr {
    let address = match upstream {
        SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    (address, 0).into()
}

async fn blocking<T: Send + 'static>(
    factory: &Arc<dyn SocketFactory>,
    open: impl FnOnce(&dyn SocketFactory) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let factory = Arc::clone(factory);
    tokio::task::spawn_blocking(move || open(&*factory)).await.map_err(io::Error::other)?
}
