//! What is ours: it is answered here, whatever is asked about it, and never goes out.

use hickory_proto::op::Query;
use hickory_proto::rr::DNSClass;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};

use super::upstreams::{Server, with_address};
use super::*;

/// Two networks, `net` and `dev.example`, and an upstream that knows everything.
fn host() -> (Host, Server) {
    let server = Server::new(|query| vec![with_address(&query, 1)]);
    let host = Host::new(view(&["net", "dev"]), &[server.address]);
    let mut net = Zone::below("Net");
    net.cover("10.1.0.0/16".parse().unwrap());
    net.cover("fd00:1::/64".parse().unwrap());
    for address in ["10.1.2.3", "fd00:1::12"] {
        let names = has(&["c1", "c1.net", "db.example"], address);
        net.set(address, Names { reverse: Some("c1.net".to_owned()), ..names });
    }
    host.dns.set_zone("net", net);
    let mut dev = Zone::below("dev.example");
    dev.set("c2", has(&["c2", "c2.dev.example"], "10.2.0.2"));
    host.dns.set_zone("dev", dev);
    (host, server)
}

/// The name and the times of the SOA in an answer without records.
fn assert_soa(answer: &Message, owner: &str) {
    assert!(answer.answers.is_empty(), "{answer}");
    let [soa] = &answer.authorities[..] else { panic!("no SOA: {answer}") };
    assert_eq!(soa.name.to_ascii(), owner, "{answer}");
    let RData::SOA(data) = &soa.data else { panic!("{soa}") };
    assert_eq!((soa.ttl, data.minimum), (5, 5), "nobody remembers it for long");
    assert_eq!(data.rname.to_ascii(), "nobody.invalid.");
}

#[test]
fn names_that_nobody_has_do_not_exist() {
    let (host, server) = host();
    for (name, owner) in [
        ("nobody", "."),
        ("nobody.net", "net."),
        ("Any.Thing.NET", "NET."),
        ("x.dev.example", "dev.example."),
        ("a.b.c.dev.example", "dev.example."),
        ("db.net", "net."),
    ] {
        for kind in [RecordType::A, RecordType::AAAA, RecordType::SRV, RecordType::ANY] {
            let answer = host.ask(name, kind);
            assert_eq!(code(&answer), ResponseCode::NXDomain, "{name}");
            assert_soa(&answer, owner);
        }
    }
    assert_eq!(server.asked(), 0);
    // Others' names that only look alike are others'.
    for name in ["x.example", "mynet.example", "net.example", "x.db.example"] {
        assert_eq!(host.ask(name, RecordType::A).answers.len(), 1, "{name}");
    }
    assert_eq!(server.asked(), 4);
}

#[test]
fn names_that_cannot_be_ours_do_not_go_out_below_our_networks() {
    let (host, server) = host();
    let mut packet = question("abc.net", RecordType::A).to_vec().unwrap();
    // A dot within a label; bytes that are no text.
    for label in [*b"a.c", [0xff, 0xc0, 0]] {
        packet[13..16].copy_from_slice(&label);
        let reply = udp_raw(host.address, &packet).unwrap();
        assert_eq!(reply[3] & 0xf, 3, "{label:?}");
        assert_eq!(reply[12..packet.len()], packet[12..], "the question as it was");
    }
    assert_eq!(server.asked(), 0);
}

#[test]
fn a_networks_own_name_has_nothing() {
    let (host, server) = host();
    for (name, owner) in [("net", "net."), ("dev.example", "dev.example.")] {
        for kind in [RecordType::A, RecordType::NS, RecordType::DS] {
            let answer = host.ask(name, kind);
            assert_eq!(code(&answer), ResponseCode::NoError, "there are names below it");
            assert_soa(&answer, owner);
        }
    }
    assert_eq!(server.asked(), 0);
}

#[test]
fn a_name_without_what_is_asked_for_exists_all_the_same() {
    let (host, server) = host();
    let kinds = [
        RecordType::MX,
        RecordType::TXT,
        RecordType::SRV,
        RecordType::HTTPS,
        RecordType::SVCB,
        RecordType::CNAME,
        RecordType::SOA,
        RecordType::DS,
        RecordType::PTR,
        RecordType::Unknown(65399),
    ];
    for kind in kinds {
        for (name, owner) in [("c1", "."), ("c1.net", "net."), ("db.example", ".")] {
            let answer = host.ask(name, kind);
            assert_eq!(code(&answer), ResponseCode::NoError, "{name} {kind}");
            assert_soa(&answer, owner);
        }
    }
    let ipv4_only = host.ask("c2.dev.example", RecordType::AAAA);
    assert_eq!(code(&ipv4_only), ResponseCode::NoError);
    assert_soa(&ipv4_only, "dev.example.");
    assert_eq!(host.ask("c1", RecordType::ANY).answers.len(), 2, "all that there is");
    assert_eq!(server.asked(), 0);
}

