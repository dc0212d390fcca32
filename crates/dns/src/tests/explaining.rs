//! Explanations: the reasons are those of the packets.

use super::upstreams::{Server, respond, with_address};
use super::*;
use crate::{End, Explanation, Forwarding, Reason, Unexplained, kind_name, kind_of};

fn host(upstreams: &[SocketAddr]) -> Host {
    let mut view = view(&["front", "back"]);
    let alias = |name: &str| Alias {
        name: name.to_owned(),
        zone: "back".to_owned(),
        target: "db".to_owned(),
    };
    view.aliases = vec![alias("store")];
    let host = Host::new(view, upstreams);
    let zone = |suffix: &str, subnet: &str, name: &str, address: &str| {
        let mut zone = Zone::below(suffix);
        zone.cover(subnet.parse().unwrap());
        let reverse = Some(format!("{name}.{suffix}"));
        zone.set(name, Names { reverse, ..has(&[name], address) });
        zone
    };
    host.dns.set_zone("front", zone("f.example", "10.0.1.0/24", "web", "10.0.1.2"));
    host.dns.set_zone("back", zone("back", "10.0.2.0/24", "db", "10.0.2.2"));
    host
}

fn explain(host: &Host, name: &str, kind: RecordType) -> Explanation {
    host.runtime.block_on(host.dns.explain(SANDBOX, name, kind.into())).unwrap()
}

/// The code, the data of the records, and the reason.
fn brief(host: &Host, name: &str, kind: RecordType) -> (u16, Vec<String>, Reason) {
    let found = explain(host, name, kind);
    assert_eq!((found.name.as_str(), found.kind), (name, u16::from(kind)));
    let packet = host.ask(name, kind);
    assert_eq!(found.code, code(&packet).into(), "{name}: as a packet is answered");
    assert_eq!(found.answers.len(), packet.answers.len(), "{name}");
    let data = found.answers.into_iter().map(|answer| answer.data);
    (found.code, data.collect(), found.reason)
}

#[test]
fn answers_of_ours_have_their_reasons() {
    let host = host(&[]);
    let zone = |key: &str| key.to_owned();
    let of = |name, kind| brief(&host, name, kind);
    let web = vec!["10.0.1.2".to_owned()];
    let db = vec!["10.0.2.2".to_owned()];
    assert_eq!(of("Web", RecordType::A), (0, web, Reason::Zone { zone: zone("front") }));
    assert_eq!(
        of("store", RecordType::A),
        (0, db, Reason::Alias { zone: zone("back"), target: "db".to_owned() })
    );
    let empty = Reason::NothingOfThatKind { zone: zone("front") };
    assert_eq!(of("web", RecordType::AAAA), (0, Vec::new(), empty));
    let nobody = Reason::NobodyBelow { zone: zone("front") };
    assert_eq!(of("x.f.example", RecordType::A), (3, Vec::new(), nobody));
    assert_eq!(of("x", RecordType::A), (3, Vec::new(), Reason::SingleLabel));
    let pointer = vec!["db.back.".to_owned()];
    assert_eq!(
        of("2.2.0.10.in-addr.arpa", RecordType::PTR),
        (0, pointer, Reason::Reverse { zone: zone("back") })
    );
    let nobody = Reason::NobodyAt { zone: zone("back") };
    assert_eq!(of("3.2.0.10.in-addr.arpa", RecordType::PTR), (3, Vec::new(), nobody));
    assert_eq!(of("a.example", RecordType::A), (2, Vec::new(), Reason::NoUpstreams));
    assert_eq!(of("a.example", RecordType::AXFR), (5, Vec::new(), Reason::NotForwarded));
}

