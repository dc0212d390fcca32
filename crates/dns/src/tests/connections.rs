//! TCP connections of clients: several questions at once, and who misuses them.

use std::thread;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::upstreams::{Server, with_address};
use super::*;
use crate::connections::MAX_CONNECTIONS;

fn framed(message: &Message) -> Vec<u8> {
    let bytes = message.to_vec().unwrap();
    let length = u16::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes()[..], &bytes].concat()
}

fn read_answer(stream: &mut TcpStream) -> Message {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut answer).unwrap();
    Message::from_vec(&answer).unwrap()
}

/// Whether the other side has closed.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    matches!(stream.read(&mut [0; 1]), Ok(0)) || {
        // Closed with bytes unread, it is a reset.
        stream.write_all(&[0]).is_err()
    }
}

fn c1() -> Message {
    question("c1", RecordType::A)
}

fn host(upstreams: &[SocketAddr]) -> Host {
    Host::with_zone(zone(&[("c1", "10.0.0.2")]), upstreams)
}

#[test]
fn answers_come_as_they_are_ready() {
    let slow = Server::new(|query| {
        thread::sleep(Duration::from_millis(300));
        vec![with_address(&query, 1)]
    });
    let host = host(&[slow.address]);
    let mut stream = TcpStream::connect(host.address).unwrap();
    let outside = question("a.example", RecordType::A);
    let (first, last) = (c1(), c1());
    // Three questions in one piece, the second of them slow.
    stream.write_all(&[framed(&first), framed(&outside), framed(&last)].concat()).unwrap();
    let ids: Vec<_> = (0..3).map(|_| read_answer(&mut stream).metadata.id).collect();
    assert_eq!(ids, [first.metadata.id, last.metadata.id, outside.metadata.id]);
}

#[test]
fn many_questions_on_one_connection_are_all_answered() {
    let host = host(&[]);
    let mut stream = TcpStream::connect(host.address).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let query = framed(&c1());
    let writer = thread::spawn(move || {
        // In pieces that end anywhere.
        let all = query.repeat(5000);
        all.chunks(1009).for_each(|piece| stream.write_all(piece).unwrap());
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    });
    for _ in 0..5000 {
        assert_eq!(read_answer(&mut reader).answers.len(), 1);
    }
    writer.join().unwrap();
    assert!(is_closed(&mut reader), "both have said all");
}

#[test]
fn who_has_said_all_still_gets_the_answer() {
    let slow = Server::new(|query| {
        thread::sleep(Duration::from_millis(200));
        vec![with_address(&query, 1)]
    });
    let host = host(&[slow.address]);
    let mut stream = TcpStream::connect(host.address).unwrap();
    stream.write_all(&framed(&question("a.example", RecordType::A))).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(read_answer(&mut stream).answers.len(), 1);
    assert!(is_closed(&mut stream));
}

