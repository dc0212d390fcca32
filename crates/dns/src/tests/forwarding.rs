//! Questions that go to upstreams.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use hickory_proto::op::MessageType;
use rustix::net::{AddressFamily, SocketType, socket};

use super::upstreams::{Server, respond, with_address};
use super::*;
use crate::SocketFactory;

fn works(query: Message) -> Vec<Message> {
    vec![with_address(&query, 1)]
}

fn refuses(query: Message) -> Vec<Message> {
    vec![respond(&query, ResponseCode::Refused)]
}

fn is_silent(_: Message) -> Vec<Message> {
    Vec::new()
}

/// Sends four forgeries before the true answer.
fn is_spoofed(query: Message) -> Vec<Message> {
    let mut other_id = with_address(&query, 66);
    other_id.metadata.id = query.metadata.id.wrapping_add(1);
    let other_name = with_address(&question("other.example", RecordType::A), 66);
    let mut other_name = other_name;
    other_name.metadata.id = query.metadata.id;
    let mut no_response = with_address(&query, 66);
    no_response.metadata.message_type = MessageType::Query;
    let mut other_kind = with_address(&question("a.example", RecordType::AAAA), 66);
    other_kind.metadata.id = query.metadata.id;
    vec![other_id, other_name, no_response, other_kind, with_address(&query, 1)]
}

fn not_there() -> SocketAddr {
    // Bound and let go: nobody listens.
    UdpSocket::bind(loopback()).unwrap().local_addr().unwrap()
}

#[test]
fn names_outside_are_forwarded_with_an_id_of_ours() {
    let server = Server::new(works);
    let host = Host::with_zone(zone(&[("c1", "10.0.0.2")]), &[server.address]);
    let query = question("a.example", RecordType::A);
    let answer = host.udp(&query);
    assert_eq!(answer.metadata.id, query.metadata.id);
    assert_eq!(address_of(&answer), IpAddr::from([192, 0, 2, 1]));
    assert_eq!(answer.answers[0].ttl, 60, "passed as it is");
    assert_eq!(address_of(&host.tcp(&query)), IpAddr::from([192, 0, 2, 1]));
    assert_eq!(server.asked(), 2);
}

#[test]
fn names_of_containers_never_go_out() {
    let server = Server::new(works);
    let host =
        Host::with_zone(zone(&[("c1", "10.0.0.2"), ("c1.net", "10.0.0.2")]), &[server.address]);
    for (name, kind) in [
        ("c1", RecordType::A),
        ("c1", RecordType::AAAA),
        ("c1.net", RecordType::TXT),
        ("gone", RecordType::A),
        ("gone", RecordType::MX),
    ] {
        host.ask(name, kind);
    }
    assert_eq!(server.asked(), 0);
    host.ask(".", RecordType::NS);
    assert_eq!(server.asked(), 1, "the root is nobody's name");
}

#[test]
fn forged_answers_are_ignored() {
    let host = Host::with_zone(zone(&[]), &[Server::new(is_spoofed).address]);
    let answer = host.ask("a.example", RecordType::A);
    assert_eq!(address_of(&answer), IpAddr::from([192, 0, 2, 1]));
    let over_tcp = host.tcp(&question("a.example", RecordType::A));
    assert_eq!(address_of(&over_tcp), IpAddr::from([192, 0, 2, 1]));
}

#[test]
fn the_next_upstream_is_asked_when_one_fails() {
    for bad in [not_there(), Server::new(refuses).address, Server::new(is_silent).address] {
        let host = Host::with_zone(zone(&[]), &[bad, Server::new(works).address]);
        let start = Instant::now();
        let answer = host.ask("a.example", RecordType::A);
        assert_eq!(address_of(&answer), IpAddr::from([192, 0, 2, 1]));
        assert!(start.elapsed() < Duration::from_secs(4));
    }
    let host = Host::with_zone(zone(&[]), &[not_there(), Server::new(works).address]);
    assert_eq!(host.tcp(&question("a.example", RecordType::A)).answers.len(), 1);
}