#[test]
fn who_was_asked_is_told() {
    let refuses = Server::new(|query| vec![respond(&query, ResponseCode::Refused)]);
    let works = Server::new(|query| vec![with_address(&query, 1)]);
    let host = host(&[refuses.address, works.address]);
    let found = explain(&host, "a.example", RecordType::A);
    assert_eq!((found.code, found.answers[0].data.as_str()), (0, "192.0.2.1"));
    assert_eq!((found.answers[0].name.as_str(), found.answers[0].ttl), ("a.example.", 60));
    let Reason::Forwarded(Forwarding { order, attempts, joined }) = found.reason else {
        panic!("{:?}", found.reason)
    };
    assert!(!joined);
    let order: Vec<_> = order.iter().map(|c| (c.address, c.healthy, c.from_sandbox)).collect();
    assert_eq!(order, [(refuses.address, true, false), (works.address, true, false)]);
    let attempts: Vec<_> = attempts.iter().map(|a| (a.upstream, a.end.clone(), a.taken)).collect();
    assert_eq!(
        attempts,
        [(refuses.address, End::Said(5), false), (works.address, End::Said(0), true)]
    );
    let found = explain(&host, "a.example", RecordType::A);
    let Reason::Cached { age, left } = found.reason else { panic!("{:?}", found.reason) };
    assert!(age < PATIENCE && left <= Duration::from_secs(60));
    let tally = host.dns.counters().total;
    assert_eq!((tally.queries, tally.forwarded, tally.cached), (2, 1, 1));
    assert_eq!((tally.upstreams[&refuses.address].refused, tally.failed), (1, 0));
    assert_eq!(tally.upstreams[&works.address].answered, 1);
}

#[test]
fn what_failed_is_told() {
    let gone = UdpSocket::bind(loopback()).unwrap().local_addr().unwrap();
    let host = host(&[gone]);
    let found = explain(&host, "a.example", RecordType::A);
    assert_eq!(found.code, 2);
    let Reason::Forwarded(Forwarding { attempts, .. }) = found.reason else {
        panic!("{:?}", found.reason)
    };
    assert!(
        matches!(&attempts[..], [one] if matches!(&one.end, End::Error(e) if e.contains("refused")))
    );
    let tally = host.dns.counters().total;
    assert_eq!((tally.failed, tally.upstreams[&gone].errors), (1, 1));
}

#[test]
fn not_everything_can_be_explained() {
    let host = host(&[]);
    let explain = |sandbox: &str, name: &str| {
        host.runtime.block_on(host.dns.explain(sandbox, name, 1)).map(|found| found.code)
    };
    assert_eq!(explain("other", "web"), Err(Unexplained::NotServed));
    for name in ["a..b", ".a", &"x".repeat(64), &"x.".repeat(130)] {
        assert_eq!(explain(SANDBOX, name), Err(Unexplained::NotAName), "{name}");
    }
    assert_eq!(explain(SANDBOX, "web."), Ok(0));
    assert_eq!(explain(SANDBOX, "."), Ok(2));
}

#[test]
fn types_have_names() {
    for kind in [1, 28, 65, 255, 65399] {
        assert_eq!(kind_of(&kind_name(kind)), Some(kind));
    }
    assert_eq!((kind_of("aaaa"), kind_of("type64")), (Some(28), Some(64)));
    assert_eq!((kind_of("B"), kind_of("TYPE"), kind_of("TYPE65536")), (None, None, None));
}

#[test]
fn numbers_outlive_their_sandbox() {
    let host = host(&[]);
    host.ask("web", RecordType::A);
    host.ask("a.example", RecordType::A);
    udp_raw(host.address, &[0, 1, 0x28, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    let before = host.dns.counters();
    assert_eq!(before.total, before.sandboxes[SANDBOX]);
    assert_eq!((before.total.queries, before.total.local, before.total.malformed), (3, 2, 1));
    host.runtime.block_on(host.dns.stop(SANDBOX).closed());
    let after = host.dns.counters();
    assert_eq!((after.total, after.sandboxes.len()), (before.total, 0));
}

#[test]
fn an_upstream_is_as_it_is_to_those_who_have_it() {
    let dead = Server::new(|_| Vec::new());
    let works = Server::new(|query| vec![with_address(&query, 1)]);
    let host = host(&[dead.address, works.address]);
    let known = |host: &Host| host.dns.counters().total.upstreams[&dead.address].clone();
    let patience = std::time::Instant::now() + PATIENCE;
    for n in 0.. {
        host.ask(&format!("{n}.example"), RecordType::A);
        if !known(&host).healthy {
            break;
        }
        assert!(std::time::Instant::now() < patience);
    }
    let asked = known(&host).asked;
    assert!(known(&host).timeouts >= 3 && asked >= 3);
    host.dns.set_upstreams(SANDBOX, vec![Upstream { address: works.address, from: None }]);
    let known = known(&host);
    assert_eq!((known.healthy, known.asked), (true, asked), "nothing is held against it");
}
