//! Answers of our own.

use super::*;

#[test]
fn names_have_their_addresses() {
    let host = Host::with_zone(
        zone(&[
            ("c1", "10.0.0.2"),
            ("C1.Net", "10.0.0.2"),
            ("c1", "fd00::2"),
            ("four", "10.0.0.4"),
        ]),
        &[],
    );
    let sent = question("c1.", RecordType::A);
    let answer = host.udp(&sent);
    assert_eq!((answer.metadata.id, code(&answer)), (sent.metadata.id, ResponseCode::NoError));
    assert!(answer.metadata.recursion_available && answer.metadata.recursion_desired);
    assert_eq!(answer.queries, sent.queries);
    assert_eq!(address_of(&answer), IpAddr::from([10, 0, 0, 2]));
    assert_eq!((answer.answers.len(), answer.answers[0].ttl), (1, 5));
    assert_eq!(host.ask("c1", RecordType::AAAA).answers[0].data.to_string(), "fd00::2");
    assert_eq!(host.addresses("c1.net"), ["10.0.0.2"]);
    assert_eq!(host.ask("C1", RecordType::A).queries[0].name.to_ascii(), "C1.", "case is kept");
    assert_eq!(host.ask("c1", RecordType::ANY).answers.len(), 2);
    for (name, kind) in [("four", RecordType::AAAA), ("c1", RecordType::MX)] {
        let empty = host.ask(name, kind);
        assert_eq!((code(&empty), empty.answers.len()), (ResponseCode::NoError, 0), "{name}");
    }
    let tcp = host.tcp(&question("c1", RecordType::A));
    assert_eq!(address_of(&tcp), IpAddr::from([10, 0, 0, 2]));
}

#[test]
fn a_connection_serves_several_questions() {
    let host = Host::with_zone(zone(&[("c1", "10.0.0.2"), ("c2", "10.0.0.3")]), &[]);
    let mut stream = TcpStream::connect(host.address).unwrap();
    for (name, last) in [("c1", 2), ("c2", 3), ("c1", 2)] {
        let answer = tcp_on(&mut stream, &question(name, RecordType::A));
        assert_eq!(address_of(&answer), IpAddr::from([10, 0, 0, last]));
    }
}

