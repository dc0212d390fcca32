//! Upstreams that do what they should not.

use std::thread;
use std::time::Instant;

use hickory_proto::op::MessageType;
use hickory_proto::rr::Record;
use hickory_proto::rr::rdata::SOA;

use super::upstreams::{OverTcp, OverUdp, Server, raw, read_question, respond, with_address};
use super::*;
use crate::UpstreamTally;

/// The last part of the address that a good upstream answers with.
const GOOD: u8 = 1;

fn good() -> Server {
    Server::new(|query| vec![with_address(&query, GOOD)])
}

fn silence(_: &UdpSocket, _: &[u8], _: SocketAddr) {}

/// Closes a connection before it has said anything.
fn close(_: TcpStream) {}

fn read(packet: &[u8]) -> Message {
    Message::from_vec(packet).unwrap()
}

fn send(socket: &UdpSocket, answer: &Message, client: SocketAddr) {
    socket.send_to(&answer.to_vec().unwrap(), client).unwrap();
}

/// Whether the name is found, by whomever, within a second.
fn assert_found(host: &Host, over_tcp: bool, what: &str) {
    let start = Instant::now();
    let query = question("a.example", RecordType::A);
    let answer = if over_tcp { host.tcp(&query) } else { host.udp(&query) };
    assert_eq!(code(&answer), ResponseCode::NoError, "{what}");
    assert_eq!(address_of(&answer), IpAddr::from([192, 0, 2, GOOD]), "{what}");
    assert!(start.elapsed() < Duration::from_millis(1900), "{what}: {:?}", start.elapsed());
}

fn tally(host: &Host, upstream: SocketAddr) -> UpstreamTally {
    host.dns.counters().total.upstreams[&upstream].clone()
}

#[test]
fn whatever_is_wrong_over_udp_the_next_one_answers() {
    let wrong: [(&str, OverUdp); 9] = [
        ("silence", silence),
        ("SERVFAIL", |udp, packet, client| {
            send(udp, &respond(&read(packet), ResponseCode::ServFail), client);
        }),
        ("NOTIMP", |udp, packet, client| {
            send(udp, &respond(&read(packet), ResponseCode::NotImp), client);
        }),
        ("a refusal without the question", |udp, packet, client| {
            let mut answer = respond(&read(packet), ResponseCode::Refused);
            answer.queries.clear();
            send(udp, &answer, client);
        }),
        ("garbage", |udp, packet, client| {
            udp.send_to(&[packet, &[0xff; 40]].concat()[1..], client).unwrap();
        }),
        ("another id", |udp, packet, client| {
            let mut answer = with_address(&read(packet), 66);
            answer.metadata.id = answer.metadata.id.wrapping_add(1);
            send(udp, &answer, client);
        }),
        ("another question", |udp, packet, client| {
            let mut answer = with_address(&question("b.example", RecordType::A), 66);
            answer.metadata.id = read(packet).metadata.id;
            send(udp, &answer, client);
        }),
        ("another source", |_, packet, client| {
            let other = UdpSocket::bind(loopback()).unwrap();
            send(&other, &with_address(&read(packet), 66), client);
        }),
        ("fewer records than announced", |udp, packet, client| {
            let mut answer = with_address(&read(packet), 66).to_vec().unwrap();
            answer[7] = 2;
            udp.send_to(&answer, client).unwrap();
        }),
    ];
    for (what, over_udp) in wrong {
        let bad = raw(over_udp, close);
        let host = Host::with_zone(zone(&[]), &[bad, good().address]);
        assert_found(&host, false, what);
        let bad = tally(&host, bad);
        assert_eq!((bad.asked, bad.answered), (1, 0), "{what}");
    }
}

