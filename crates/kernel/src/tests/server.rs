//! Name servers in namespaces: who asks at port 53 is led to them, and nobody else is.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use hawser_hoststate::{NameServer, commands, diff};

use super::*;

const SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

fn server(last: u8) -> Object {
    Object::NameServer(NameServer { ns: namespace_of(last), address: SERVER })
}

/// A namespace with a name server, and nothing else.
fn served(last: u8) -> HostState {
    HostState::from_iter([Object::Namespace(namespace_of(last)), server(last)])
}

/// Answers each datagram, and the first bytes of each connection, with themselves turned round.
fn answer(kernel: &Kernel, last: u8) {
    let (udp, tcp) = kernel.open_name_server(&namespace_of(last)).expect("open");
    udp.set_nonblocking(false).expect("blocking");
    tcp.set_nonblocking(false).expect("blocking");
    std::thread::spawn(move || {
        let mut buffer = [0; 16];
        while let Ok((length, client)) = udp.recv_from(&mut buffer) {
            buffer[..length].reverse();
            // A client that has gone is no failure of the server's.
            let _ = udp.send_to(&buffer[..length], client);
        }
    });
    std::thread::spawn(move || {
        for stream in tcp.incoming() {
            let mut stream = stream.expect("accept");
            let mut buffer = [0; 4];
            if stream.read_exact(&mut buffer).is_ok() {
                buffer.reverse();
                let _ = stream.write_all(&buffer);
            }
        }
    });
}

/// What a client in the namespace gets from port 53, over UDP and over TCP.
fn ask(at: Ipv4Addr) -> [std::io::Result<[u8; 4]>; 2] {
    let patience = Some(Duration::from_secs(5));
    let udp = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_read_timeout(patience)?;
        // Connected: it takes answers from this port alone.
        socket.connect((at, 53))?;
        socket.send(b"abcd")?;
        let mut answer = [0; 4];
        socket.recv(&mut answer).map(|_| answer)
    };
    let tcp = || {
        let mut stream = TcpStream::connect((at, 53))?;
        stream.set_read_timeout(patience)?;
        stream.write_all(b"abcd")?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).map(|()| answer)
    };
    [udp(), tcp()]
}

fn assert_answered(kernel: &Kernel, last: u8) {
    let answers = kernel.in_namespace(&namespace_of(last), || ask(SERVER)).expect("visit");
    for answer in answers {
        assert_eq!(&answer.expect("answer"), b"dcba");
    }
}

fn in_ns(last: u8, arguments: &[&str]) -> String {
    let pin = format!("--net=/mnt/netns/{}", namespace_of(last));
    let output = Command::new("nsenter").arg(pin).args(arguments).output().expect("nsenter");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn port_53_leads_to_the_server_and_stays_free() {
    on_test_host(|kernel| {
        let state = served(2);
        kernel.apply(&additions(&state)).expect("apply");
        assert_same(&kernel.observe().expect("observe"), &state);
        answer(kernel, 2);
        assert_answered(kernel, 2);
        // A server of whoever runs inside, on all addresses of both families.
        let own = || {
            let everywhere = [
                (UdpSocket::bind("0.0.0.0:53")?, TcpListener::bind("0.0.0.0:53")?),
                (UdpSocket::bind("127.0.0.11:5353")?, TcpListener::bind("127.0.0.11:5353")?),
            ];
            let client = UdpSocket::bind("127.0.0.1:0")?;
            client.connect("127.0.0.1:53")?;
            client.send(b"x")?;
            let asked = everywhere[0].0.recv(&mut [0; 4])?;
            TcpStream::connect("127.0.0.1:53")?;
            drop(everywhere);
            let both = (UdpSocket::bind("[::]:53")?, TcpListener::bind("[::]:53")?);
            std::io::Result::Ok((asked, both, ask(SERVER)))
        };
        let visit = kernel.in_namespace(&namespace_of(2), own).expect("visit").expect("bind");
        assert_eq!(visit.0, 1);
        for answer in visit.2 {
            assert_eq!(&answer.expect("answer"), b"dcba");
        }
        kernel
            .apply(&removals(&HostState::from_iter([Object::Namespace(namespace_of(2))])))
            .expect("remove");
        assert!(kernel.observe().expect("observe").is_empty());
        kernel.open_name_server(&namespace_of(2)).expect_err("it went with its namespace");
    });
}

#[test]
fn nothing_is_tracked() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&served(2))).expect("apply");
        answer(kernel, 2);
        // Whoever inside looks at connections makes the kernel track them.
        let rule = "table ip own { chain in { type filter hook input priority 0; \
                    ct state new accept; }; }";
        in_ns(2, &["nft", rule]);
        assert_answered(kernel, 2);
        let counted = kernel.in_namespace(&namespace_of(2), || {
            std::fs::read_to_string("/proc/thread-self/net/stat/nf_conntrack").expect("count")
        });
        let counted = counted.expect("visit");
        let entries = counted.lines().nth(1).and_then(|line| line.split(' ').next());
        assert_eq!(entries.map(|n| u32::from_str_radix(n, 16)), Some(Ok(0)), "{counted}");
    });
}

