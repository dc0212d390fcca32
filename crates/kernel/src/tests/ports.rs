//! Held ports: a conflict is an error that names the holder; nothing is received on them.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use hawser_hoststate::{HeldPort, Transport};

use super::*;
use crate::ErrorKind;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn port(address: &str, transport: Transport, port: u16) -> Object {
    Object::HeldPort(HeldPort { address: name(address), transport, port })
}

#[test]
fn a_held_port_is_taken_for_others_until_released() {
    on_test_host(|kernel| {
        let held = HostState::from_iter([
            port("0.0.0.0", Transport::Tcp, 8080),
            port("::", Transport::Tcp, 8080),
            port("127.0.0.1", Transport::Udp, 53),
        ]);
        kernel.apply(&additions(&held)).expect("hold");
        kernel.apply(&additions(&held)).expect("hold again");
        assert_same(&kernel.observe().expect("observe"), &held);
        TcpListener::bind("127.0.0.1:8080").expect_err("held");
        TcpListener::bind("[::1]:8080").expect_err("held");
        UdpSocket::bind("127.0.0.1:53").expect_err("held");
        TcpStream::connect("127.0.0.1:8080").expect_err("nobody listens");
        kernel.apply(&removals(&held)).expect("release");
        TcpListener::bind("127.0.0.1:8080").expect("free");
        UdpSocket::bind("127.0.0.1:53").expect("free");
    });
}

#[test]
fn a_taken_port_names_its_holder() {
    on_test_host(|kernel| {
        let _listener = TcpListener::bind("127.0.0.1:8080").expect("listen");
        let wanted = Change::Add(port("0.0.0.0", Transport::Tcp, 8080));
        let failure = kernel.apply(&[wanted]).expect_err("taken");
        assert_eq!(failure.error.kind, ErrorKind::PortTaken);
        assert!(failure.error.hint.contains(&format!("pid {}", std::process::id())), "{failure:?}");
        let wanted = Change::Add(port("192.0.2.7", Transport::Tcp, 80));
        let failure = kernel.apply(&[wanted]).expect_err("not an address of the host");
        assert_eq!(failure.error.kind, ErrorKind::AddressMissing);
    });
}

#[test]
fn a_port_with_lingering_connections_can_be_held() {
    on_test_host(|kernel| {
        let listener = TcpListener::bind("127.0.0.1:8080").expect("listen");
        let client = TcpStream::connect("127.0.0.1:8080").expect("connect");
        let (server, _) = listener.accept().expect("accept");
        // The server closes first: its end lingers in TIME_WAIT.
        drop((server, listener));
        drop(client);
        kernel.apply(&[Change::Add(port("0.0.0.0", Transport::Tcp, 8080))]).expect("hold");
        TcpListener::bind("127.0.0.1:8080").expect_err("held");
        let address = SocketAddr::new(LOCALHOST, 8080);
        TcpStream::connect_timeout(&address, Duration::from_millis(200)).expect_err("dropped");
    });
}

#[test]
fn free_ports_ascend_and_skip_what_is_taken() {
    on_test_host(|kernel| {
        let free = |range| kernel.free_port(&[LOCALHOST], Transport::Tcp, range);
        let _taken = TcpListener::bind("127.0.0.1:9001").expect("listen");
        kernel.apply(&[Change::Add(port("127.0.0.1", Transport::Tcp, 9002))]).expect("hold");
        assert_eq!(free(Some(9000..=9003)).expect("first"), 9000);
        assert_eq!(free(Some(9000..=9003)).expect("second"), 9003);
        assert_eq!(free(Some(9000..=9003)).expect("round"), 9000);
        let full = free(Some(9001..=9002)).expect_err("all taken");
        assert_eq!(full.kind, ErrorKind::NoSpace);
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40002").expect("range");
        std::fs::write("/proc/sys/net/ipv4/ip_local_reserved_ports", "40000").expect("reserved");
        assert_eq!(free(None).expect("ephemeral"), 40001);
        assert_eq!(free(None).expect("ephemeral"), 40002);
        assert_eq!(free(None).expect("ephemeral"), 40001);
    });
}