#[test]
fn whatever_is_wrong_over_tcp_the_next_one_answers() {
    let wrong: [(&str, OverTcp); 6] = [
        ("closing at once", close),
        ("closing after the question", |mut stream| drop(read_question(&mut stream))),
        ("half a length", |mut stream| {
            read_question(&mut stream);
            stream.write_all(&[0]).unwrap();
        }),
        ("half a message", |mut stream| {
            let answer = with_address(&read_question(&mut stream), 66).to_vec().unwrap();
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            stream.write_all(&length).unwrap();
            stream.write_all(&answer[..answer.len() / 2]).unwrap();
        }),
        ("answers to other questions for ever", |mut stream| {
            let mut answer = with_address(&read_question(&mut stream), 66);
            answer.metadata.id = answer.metadata.id.wrapping_add(1);
            let bytes = answer.to_vec().unwrap();
            let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            while stream.write_all(&[&length[..], &bytes].concat()).is_ok() {}
        }),
        ("byte after byte", |mut stream| {
            read_question(&mut stream);
            thread::spawn(move || {
                while stream.write_all(&[0xff]).is_ok() {
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }),
    ];
    for (what, over_tcp) in wrong {
        let host = Host::with_zone(zone(&[]), &[raw(silence, over_tcp), good().address]);
        assert_found(&host, true, what);
    }
}

#[test]
fn who_guesses_at_answers_is_given_no_time() {
    let address = raw(
        |udp, packet, client| {
            let mut answer = with_address(&read(packet), 66);
            for _ in 0..200 {
                answer.metadata.id = answer.metadata.id.wrapping_add(1);
                send(udp, &answer, client);
            }
        },
        |mut stream| {
            let answer = with_address(&read_question(&mut stream), GOOD).to_vec().unwrap();
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            stream.write_all(&[&length[..], &answer].concat()).unwrap();
        },
    );
    let host = Host::with_zone(zone(&[]), &[address]);
    assert_found(&host, false, "over TCP, where guessing does not help");
}

#[test]
fn an_upstream_without_tcp_answers_over_udp() {
    let only_udp: OverUdp = |udp, packet, client| {
        send(udp, &with_address(&read(packet), GOOD), client);
    };
    let host = Host::with_zone(zone(&[]), &[raw(only_udp, close)]);
    assert_found(&host, true, "its answer over UDP is whole");
    let cut: OverUdp = |udp, packet, client| {
        let mut answer = respond(&read(packet), ResponseCode::NoError);
        answer.metadata.truncation = true;
        send(udp, &answer, client);
    };
    let host = Host::with_zone(zone(&[]), &[raw(cut, close)]);
    let answer = host.tcp(&question("a.example", RecordType::A));
    assert_eq!(code(&answer), ResponseCode::ServFail, "half an answer is none");
}

#[test]
fn a_late_answer_is_not_lost_on_us() {
    fn late(udp: &UdpSocket, packet: &[u8], client: SocketAddr) {
        let (udp, query) = (udp.try_clone().unwrap(), read(packet));
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(900));
            send(&udp, &with_address(&query, 66), client);
        });
    }
    let late = raw(late, close);
    let host = Host::with_zone(zone(&[]), &[late, good().address]);
    assert_found(&host, false, "the second is quicker");
    let patience = Instant::now() + PATIENCE;
    while tally(&host, late).answered == 0 {
        assert!(Instant::now() < patience, "{:?}", tally(&host, late));
        thread::sleep(Duration::from_millis(10));
    }
    let known = tally(&host, late);
    assert_eq!((known.timeouts, known.healthy), (0, true));
    assert!(known.latency.unwrap() >= Duration::from_millis(900));
}

#[test]
fn who_is_silent_again_and_again_is_asked_last() {
    let dead = raw(silence, close);
    let settings = Settings { cache: false };
    let host = Host::with_settings(settings, view(&["net"]), &[dead, good().address]);
    let patience = Instant::now() + PATIENCE;
    while tally(&host, dead).healthy {
        assert!(Instant::now() < patience);
        assert_found(&host, false, "by the second");
    }
    let asked = tally(&host, dead).asked;
    let start = Instant::now();
    assert_found(&host, false, "by the second, at once");
    assert!(start.elapsed() < Duration::from_millis(290), "{:?}", start.elapsed());
    assert_eq!(tally(&host, dead).asked, asked);
}