#[test]
fn when_all_fail_the_client_is_told() {
    let host = Host::with_zone(zone(&[]), &[not_there()]);
    let query = question("a.example", RecordType::A);
    let answer = host.udp(&query);
    assert_eq!((code(&answer), answer.metadata.id), (ResponseCode::ServFail, query.metadata.id));
    let host = Host::with_zone(zone(&[]), &[Server::new(refuses).address]);
    assert_eq!(code(&host.ask("a.example", RecordType::A)), ResponseCode::Refused, "their words");
}

#[test]
fn forwarding_does_not_hold_up_answers() {
    let host = Host::with_zone(zone(&[("c1", "10.0.0.2")]), &[Server::new(is_silent).address]);
    let socket = UdpSocket::bind(loopback()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let slow = question("a.example", RecordType::A).to_vec().unwrap();
    for _ in 0..100 {
        socket.send_to(&slow, host.address).unwrap();
    }
    let start = Instant::now();
    assert_eq!(host.addresses("c1"), ["10.0.0.2"]);
    assert!(start.elapsed() < Duration::from_secs(1));
}

/// Opens sockets from another address of loopback, and counts.
struct Counting(AtomicUsize);

impl SocketFactory for Counting {
    fn udp(&self, _: SocketAddr) -> std::io::Result<UdpSocket> {
        self.0.fetch_add(1, Ordering::SeqCst);
        UdpSocket::bind(loopback())
    }

    fn tcp(&self, _: SocketAddr) -> std::io::Result<OwnedFd> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(socket(AddressFamily::INET, SocketType::STREAM, None)?)
    }
}

#[test]
fn upstreams_may_be_asked_from_elsewhere() {
    let host = Host::with_zone(zone(&[]), &[]);
    host.runtime.block_on(host.dns.stop(SANDBOX).closed());
    let factory = Arc::new(Counting(AtomicUsize::new(0)));
    let from: Arc<dyn SocketFactory> = factory.clone();
    let upstream = Upstream { address: Server::new(works).address, from: Some(from) };
    let udp = UdpSocket::bind(host.address).unwrap();
    let tcp = TcpListener::bind(host.address).unwrap();
    host.dns.serve(SANDBOX, Sockets { udp, tcp }, view(&[]), vec![upstream]).unwrap();
    let query = question("a.example", RecordType::A);
    assert_eq!(host.udp(&query).answers.len(), 1);
    assert_eq!(host.tcp(&query).answers.len(), 1);
    assert_eq!(factory.0.load(Ordering::SeqCst), 2);
}

/// Opens sockets as slowly as a busy machine, and knows how many threads were in it at a time.
#[derive(Default)]
struct Slow {
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl SocketFactory for Slow {
    fn udp(&self, _: SocketAddr) -> std::io::Result<UdpSocket> {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(2));
        self.inside.fetch_sub(1, Ordering::SeqCst);
        UdpSocket::bind(loopback())
    }

    fn tcp(&self, _: SocketAddr) -> std::io::Result<OwnedFd> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

#[test]
fn a_burst_of_questions_takes_one_thread_to_open_sockets() {
    let host = Host::with_zone(zone(&[]), &[]);
    let factory = Arc::new(Slow::default());
    let from: Arc<dyn SocketFactory> = factory.clone();
    let upstream = Upstream { address: Server::new(works).address, from: Some(from) };
    host.dns.set_upstreams(SANDBOX, vec![upstream]);
    let socket = UdpSocket::bind(loopback()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    for n in 0..100 {
        let query = question(&format!("{n}.example"), RecordType::A).to_vec().unwrap();
        socket.send_to(&query, host.address).unwrap();
    }
    for _ in 0..100 {
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).unwrap();
        assert_eq!(Message::from_vec(&buffer[..length]).unwrap().answers.len(), 1);
    }
    assert_eq!(factory.most.load(Ordering::SeqCst), 1);
}
