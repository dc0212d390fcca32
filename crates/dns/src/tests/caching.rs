//! What is kept of upstreams' answers, and what is asked once for several who want to know.

use std::thread;
use std::time::Instant;

use hickory_proto::rr::Record;
use hickory_proto::rr::rdata::SOA;

use super::upstreams::{Server, respond, with_address};
use super::*;

fn works(query: Message) -> Vec<Message> {
    vec![with_address(&query, 1)]
}

fn host(server: &Server) -> Host {
    Host::with_zone(zone(&[]), &[server.address])
}

#[test]
fn an_answer_is_kept_for_who_asks_the_same() {
    let server = Server::new(works);
    let host = host(&server);
    host.ask("a.example", RecordType::A);
    let query = question("A.Example", RecordType::A);
    let answer = host.udp(&query);
    assert_eq!(server.asked(), 1);
    assert_eq!((answer.metadata.id, code(&answer)), (query.metadata.id, ResponseCode::NoError));
    assert_eq!(answer.queries[0].name.to_ascii(), "A.Example.", "as this one wrote it");
    assert_eq!(address_of(&answer), IpAddr::from([192, 0, 2, 1]));
    assert!(answer.answers[0].ttl <= 60);
    let tally = host.dns.counters().total;
    assert_eq!((tally.queries, tally.forwarded, tally.cached), (2, 1, 1));
}

#[test]
fn whatever_may_change_the_answer_is_asked_for_itself() {
    let server = Server::new(works);
    let host = host(&server);
    let plain = question("a.example", RecordType::A);
    let mut checking = plain.clone();
    checking.metadata.checking_disabled = true;
    let mut own = plain.clone();
    own.metadata.recursion_desired = false;
    let mut dnssec = with_edns(plain.clone(), 1232);
    dnssec.edns.as_mut().unwrap().set_dnssec_ok(true);
    let other_type = question("a.example", RecordType::ANY);
    let other_name = question("b.example", RecordType::A);
    let edns = with_edns(plain.clone(), 1232);
    let wider = with_edns(plain.clone(), 4096);
    let all = [plain, checking, own, dnssec, other_type, other_name, edns, wider];
    for round in 0..2 {
        for (n, query) in all.iter().enumerate() {
            host.udp(query);
            let expected = if round == 0 { n + 1 } else { all.len() };
            assert_eq!(server.asked(), expected, "{query}");
        }
    }
    host.tcp(&all[0]);
    assert_eq!(server.asked(), all.len() + 1, "over TCP it may be longer");
}

#[test]
fn what_must_not_be_kept_is_asked_again() {
    type Behaviour = fn(Message) -> Vec<Message>;
    let behaviours: [(&str, Behaviour); 4] = [
        ("SERVFAIL", |query| vec![respond(&query, ResponseCode::ServFail)]),
        ("no, without an SOA", |query| vec![respond(&query, ResponseCode::NXDomain)]),
        ("truncated", |query| {
            let mut answer = with_address(&query, 1);
            answer.metadata.truncation = true;
            vec![answer]
        }),
        ("no time", |query| {
            let mut answer = with_address(&query, 1);
            answer.answers[0].ttl = 0;
            vec![answer]
        }),
    ];
    for (what, behaviour) in behaviours {
        let server = Server::new(behaviour);
        let host = host(&server);
        host.ask("a.example", RecordType::A);
        host.ask("a.example", RecordType::A);
        assert_eq!(server.asked(), 2, "{what}");
    }
    // Options concern one client and one server.
    let server = Server::new(works);
    let host = host(&server);
    let mut cookie = question("a.example", RecordType::A).to_vec().unwrap();
    cookie[11] = 1;
    cookie.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
    for asked in 1..=2 {
        udp_raw(host.address, &cookie).unwrap();
        assert_eq!(server.asked(), asked);
    }
}