#[test]
fn addresses_of_our_subnets_are_ours() {
    let (host, server) = host();
    let reverse = |address: &str| Name::from(address.parse::<IpAddr>().unwrap()).to_ascii();
    for address in ["10.1.2.3", "fd00:1::12"] {
        for kind in [RecordType::PTR, RecordType::ANY] {
            let answer = host.ask(&reverse(address), kind);
            assert_eq!(answer.answers[0].data.to_string(), "c1.net.", "{address}");
        }
        let other = host.ask(&reverse(address), RecordType::A);
        assert_eq!((code(&other), other.answers.len()), (ResponseCode::NoError, 0));
    }
    for (name, owner) in [
        (reverse("10.1.2.4"), "2.1.10.in-addr.arpa."),
        (reverse("10.1.255.255"), "255.1.10.in-addr.arpa."),
        ("x.3.2.1.10.in-addr.arpa.".to_owned(), "3.2.1.10.in-addr.arpa."),
        ("lb._dns-sd._udp.2.1.10.in-addr.arpa.".to_owned(), "_dns-sd._udp.2.1.10.in-addr.arpa."),
    ] {
        let answer = host.ask(&name, RecordType::PTR);
        assert_eq!(code(&answer), ResponseCode::NXDomain, "{name}");
        assert_soa(&answer, owner);
    }
    assert_eq!(code(&host.ask(&reverse("fd00:1::13"), RecordType::PTR)), ResponseCode::NXDomain);
    for name in ["2.1.10.in-addr.arpa", "1.10.in-addr.arpa"] {
        let answer = host.ask(name, RecordType::PTR);
        assert_eq!((code(&answer), answer.answers.len()), (ResponseCode::NoError, 0), "{name}");
    }
    assert_eq!(server.asked(), 0);
    for name in [&reverse("10.2.0.2"), &reverse("fd00:2::1"), "10.in-addr.arpa", "in-addr.arpa"] {
        host.ask(name, RecordType::PTR);
    }
    assert_eq!(server.asked(), 4, "others' are others'");
}

#[test]
fn other_classes_and_whole_zones_are_refused() {
    let (host, server) = host();
    for (name, kind, class, expected) in [
        ("version.bind", RecordType::TXT, DNSClass::CH, ResponseCode::Refused),
        ("c1", RecordType::A, DNSClass::CH, ResponseCode::Refused),
        ("c1", RecordType::A, DNSClass::NONE, ResponseCode::Refused),
        ("net", RecordType::AXFR, DNSClass::IN, ResponseCode::Refused),
        ("a.example", RecordType::IXFR, DNSClass::IN, ResponseCode::Refused),
        ("c1", RecordType::A, DNSClass::ANY, ResponseCode::NoError),
    ] {
        let mut message = Message::query();
        let name = Name::from_ascii(format!("{name}.")).unwrap();
        let mut query = Query::query(name.clone(), kind);
        query.set_query_class(class);
        message.add_query(query);
        for answer in [host.udp(&message), host.tcp(&message)] {
            assert_eq!(code(&answer), expected, "{name} {kind} {class}");
            assert_eq!(answer.queries, message.queries);
        }
    }
    assert_eq!(server.asked(), 0);
}

#[test]
fn what_is_said_in_edns_is_answered() {
    let (host, _) = host();
    let mut message = with_edns(question("c1", RecordType::A), 1232);
    let edns = message.edns.as_mut().unwrap();
    edns.set_dnssec_ok(true);
    edns.options_mut().insert(EdnsOption::Unknown(65001, vec![1, 2, 3]));
    message.metadata.checking_disabled = true;
    let answer = host.udp(&message);
    assert_eq!((code(&answer), answer.answers.len()), (ResponseCode::NoError, 1));
    assert!(answer.metadata.checking_disabled);
    let edns = answer.edns.unwrap();
    assert!(edns.flags().dnssec_ok, "RFC 3225");
    assert_eq!((edns.version(), edns.max_payload()), (0, 1232));
    assert!(edns.option(EdnsCode::Unknown(65001)).is_none(), "what is not known is not echoed");
    let no = host.udp(&with_edns(question("nobody", RecordType::A), 512));
    assert!(no.edns.is_some() && no.authorities.len() == 1);
    assert!(host.ask("c1", RecordType::A).edns.is_none(), "nor said to who did not ask");
}

#[test]
fn what_is_longer_than_any_question_is_not_passed_on() {
    let (host, server) = host();
    let mut long = question("a.example", RecordType::A).to_vec().unwrap();
    long[11] = 1;
    let length = 1232 - long.len() - 11;
    long.extend([0, 0, 41, 4, 208, 0, 0, 0, 0]);
    long.extend(u16::try_from(length).unwrap().to_be_bytes());
    long.extend([255, 254]);
    long.extend(u16::try_from(length - 4).unwrap().to_be_bytes());
    long.resize(1232, 0);
    assert_eq!(udp_raw(host.address, &long).unwrap()[3] & 0xf, 0);
    assert_eq!(server.asked(), 1);
    long.push(0);
    assert_eq!(udp_raw(host.address, &long).unwrap()[3] & 0xf, 1, "a format error");
    assert_eq!(udp_raw(host.address, &[long, vec![0; 60_000]].concat()).unwrap()[3] & 0xf, 1);
    assert_eq!(server.asked(), 1);
}

#[test]
fn a_name_that_is_as_long_as_can_be_is_answered() {
    let long = [&*"a".repeat(63), &"b".repeat(63), &"c".repeat(63), &"d".repeat(57)].join(".");
    let name = format!("{long}.net");
    let (host, server) = host();
    let answer = host.udp(&with_edns(question(&name, RecordType::A), 512));
    assert_eq!(code(&answer), ResponseCode::NXDomain);
    assert_soa(&answer, "net.");
    assert_eq!(server.asked(), 0);
}