#[test]
fn several_addresses_are_answered_in_turn() {
    let host =
        Host::with_zone(zone(&[("x", "10.0.0.1"), ("x", "10.0.0.2"), ("x", "10.0.0.3")]), &[]);
    let mut first: Vec<String> = (0..3).map(|_| host.addresses("x").swap_remove(0)).collect();
    first.sort();
    assert_eq!(first, ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    assert_eq!(host.addresses("x").len(), 3);
}

/// As clients ask: for both families at once, and for one name after the other.
#[test]
fn turns_are_each_names_and_each_familys_own() {
    let two = [("x", "10.0.0.1"), ("x", "10.0.0.2"), ("x", "fd00::1"), ("x", "fd00::2")];
    let host = Host::with_zone(zone(&[&two[..], &[("y", "10.0.0.3")]].concat()), &[]);
    let first = |kind| host.ask("x", kind).answers[0].data.to_string();
    let firsts: Vec<_> = (0..4)
        .map(|_| {
            host.ask("y", RecordType::A);
            (first(RecordType::A), first(RecordType::AAAA))
        })
        .collect();
    assert_ne!(firsts[0].0, firsts[1].0, "{firsts:?}");
    assert_ne!(firsts[0].1, firsts[1].1, "{firsts:?}");
    assert_eq!(firsts[..2], firsts[2..]);
}

#[test]
fn addresses_have_names() {
    let mut names = Zone::default();
    for address in ["10.1.2.3", "fd00::12ab"] {
        names.set(address, Names { reverse: Some("c1.net".to_owned()), ..has(&[], address) });
    }
    let host = Host::with_zone(names, &[]);
    for address in ["10.1.2.3", "fd00::12ab"] {
        let address: IpAddr = address.parse().unwrap();
        let answer = host.ask(&Name::from(address).to_ascii(), RecordType::PTR);
        assert_eq!(answer.answers[0].data.to_string(), "c1.net.", "{address}");
    }
    let unknown = Name::from(IpAddr::from([10, 1, 2, 4])).to_ascii();
    assert_eq!(code(&host.ask(&unknown, RecordType::PTR)), ResponseCode::ServFail, "no upstream");
}

#[test]
fn unknown_names_of_one_label_do_not_exist() {
    let host = Host::with_zone(zone(&[]), &[]);
    assert_eq!(code(&host.ask("nobody", RecordType::A)), ResponseCode::NXDomain);
    assert_eq!(code(&host.ask("nobody.example", RecordType::A)), ResponseCode::ServFail);
}

#[test]
fn zones_are_asked_in_order_and_private_names_first() {
    let mut view = view(&["one", "two", "missing"]);
    let alias = |name: &str, target: &str| Alias {
        name: name.to_owned(),
        zone: "two".to_owned(),
        target: target.to_owned(),
    };
    view.aliases = vec![alias("link", "two"), alias("void", "nobody"), alias("one", "nobody")];
    let host = Host::new(view, &[]);
    host.dns.set_zone(
        "one",
        zone(&[
            ("both", "10.0.1.1"),
            ("six", "fd00::1"),
            ("link", "10.0.1.2"),
            ("one", "10.0.1.9"),
        ]),
    );
    host.dns
        .set_zone("two", zone(&[("both", "10.0.2.1"), ("six", "10.0.2.2"), ("two", "10.0.2.3")]));
    host.dns.set_zone("other", zone(&[("hidden", "10.0.3.1")]));
    assert_eq!(host.addresses("both"), ["10.0.1.1"]);
    assert_eq!(host.addresses("LINK"), ["10.0.2.3"]);
    assert_eq!(host.addresses("one"), ["10.0.1.9"], "a link to nobody hides nothing");
    assert_eq!(code(&host.ask("void", RecordType::A)), ResponseCode::NXDomain);
    assert_eq!(host.addresses("six"), ["10.0.2.2"], "the first that has the family");
    assert_eq!(host.addresses("two"), ["10.0.2.3"]);
    assert_eq!(code(&host.ask("hidden", RecordType::A)), ResponseCode::NXDomain);
}

#[test]
fn changes_are_seen_at_once() {
    let host = Host::with_zone(zone(&[("c1", "10.0.0.2")]), &[]);
    assert_eq!(host.addresses("c1"), ["10.0.0.2"]);
    host.dns.set_zone("net", zone(&[("c2", "10.0.0.3")]));
    assert_eq!((host.addresses("c1").len(), host.addresses("c2")), (0, vec!["10.0.0.3".into()]));
    host.dns.set_view(SANDBOX, view(&[]));
    assert_eq!(code(&host.ask("c2", RecordType::A)), ResponseCode::NXDomain);
    host.dns.set_view(SANDBOX, view(&["net"]));
    host.dns.remove_zone("net");
    assert_eq!(code(&host.ask("c2", RecordType::A)), ResponseCode::NXDomain);
}

#[test]
fn the_sockets_are_closed_when_it_stops() {
    let host = Host::with_zone(zone(&[("c1", "10.0.0.2")]), &[]);
    let _open = TcpStream::connect(host.address).unwrap();
    assert!(host.dns.serves(SANDBOX));
    for _ in 0..20 {
        host.runtime.block_on(host.dns.stop(SANDBOX).closed());
        assert!(!host.dns.serves(SANDBOX));
        let udp = UdpSocket::bind(host.address).unwrap();
        let tcp = TcpListener::bind(host.address).unwrap();
        host.dns.serve(SANDBOX, Sockets { udp, tcp }, view(&["net"]), Vec::new()).unwrap();
        assert_eq!(host.addresses("c1"), ["10.0.0.2"]);
    }
    host.runtime.block_on(host.dns.stop("never there").closed());
}

#[test]
fn long_answers_are_cut_for_udp() {
    let names: Vec<(String, String)> =
        (1..=100).map(|n| ("many".to_owned(), format!("10.0.0.{n}"))).collect();
    let names: Vec<(&str, &str)> = names.iter().map(|(n, a)| (n.as_str(), a.as_str())).collect();
    let host = Host::with_zone(zone(&names), &[]);
    let classic =
        udp_raw(host.address, &question("many", RecordType::A).to_vec().unwrap()).unwrap();
    assert!(classic.len() <= 512);
    let classic = Message::from_vec(&classic).unwrap();
    assert!(classic.metadata.truncation && classic.answers.len() > 20);
    let asked = with_edns(question("many", RecordType::A), 65535).to_vec().unwrap();
    let edns = udp_raw(host.address, &asked).unwrap();
    assert!(edns.len() > 512 && edns.len() <= 1232, "{}", edns.len());
    let edns = Message::from_vec(&edns).unwrap();
    assert!(edns.metadata.truncation);
    assert_eq!(edns.edns.unwrap().max_payload(), 1232);
    let tcp = host.tcp(&question("many", RecordType::A));
    assert!(!tcp.metadata.truncation);
    assert_eq!(tcp.answers.len(), 100);
}

#[test]
fn edns_of_another_version_is_refused() {
    let host = Host::with_zone(zone(&[("c1", "10.0.0.2")]), &[]);
    let mut message = with_edns(question("c1", RecordType::A), 1232);
    message.edns.as_mut().unwrap().set_version(1);
    let answer = host.udp(&message);
    // 16 is BADVERS here and BADSIG elsewhere.
    assert_eq!(u16::from(code(&answer)), 16);
    assert!(answer.answers.is_empty());
}

#[test]
fn what_is_no_query_is_refused_or_passed_over() {
    let host = Host::with_zone(zone(&[("c1", "10.0.0.2")]), &[]);
    let good = question("c1", RecordType::A).to_vec().unwrap();
    let changed = |at: usize, byte: u8| {
        let mut packet = good.clone();
        packet[at] = byte;
        packet
    };
    let refused = [
        ("update", changed(2, 0x28), 4),
        ("two questions", changed(5, 2), 1),
        ("no question", changed(5, 0), 1),
        ("label too long", changed(12, 64), 1),
        ("pointer in the question", changed(12, 0xc0), 1),
        ("cut off", good[..good.len() - 1].to_vec(), 1),
        ("record announced, none there", changed(11, 1), 1),
    ];
    for (what, packet, expected) in refused {
        let reply = udp_raw(host.address, &packet).unwrap();
        assert_eq!(reply[3] & 0xf, expected, "{what}");
        assert_eq!(reply[..2], packet[..2], "{what}: the id");
        assert!(reply[2] & 0x80 != 0, "{what}: a response");
    }
    let socket = UdpSocket::bind(loopback()).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    for silent in [&good[..11], &changed(2, 0x81)[..], &[]] {
        socket.send_to(silent, host.address).unwrap();
        assert!(socket.recv(&mut [0; 100]).is_err());
    }
    assert_eq!(host.addresses("c1"), ["10.0.0.2"], "and it goes on");
}

#[test]
fn noise_is_survived() {
    let host = Host::with_zone(zone(&[("c1", "10.0.0.2")]), &[]);
    let socket = UdpSocket::bind(loopback()).unwrap();
    let good = with_edns(question("c1", RecordType::A), 512).to_vec().unwrap();
    for n in 0..2000usize {
        let mut packet = good.clone();
        for _ in 0..=n % 4 {
            let at = rand::random_range(0..packet.len());
            packet[at] = rand::random();
        }
        packet.truncate(rand::random_range(0..=packet.len()));
        socket.send_to(&packet, host.address).unwrap();
        if n % 50 == 0 {
            // Answered, so all before was read, and the socket's buffer is empty again.
            assert_eq!(host.addresses("c1"), ["10.0.0.2"]);
        }
    }
    let mut stream = TcpStream::connect(host.address).unwrap();
    stream.write_all(&[0, 3, 1, 2, 3, 255, 255, 0]).unwrap();
    assert_eq!(host.addresses("c1"), ["10.0.0.2"]);
}