#[test]
fn a_server_comes_back_and_goes() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&served(2))).expect("apply");
        let ports = |kernel: &Kernel| {
            let (udp, tcp) = kernel.open_name_server(&namespace_of(2)).expect("open");
            [udp.local_addr().expect("port"), tcp.local_addr().expect("port")]
        };
        let first = ports(kernel);
        // Somebody inside has flushed the rules; the sockets stay.
        in_ns(2, &["nft", "flush", "ruleset"]);
        kernel.apply(&[Change::Add(server(2))]).expect("again");
        assert_eq!(ports(kernel), first);
        answer(kernel, 2);
        assert_answered(kernel, 2);
        // Another daemon, which meets its predecessor's rules, and its port taken.
        let next = open();
        let there = next.observe().expect("observe");
        assert_eq!(diff(&there, &served(2)), [Change::Add(server(2))]);
        next.apply(&[Change::Add(server(2))]).expect("next");
        assert_ne!(ports(&next), first);
        answer(&next, 2);
        assert_answered(&next, 2);
        let table = in_ns(2, &["nft", "list", "table", "ip", "hawser"]);
        assert_eq!(table.matches("notrack").count(), 4, "{table}");
        // It goes from a namespace that stays, also where the rules have gone by themselves.
        for _ in 0..2 {
            next.apply(&[Change::Remove(server(2))]).expect("remove");
            assert_eq!(in_ns(2, &["nft", "list", "ruleset"]), "");
        }
        next.open_name_server(&namespace_of(2)).expect_err("gone");
    });
}

#[test]
fn typed_rules_are_the_applied_ones() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&served(2))).expect("apply");
        let (udp, tcp) = kernel.open_name_server(&namespace_of(2)).expect("open");
        let ports = [udp.local_addr(), tcp.local_addr()].map(|at| at.expect("port").port());
        let mut applied = in_ns(2, &["nft", "list", "ruleset"]);
        for port in ports {
            applied = applied.replace(&port.to_string(), "53053");
        }
        kernel.apply(&[Change::Add(Object::Namespace(namespace_of(3)))]).expect("apply");
        for line in commands(&[Change::Add(server(3))], &|name| kernel.namespace_path(name)) {
            let done = Command::new("sh").args(["-c", &line]).status().expect("sh");
            assert!(done.success(), "{line}");
        }
        assert_eq!(in_ns(3, &["nft", "list", "ruleset"]), applied);
    });
}

#[test]
fn a_server_costs_little() {
    on_test_host(|kernel| {
        let mut times: Vec<_> = (2..102)
            .map(|last| {
                let namespace = Change::Add(Object::Namespace(namespace_of(last)));
                kernel.apply(&[namespace]).expect("namespace");
                let start = Instant::now();
                kernel.apply(&[Change::Add(server(last))]).expect("server");
                start.elapsed()
            })
            .collect();
        times.sort();
        eprintln!("a name server: median {:?}, 95th {:?}", times[50], times[95]);
        assert!(times[50] < Duration::from_millis(10));
        // The next daemon's, in place of rules that are there: nobody waits until these are gone.
        let next = open();
        let start = Instant::now();
        let again: Vec<_> = (2..102).map(|last| Change::Add(server(last))).collect();
        next.apply(&again).expect("servers");
        eprintln!("each of 100 of the next daemon: {:?}", start.elapsed() / 100);
        assert!(start.elapsed() < Duration::from_secs(1));
        next.settle();
    });
}