#[test]
fn a_no_is_kept_for_as_long_as_its_soa_says() {
    fn no(query: Message) -> Vec<Message> {
        let name = query.queries[0].name.clone();
        // The least of the two times counts (RFC 2308).
        let (own, minimum) = match name.to_ascii().starts_with("short") {
            true => (3600, 1),
            false => (60, 3600),
        };
        let mut answer = respond(&query, ResponseCode::NXDomain);
        let soa = SOA::new(Name::root(), Name::root(), 1, 2, 3, 4, minimum);
        answer.add_authority(Record::from_rdata(name.base_name(), own, RData::SOA(soa)));
        vec![answer]
    }
    let server = Server::new(no);
    let host = host(&server);
    for name in ["short.example", "long.example", "short.example", "long.example"] {
        assert_eq!(code(&host.ask(name, RecordType::A)), ResponseCode::NXDomain);
    }
    assert_eq!(server.asked(), 2);
    let patience = Instant::now() + PATIENCE;
    while server.asked() == 2 {
        assert!(Instant::now() < patience);
        host.ask("short.example", RecordType::A);
    }
    host.ask("long.example", RecordType::A);
    assert_eq!(server.asked(), 3);
}

#[test]
fn nothing_is_kept_if_that_is_not_wanted() {
    let server = Server::new(works);
    let host = Host::with_settings(Settings { cache: false }, view(&[]), &[server.address]);
    host.ask("a.example", RecordType::A);
    host.ask("a.example", RecordType::A);
    assert_eq!((server.asked(), host.dns.counters().total.cached), (2, 0));
}

#[test]
fn what_others_have_said_is_forgotten_with_them() {
    let (server, other) = (Server::new(works), Server::new(|query| vec![with_address(&query, 2)]));
    let host = host(&server);
    let upstream = |server: &Server| vec![Upstream { address: server.address, from: None }];
    host.ask("a.example", RecordType::A);
    host.dns.set_upstreams(SANDBOX, upstream(&server));
    host.ask("a.example", RecordType::A);
    assert_eq!(server.asked(), 1, "the same upstream as before");
    host.dns.set_upstreams(SANDBOX, upstream(&other));
    assert_eq!(host.addresses("a.example"), ["192.0.2.2"]);
    host.dns.set_upstreams(SANDBOX, upstream(&server));
    assert_eq!(host.addresses("a.example"), ["192.0.2.1"]);
    assert_eq!((server.asked(), other.asked()), (2, 1));
}

#[test]
fn sandboxes_share_nothing() {
    let server = Server::new(works);
    let host = host(&server);
    let sockets = sockets();
    let address = sockets.udp.local_addr().unwrap();
    let upstream = Upstream { address: server.address, from: None };
    host.dns.serve("other", sockets, view(&[]), vec![upstream]).unwrap();
    let query = question("a.example", RecordType::A).to_vec().unwrap();
    for _ in 0..2 {
        udp_raw(host.address, &query).unwrap();
        udp_raw(address, &query).unwrap();
    }
    assert_eq!(server.asked(), 2, "once for each");
    let counters = host.dns.counters();
    assert_eq!((counters.total.cached, counters.sandboxes["other"].cached), (2, 1));
}

#[test]
fn the_same_question_is_asked_once_for_all_who_wait() {
    let server = Server::new(|query| {
        // Below the second after which it would be asked again.
        thread::sleep(Duration::from_millis(800));
        vec![with_address(&query, 1)]
    });
    let host = Host::with_settings(Settings { cache: false }, view(&[]), &[server.address]);
    let leaver = {
        // The first to ask does not wait for the answer.
        let mut stream = TcpStream::connect(host.address).unwrap();
        let bytes = question("a.example", RecordType::A).to_vec().unwrap();
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], &bytes].concat()).unwrap();
        stream
    };
    while host.dns.counters().total.queries == 0 {}
    thread::scope(|scope| {
        for n in 0..20 {
            let (host, name) = (&host, if n % 2 == 0 { "a.example" } else { "A.EXAMPLE" });
            scope.spawn(move || {
                let query = question(name, RecordType::A);
                let answer = if n < 10 { host.tcp(&query) } else { host.udp(&query) };
                assert_eq!(answer.metadata.id, query.metadata.id);
                assert_eq!(answer.queries[0].name.to_ascii(), format!("{name}."));
                assert_eq!(address_of(&answer), IpAddr::from([192, 0, 2, 1]));
            });
        }
        while host.dns.counters().total.queries < 21 {}
        drop(leaver);
    });
    assert_eq!(server.asked(), 2, "once over UDP, once over TCP");
    let tally = host.dns.counters().total;
    assert!((18..=19).contains(&tally.coalesced), "{tally:?}");
    host.ask("a.example", RecordType::A);
    assert_eq!(server.asked(), 3, "who asks later asks anew");
}
