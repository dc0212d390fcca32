//! The relay over loopback, from `[::1]` to 127.0.0.1.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::Duration;

use hawser_hoststate::{HeldPort, Transport};
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
use tokio::runtime::Runtime;

use crate::{Relay, Start};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A socket on a free port of an IPv6 address, as the kernel's door holds them.
fn held(transport: Transport, address: Ipv6Addr) -> (HeldPort, OwnedFd) {
    let kind = if transport == Transport::Udp { SocketType::DGRAM } else { SocketType::STREAM };
    let held = socket(AddressFamily::INET6, kind, None).unwrap();
    bind(&held, &SocketAddr::from((address, 0))).unwrap();
    let port = SocketAddr::try_from(getsockname(&held).unwrap()).unwrap().port();
    (HeldPort { address: address.into(), transport, port }, held)
}

fn relayed(
    runtime: &Runtime,
    transport: Transport,
    at: Ipv6Addr,
    to: SocketAddr,
) -> (Relay, HeldPort) {
    let relay = Relay::new(runtime.handle().clone(), 100);
    let (port, socket) = held(transport, at);
    relay.start(vec![Start { port: port.clone(), socket, to }]).unwrap();
    (relay, port)
}

fn connect(port: &HeldPort) -> TcpStream {
    let stream = TcpStream::connect((Ipv6Addr::LOCALHOST, port.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Answers with all that it was sent, once the client has ended its side.
fn echo(listener: TcpListener) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut all = Vec::new();
            if stream.read_to_end(&mut all).is_ok() && stream.write_all(&all).is_err() {
                return;
            }
            if all == b"last" {
                return;
            }
        }
    })
}

fn exchange(port: &HeldPort, data: &[u8]) -> Vec<u8> {
    let mut stream = connect(port);
    stream.write_all(data).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    back
}

#[test]
fn connections_are_carried_whole_and_each_side_ends_by_itself() {
    let runtime = runtime();
    let (listener, to) = listener();
    let server = echo(listener);
    let (_relay, port) = relayed(&runtime, Transport::Tcp, Ipv6Addr::UNSPECIFIED, to);
    // Less than is copied, about as much, and far more than pipes hold.
    for length in [0, 1, 65536, 65537, 5_000_000] {
        let data: Vec<u8> = (0..length).map(|i: u32| (i % 251) as u8).collect();
        assert!(exchange(&port, &data) == data, "{length} bytes");
    }
    assert_eq!(exchange(&port, b"last"), b"last");
    server.join().unwrap();
}

#[test]
fn a_failure_of_one_side_ends_the_other() {
    let runtime = runtime();
    let (listener, to) = listener();
    let (_relay, port) = relayed(&runtime, Transport::Tcp, Ipv6Addr::LOCALHOST, to);
    let mut client = connect(&port);
    client.write_all(b"x").unwrap();
    let (mut server, _) = listener.accept().unwrap();
    server.read_exact(&mut [0]).unwrap();
    // Not read to the end: the close resets the connection.
    client.write_all(&[0; 100_000]).unwrap();
    thread::sleep(Duration::from_millis(50));
    drop(server);
    let ended = client.read(&mut [0; 10]);
    assert!(
        matches!(&ended, Ok(0)) || ended.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset)
    );
    drop(listener);
    let mut refused = connect(&port);
    let ended = refused.read(&mut [0; 10]);
    assert!(
        matches!(&ended, Ok(0)) || ended.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset)
    );
}

#[test]
fn a_port_that_is_stopped_is_free_at_once_and_its_connections_end() {
    let runtime = runtime();
    let (listener, to) = listener();
    let (relay, port) = relayed(&runtime, Transport::Tcp, Ipv6Addr::LOCALHOST, to);
    let mut client = connect(&port);
    let (_server, _) = listener.accept().unwrap();
    assert_eq!(relay.list().get(&port), Some(&to));
    let socket = held(Transport::Tcp, Ipv6Addr::LOCALHOST).1;
    let twice = relay.start(vec![Start { port: port.clone(), socket, to }]);
    let (refused, error) = twice.unwrap_err();
    assert!(refused == port && error.kind() == ErrorKind::AlreadyExists);
    runtime.block_on(relay.stop([&port]));
    assert!(relay.list().is_empty());
    assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
    assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port.port)).is_err());
    runtime.block_on(relay.stop([&port]));
}

#[test]
fn datagrams_go_by_flow_and_come_back_from_where_they_were_sent_to() {
    let runtime = runtime();
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let to = server.local_addr().unwrap();
    let (relay, port) = relayed(&runtime, Transport::Udp, Ipv6Addr::UNSPECIFIED, to);
    let client = || {
        let socket = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // Connected: an answer from another address than this one would not arrive.
        socket.connect((Ipv6Addr::LOCALHOST, port.port)).unwrap();
        socket
    };
    let (a, b) = (client(), client());
    let mut buffer = vec![0; 65535];
    let long = vec![7; 60_000];
    let mut flows = Vec::new();
    for (socket, data) in [(&a, &b"from a"[..]), (&b, b"from b"), (&a, &long), (&b, b"")] {
        socket.send(data).unwrap();
        let (length, flow) = server.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], data);
        server.send_to(&buffer[..length], flow).unwrap();
        let length = socket.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], data);
        flows.push(flow);
    }
    assert!(flows[0] == flows[2] && flows[1] == flows[3] && flows[0] != flows[1]);
    runtime.block_on(relay.stop([&port]));
    UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port.port)).unwrap();
}

#[test]
fn more_clients_than_flows_are_served_the_oldest_are_forgotten() {
    let runtime = runtime();
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let to = server.local_addr().unwrap();
    let (_relay, port) = relayed(&runtime, Transport::Udp, Ipv6Addr::LOCALHOST, to);
    for number in 0..crate::PER_PORT + 10 {
        let client = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        client.send_to(&number.to_be_bytes(), (Ipv6Addr::LOCALHOST, port.port)).unwrap();
        let mut buffer = [0; 8];
        server.recv_from(&mut buffer).unwrap();
        assert_eq!(usize::from_be_bytes(buffer), number);
    }
}

#[test]
fn what_cannot_be_relayed_is_refused() {
    let runtime = runtime();
    let relay = Relay::new(runtime.handle().clone(), 1);
    let to = (Ipv4Addr::LOCALHOST, 1).into();
    let (good, socket) = held(Transport::Tcp, Ipv6Addr::LOCALHOST);
    let good = Start { port: good, socket, to };
    let (mut port, socket) = held(Transport::Tcp, Ipv6Addr::LOCALHOST);
    port.transport = Transport::Sctp;
    let bad = Start { port: port.clone(), socket, to };
    let (refused, error) = relay.start(vec![good, bad]).unwrap_err();
    assert!(refused == port && error.kind() == ErrorKind::Unsupported);
    assert!(relay.list().is_empty());
}
