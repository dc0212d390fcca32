//! Upstreams that behave as they are told, on loopback.
//!
//! Their threads end with the test's process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hickory_proto::op::MessageType;
use hickory_proto::rr::Record;

use super::*;

/// What an upstream sends for a query: any number of packets.
type Behaviour = fn(Message) -> Vec<Message>;

/// An upstream that counts what it is asked, over UDP and TCP.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    pub(super) fn new(behaviour: Behaviour) -> Self {
        let Sockets { udp, tcp } = sockets();
        let address = udp.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            let mut buffer = vec![0; 65535];
            while let Ok((length, client)) = udp.recv_from(&mut buffer) {
                count.fetch_add(1, Ordering::SeqCst);
                for answer in behaviour(Message::from_vec(&buffer[..length]).unwrap()) {
                    udp.send_to(&answer.to_vec().unwrap(), client).unwrap();
                }
            }
        });
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            while let Ok((stream, _)) = tcp.accept() {
                count.fetch_add(1, Ordering::SeqCst);
                answer_stream(stream, behaviour);
            }
        });
        Self { address, asked }
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer_stream(mut stream: TcpStream, behaviour: Behaviour) {
    for answer in behaviour(read_question(&mut stream)) {
        let bytes = answer.to_vec().unwrap();
        let length = u16::try_from(bytes.len()).unwrap();
        stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).unwrap();
    }
}

pub(super) fn respond(query: &Message, code: ResponseCode) -> Message {
    let mut answer = query.clone();
    answer.metadata.message_type = MessageType::Response;
    answer.metadata.response_code = code;
    answer
}

pub(super) fn with_address(query: &Message, last: u8) -> Message {
    let mut answer = respond(query, ResponseCode::NoError);
    let name = query.queries[0].name.clone();
    let address = std::net::Ipv4Addr::new(192, 0, 2, last);
    answer.add_answer(Record::from_rdata(name, 60, RData::from(address)));
    answer
}

/// What is done with each datagram: the socket that it came to, the packet, the client.
pub(super) type OverUdp = fn(&UdpSocket, &[u8], SocketAddr);
/// What is done with each connection.
pub(super) type OverTcp = fn(TcpStream);

/// An upstream that knows no rules.
pub(super) fn raw(over_udp: OverUdp, over_tcp: OverTcp) -> SocketAddr {
    let Sockets { udp, tcp } = sockets();
    let address = udp.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = vec![0; 65535];
        while let Ok((length, client)) = udp.recv_from(&mut buffer) {
            over_udp(&udp, &buffer[..length], client);
        }
    });
    thread::spawn(move || {
        while let Ok((stream, _)) = tcp.accept() {
            over_tcp(stream);
        }
    });
    address
}

/// The question that comes over a connection.
pub(super) fn read_question(stream: &mut TcpStream) -> Message {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut query = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut query).unwrap();
    Message::from_vec(&query).unwrap()
}