#[test]
fn answers_that_say_no_pass_as_they_are() {
    fn no(query: Message) -> Vec<Message> {
        let name = query.queries[0].name.clone();
        let code = match name.to_ascii().starts_with("gone") {
            true => ResponseCode::NXDomain,
            false => ResponseCode::NoError,
        };
        let mut answer = respond(&query, code);
        let soa = SOA::new(name.base_name(), Name::root(), 1, 2, 3, 4, 60);
        answer.add_authority(Record::from_rdata(name.base_name(), 90, RData::SOA(soa)));
        vec![answer]
    }
    let server = Server::new(no);
    let host = Host::with_zone(zone(&[]), &[server.address, good().address]);
    for (name, expected) in
        [("gone.example", ResponseCode::NXDomain), ("empty.example", ResponseCode::NoError)]
    {
        let answer = host.ask(name, RecordType::A);
        assert_eq!((code(&answer), answer.answers.len()), (expected, 0));
        assert_eq!(answer.authorities.len(), 1, "with its SOA");
    }
    assert_eq!(server.asked(), 2);
    // What the client's packet is blamed for is told to the client.
    let blames = Server::new(|query| vec![respond(&query, ResponseCode::FormErr)]);
    let host = Host::with_zone(zone(&[]), &[blames.address, good().address]);
    assert_eq!(code(&host.ask("a.example", RecordType::A)), ResponseCode::FormErr);
}

#[test]
fn what_does_not_fit_is_fetched_over_tcp() {
    fn long(query: &Message, truncates: bool) -> Message {
        let mut answer = with_address(query, GOOD);
        (2..200).for_each(|last| {
            answer.add_answer(with_address(query, last).answers.swap_remove(0));
        });
        if truncates {
            answer.metadata.truncation = true;
            answer.answers.truncate(5);
        }
        answer
    }
    let over_tcp: OverTcp = |mut stream| {
        let answer = long(&read_question(&mut stream), false).to_vec().unwrap();
        let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], &answer].concat()).unwrap();
    };
    let polite: OverUdp = |udp, packet, client| send(udp, &long(&read(packet), true), client);
    let rude: OverUdp = |udp, packet, client| send(udp, &long(&read(packet), false), client);
    for (over_udp, kept) in [(polite, 5), (rude, 0)] {
        let host = Host::with_zone(zone(&[]), &[raw(over_udp, over_tcp)]);
        for query in [
            question("a.example", RecordType::A),
            with_edns(question("a.example", RecordType::A), 1232),
        ] {
            let answer = host.udp(&query);
            assert!(answer.metadata.truncation, "the client is told");
            assert_eq!((answer.answers.len(), code(&answer)), (kept, ResponseCode::NoError));
            assert_eq!(host.tcp(&query).answers.len(), 199);
        }
    }
    let rude = Host::with_zone(zone(&[]), &[raw(rude, over_tcp)]);
    let wide = with_edns(question("a.example", RecordType::A), 65535);
    assert_eq!(rude.udp(&wide).answers.len(), 199, "what the client takes is given");
}

#[test]
fn what_is_not_understood_passes_untouched() {
    // Type 65399, flags that only resolvers understand, an option that nobody knows.
    let mut asked = question("a.example", RecordType::Unknown(65399)).to_vec().unwrap();
    asked[3] |= 0x30;
    asked[11] = 1;
    asked.extend([0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 6, 0xff, 0xf0, 0, 2, 1, 2]);
    fn echoes(udp: &UdpSocket, packet: &[u8], client: SocketAddr) {
        let mut answer = packet.to_vec();
        answer[2] |= 0x80;
        udp.send_to(&answer, client).unwrap();
    }
    let host = Host::with_zone(zone(&[]), &[raw(echoes, close)]);
    let answer = udp_raw(host.address, &asked).unwrap();
    let mut expected = asked.clone();
    expected[2] |= 0x80;
    assert_eq!(answer, expected);
    assert_eq!(Message::from_vec(&answer).unwrap().metadata.message_type, MessageType::Response);
}

#[test]
fn upstreams_may_have_addresses_of_ipv6() {
    let udp = UdpSocket::bind("[::1]:0").unwrap();
    // A scope, as of a link-local address; the system ignores that of others.
    let SocketAddr::V6(mut address) = udp.local_addr().unwrap() else { panic!("not IPv6") };
    address.set_scope_id(1);
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, client)) = udp.recv_from(&mut buffer) {
            send(&udp, &with_address(&read(&buffer[..length]), GOOD), client);
        }
    });
    let host = Host::with_zone(zone(&[]), &[address.into()]);
    assert_found(&host, false, "by ::1");
    assert_eq!(tally(&host, address.into()).answered, 1);
}