#[test]
fn what_is_no_message_closes_the_connection() {
    let host = host(&[]);
    for wrong in [
        &[0xff, 0xff, 0, 1][..],
        // As HTTP begins.
        b"GET / HTTP/1.1\r\n",
        // Too short for a header; nothing at all.
        &[0, 3, 1, 2, 3],
        &[0, 0],
        // A response.
        &[0, 12, 0, 1, 0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let mut stream = TcpStream::connect(host.address).unwrap();
        stream.write_all(wrong).unwrap();
        let start = Instant::now();
        assert!(is_closed(&mut stream), "{wrong:?}");
        assert!(start.elapsed() < Duration::from_secs(3), "{wrong:?}: at once");
    }
    // A question that makes no sense is answered, and the connection goes on.
    let mut stream = TcpStream::connect(host.address).unwrap();
    let mut odd = framed(&c1());
    odd[2 + 5] = 2;
    stream.write_all(&odd).unwrap();
    assert_eq!(code(&read_answer(&mut stream)), ResponseCode::FormErr);
    assert_eq!(tcp_on(&mut stream, &c1()).answers.len(), 1);
}

#[test]
fn who_was_idle_for_longest_makes_room() {
    let silent = Server::new(|_| Vec::new());
    let host = host(&[silent.address]);
    let mut busy = TcpStream::connect(host.address).unwrap();
    busy.write_all(&framed(&question("a.example", RecordType::A))).unwrap();
    while host.dns.counters().total.queries == 0 {}
    // The first two have asked something, the second of them last of all.
    let mut idle: Vec<_> =
        (1..MAX_CONNECTIONS).map(|_| TcpStream::connect(host.address).unwrap()).collect();
    for stream in &mut idle {
        tcp_on(stream, &c1());
    }
    tcp_on(&mut idle[0], &c1());
    for round in 0..5 {
        let mut new = TcpStream::connect(host.address).unwrap();
        assert_eq!(tcp_on(&mut new, &c1()).answers.len(), 1, "the new one is served");
        assert!(is_closed(&mut idle.remove(1)), "round {round}: the oldest is closed");
        idle.push(new);
    }
    for stream in &mut idle {
        assert_eq!(tcp_on(stream, &c1()).answers.len(), 1, "the others go on");
    }
    let answer = read_answer(&mut busy);
    assert_eq!(code(&answer), ResponseCode::ServFail, "who waits for an answer keeps its place");
}

#[test]
fn many_connections_that_say_nothing_keep_nobody_out() {
    let host = host(&[]);
    let mute: Vec<_> = (0..300)
        .map(|_| {
            let mut stream = TcpStream::connect(host.address).unwrap();
            stream.write_all(&[0]).unwrap();
            stream
        })
        .collect();
    assert_eq!(host.tcp(&c1()).answers.len(), 1);
    assert_eq!(host.udp(&c1()).answers.len(), 1);
    drop(mute);
}

/// A service, a client and a clock that goes on when both wait.
async fn connect() -> (Dns, tokio::net::TcpStream) {
    let dns = Dns::new(tokio::runtime::Handle::current(), Settings::default());
    let sockets = sockets();
    let address = sockets.tcp.local_addr().unwrap();
    dns.set_zone("net", zone(&[("c1", "10.0.0.2")]));
    dns.serve(SANDBOX, sockets, view(&["net"]), Vec::new()).unwrap();
    (dns, tokio::net::TcpStream::connect(address).await.unwrap())
}

/// How long it takes until the other side closes, in seconds.
async fn seconds_until_closed(stream: &mut tokio::net::TcpStream) -> u64 {
    let start = tokio::time::Instant::now();
    let mut buffer = vec![0; 65536];
    while let Ok(1..) = stream.read(&mut buffer).await {}
    start.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_left_alone() {
    let (_dns, mut stream) = connect().await;
    assert_eq!(seconds_until_closed(&mut stream).await, 10);
}

#[tokio::test(start_paused = true)]
async fn who_says_it_slowly_is_left_alone_earlier() {
    let (_dns, stream) = connect().await;
    let (mut reader, mut writer) = stream.into_split();
    let dripping = tokio::spawn(async move {
        for byte in framed(&c1()) {
            if writer.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let start = tokio::time::Instant::now();
    assert_eq!(reader.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert_eq!(start.elapsed().as_secs(), 5);
    dripping.abort();
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_left_alone() {
    let (_dns, mut stream) = connect().await;
    let query = framed(&c1()).repeat(1000);
    // Until nothing more is read from us, because nothing is taken.
    let mut sent = 0;
    while let Ok(Ok(())) =
        tokio::time::timeout(Duration::from_secs(1), stream.write_all(&query)).await
    {
        sent += 1000;
        assert!(sent < 2_000_000, "it is held back");
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    // Closed with questions unread, it is a reset, at the latest when one writes again.
    assert!(seconds_until_closed(&mut stream).await <= 1);
}
