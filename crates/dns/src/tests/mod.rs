//! The service over real sockets on loopback; hickory, which shares no code with it, reads and
//! writes the packets.

mod caching;
mod connections;
mod corpus;
mod explaining;
mod forwarding;
mod limits;
mod misbehaving;
mod names;
mod ours;
mod upstreams;

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::runtime::Runtime;

use crate::{Alias, Dns, Names, Settings, Sockets, Upstream, View, Zone};

const SANDBOX: &str = "sandbox";
const PATIENCE: Duration = Duration::from_secs(10);

/// A service with one sandbox on loopback ports.
struct Host {
    runtime: Runtime,
    dns: Dns,
    address: SocketAddr,
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A UDP socket and a TCP listener on the same free port.
fn sockets() -> Sockets {
    loop {
        let tcp = TcpListener::bind(loopback()).unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) {
            return Sockets { udp, tcp };
        }
    }
}

impl Host {
    fn new(view: View, upstreams: &[SocketAddr]) -> Self {
        Self::with_settings(Settings::default(), view, upstreams)
    }

    fn with_settings(settings: Settings, view: View, upstreams: &[SocketAddr]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let dns = Dns::new(runtime.handle().clone(), settings);
        let sockets = sockets();
        let address = sockets.udp.local_addr().unwrap();
        let upstream = |address: &SocketAddr| Upstream { address: *address, from: None };
        dns.serve(SANDBOX, sockets, view, upstreams.iter().map(upstream).collect()).unwrap();
        Self { runtime, dns, address }
    }

    /// Sees one zone, `net`.
    fn with_zone(zone: Zone, upstreams: &[SocketAddr]) -> Self {
        let host = Self::new(view(&["net"]), upstreams);
        host.dns.set_zone("net", zone);
        host
    }

    fn udp(&self, message: &Message) -> Message {
        let bytes = udp_raw(self.address, &message.to_vec().unwrap());
        Message::from_vec(&bytes.unwrap()).unwrap()
    }

    fn tcp(&self, message: &Message) -> Message {
        let mut stream = TcpStream::connect(self.address).unwrap();
        tcp_on(&mut stream, message)
    }

    fn ask(&self, name: &str, kind: RecordType) -> Message {
        self.udp(&question(name, kind))
    }

    /// The addresses that a name has, in the order of the answer.
    fn addresses(&self, name: &str) -> Vec<String> {
        let answer = self.ask(name, RecordType::A);
        answer.answers.iter().map(|record| record.data.to_string()).collect()
    }
}

fn view(zones: &[&str]) -> View {
    View { aliases: Vec::new(), zones: zones.iter().map(|key| (*key).to_owned()).collect() }
}

fn zone(names: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::default();
    for (name, address) in names {
        zone.set(&format!("{name} {address}"), has(&[*name], address));
    }
    zone
}

/// What an owner of one address has.
fn has(names: &[&str], address: &str) -> Names {
    Names {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        addresses: vec![address.parse().unwrap()],
        reverse: None,
    }
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn udp_raw(address: SocketAddr, packet: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind(loopback()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.connect(address).unwrap();
    socket.send(packet).unwrap();
    let mut buffer = vec![0; 65535];
    let length = socket.recv(&mut buffer).ok()?;
    buffer.truncate(length);
    Some(buffer)
}

fn tcp_on(stream: &mut TcpStream, message: &Message) -> Message {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let bytes = message.to_vec().unwrap();
    let length = u16::try_from(bytes.len()).unwrap();
    stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut answer).unwrap();
    Message::from_vec(&answer).unwrap()
}

fn code(message: &Message) -> ResponseCode {
    message.metadata.response_code
}

fn with_edns(mut message: Message, payload: u16) -> Message {
    let mut edns = Edns::new();
    edns.set_max_payload(payload);
    message.set_edns(edns);
    message
}

fn address_of(message: &Message) -> IpAddr {
    match &message.answers[0].data {
        RData::A(address) => address.0.into(),
        RData::AAAA(address) => address.0.into(),
        other => panic!("no address: {other}"),
    }
}