#[test]
fn an_opened_port_receives_until_it_is_closed() {
    on_test_host(|kernel| {
        let held = |transport| HeldPort { address: LOCALHOST, transport, port: 8080 };
        let (tcp, udp) = (held(Transport::Tcp), held(Transport::Udp));
        let missing = kernel.open_port(&tcp).expect_err("not held");
        assert_eq!(missing.kind, ErrorKind::NotFound);
        kernel.close_port(&tcp).expect("nothing to close");
        let both = [Object::HeldPort(tcp.clone()), Object::HeldPort(udp.clone())];
        kernel.apply(&both.map(Change::Add)).expect("hold");
        let client = UdpSocket::bind("127.0.0.1:0").expect("bind");
        client.connect("127.0.0.1:8080").expect("connect");
        for _ in 0..2 {
            let listener = kernel.open_port(&tcp).expect("open");
            rustix::net::listen(&listener, 8).expect("listen");
            let listener = TcpListener::from(listener);
            // It closes last: nothing lingers at our end.
            let stream = TcpStream::connect("127.0.0.1:8080").expect("connect");
            drop((listener.accept().expect("accept"), stream, listener));
            let socket = UdpSocket::from(kernel.open_port(&udp).expect("open"));
            client.send(b"x").expect("send");
            socket.set_read_timeout(Some(Duration::from_secs(5))).expect("timeout");
            assert_eq!(socket.recv(&mut [0; 8]).expect("receive"), 1);
            socket.set_read_timeout(Some(Duration::from_millis(50))).expect("timeout");
            kernel.close_port(&tcp).expect("close");
            kernel.close_port(&udp).expect("close");
            TcpStream::connect("127.0.0.1:8080").expect_err("nobody listens");
            client.send(b"x").expect("send");
            socket.recv(&mut [0; 8]).expect_err("dropped");
            TcpListener::bind("127.0.0.1:8080").expect_err("held");
            UdpSocket::bind("127.0.0.1:8080").expect_err("held");
        }
    });
}

#[test]
fn what_lingers_of_an_opened_port_is_in_nobodys_way() {
    on_test_host(|kernel| {
        let port = HeldPort { address: LOCALHOST, transport: Transport::Tcp, port: 8080 };
        let hold = [Change::Add(Object::HeldPort(port.clone()))];
        let release = [Change::Remove(Object::HeldPort(port.clone()))];
        // Each time beside what the last time left.
        for _ in 0..3 {
            kernel.apply(&hold).expect("hold");
            let listener = kernel.open_port(&port).expect("open");
            rustix::net::listen(&listener, 8).expect("listen");
            let listener = TcpListener::from(listener);
            let stream = TcpStream::connect("127.0.0.1:8080").expect("connect");
            drop(listener.accept().expect("accept"));
            drop((stream, listener));
            kernel.close_port(&port).expect("close");
            TcpListener::bind("127.0.0.1:8080").expect_err("held");
            let address = SocketAddr::new(LOCALHOST, 8080);
            TcpStream::connect_timeout(&address, Duration::from_millis(100)).expect_err("closed");
            kernel.apply(&release).expect("release");
        }
    });
}

#[test]
fn ports_are_in_one_anothers_way_when_a_packet_could_be_for_both() {
    on_test_host(|kernel| {
        let all = ["0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::1"].map(name::<IpAddr>);
        let transports = [Transport::Tcp, Transport::Udp];
        let ports: Vec<_> = transports
            .into_iter()
            .flat_map(|transport| all.map(|address| HeldPort { address, transport, port: 8080 }))
            .collect();
        for (first, second) in ports.iter().flat_map(|a| ports.iter().map(move |b| (a, b))) {
            let any = first.address.is_unspecified() || second.address.is_unspecified();
            let meet = first.transport == second.transport
                && first.address.is_ipv4() == second.address.is_ipv4()
                && (any || first.address == second.address);
            let object = |port: &HeldPort| Object::HeldPort(port.clone());
            kernel.apply(&[Change::Add(object(first))]).expect("hold");
            let held = kernel.apply(&[Change::Add(object(second))]);
            // What is held already stays so.
            assert_eq!(held.is_err(), meet && first != second, "{first:?} {second:?}");
            kernel.apply(&[first, second].map(|p| Change::Remove(object(p)))).expect("release");
        }
    });
}
