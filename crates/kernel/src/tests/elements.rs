//! nftables elements: what is written reads back, transactions are whole.

use std::net::Ipv6Addr;
use std::process::Command;

use hawser_hoststate::{At, Element, ElementData, Family, MacAddr, Transport};

use super::*;
use crate::ErrorKind;

pub(super) fn all() -> HostState {
    let v4 = ElementData::Destination(ip(1, 2), 80);
    let v6 = ElementData::Destination(Ipv6Addr::LOCALHOST.into(), 53);
    let member = |element| Object::Element(element, ElementData::Member);
    let reach = reach().into_iter().map(member);
    HostState::from_iter(reach.chain([
        member(Element::Bridge(name("hawser0"))),
        member(Element::SameBridge(name("hawser0"))),
        member(Element::Isolated(name("hawser0"))),
        member(Element::Internal(name("br-123456789012"))),
        member(Element::Masquerade4(name("172.17.0.0/16"))),
        member(Element::Masquerade4(name("172.18.0.0/16"))),
        member(Element::Masquerade4(name("10.0.0.0/29"))),
        member(Element::Masquerade6(name("fd00:1::/64"))),
        Object::Element(Element::Source4(name("172.17.0.0/16")), ElementData::Source(ip(9, 1))),
        Object::Element(Element::Source4(name("172.18.0.0/16")), ElementData::Source(ip(9, 2))),
        Object::Element(
            Element::Source6(name("fd00:1::/64")),
            ElementData::Source(Ipv6Addr::LOCALHOST.into()),
        ),
        member(Element::Unprotected(name("br-123456789012"), Family::Ipv4)),
        member(Element::Routed(name("br-123456789012"), Family::Ipv6)),
        member(Element::Trusted(name("eth0"), name("br-123456789012"))),
        member(Element::Open4(Ipv4Addr::LOCALHOST, Transport::Tcp, 80)),
        member(Element::Open6(Ipv6Addr::LOCALHOST, Transport::Udp, 53)),
        Object::Element(Element::Publish4(Ipv4Addr::LOCALHOST, Transport::Tcp, 8080), v4),
        Object::Element(Element::Publish6(Ipv6Addr::LOCALHOST, Transport::Udp, 53), v6),
        Object::Element(Element::PublishAny4(Transport::Sctp, 65535), v4),
        Object::Element(Element::PublishAny6(Transport::Tcp, 1), v6),
        member(Element::Relayed4(Ipv4Addr::LOCALHOST, Transport::Tcp, 8081)),
        member(Element::Relayed6(Ipv6Addr::LOCALHOST, Transport::Tcp, 8081)),
        member(Element::RelayedAny(Family::Ipv6, Transport::Udp, 5353)),
        member(Element::Guarded(name("veth0"))),
        member(Element::Addressed(name("veth0"))),
        member(Element::Station(name("veth0"), MacAddr([2, 66, 0, 0, 0, 1]))),
        member(Element::Address4(name("veth0"), Ipv4Addr::new(10, 99, 1, 2))),
        member(Element::Address6(name("veth0"), Ipv6Addr::LOCALHOST)),
        member(Element::Target6(name("veth0"), Ipv6Addr::LOCALHOST)),
        member(Element::Known4(name("veth0"), MacAddr([2, 66, 0, 0, 0, 1]), Ipv4Addr::LOCALHOST)),
        member(Element::Known6(name("veth0"), MacAddr([2, 66, 0, 0, 0, 1]), Ipv6Addr::LOCALHOST)),
        member(Element::Apart(name("veth0"))),
        member(Element::Gateway(name("veth0"), MacAddr([2, 66, 0, 0, 0, 2]))),
    ]))
}

/// Who may reach what, in both families.
fn reach() -> Vec<Element> {
    let mut all = Vec::new();
    for (own, [whole, nets @ ..]) in [
        (ip(1, 2), ["0.0.0.0/0", "172.17.0.0/16", "192.0.2.7/32", "192.0.2.8/32"]),
        (Ipv6Addr::LOCALHOST.into(), ["::/0", "fd00:1::/64", "fd00:2::7/128", "fd00:2::8/128"]),
    ] {
        let family = if own.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
        for at in [At::One(own), At::Every(family)] {
            all.push(Element::Restricted(at, Transport::Tcp, 80));
            all.push(Element::FromLink(name("wan0"), at, Transport::Tcp, 80));
            all.extend(nets.map(|net| Element::From(at, Transport::Tcp, 80, name(net))));
            all.push(Element::From(at, Transport::Udp, 53, name(whole)));
        }
        all.push(Element::Link(own, own, Transport::Tcp, 80));
        all.push(Element::Linked(name("veth0"), own, Transport::Tcp, 80));
        all.push(Element::Answer(name("veth0"), own, Transport::Udp, 53));
    }
    all
}

pub(super) fn nft(arguments: &str) -> String {
    let output = Command::new("nft").args(arguments.split(' ')).output().expect("nft");
    assert!(output.status.success(), "nft {arguments}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn elements_read_back_from_us_and_from_nft() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&all())).expect("apply");
        assert_same(&kernel.observe().expect("observe"), &all());
        kernel.apply(&additions(&all())).expect("again");
        let listed = nft("-n list table inet hawser"); // names depend on /etc/protocols
        for wanted in [
            "\"hawser0\" . \"hawser0\"",
            "172.17.0.0/16",
            "172.18.0.0/16",
            "127.0.0.1 . 6 . 8080 : 10.99.1.2 . 80",
            "fd00:1::/64",
            "\"br-123456789012\" . 10",
            "\"eth0\" . \"br-123456789012\"",
            "172.18.0.0/16 : 10.99.9.2",
        ] {
            assert!(listed.contains(wanted), "{wanted} not in {listed}");
        }
        let listed = nft("list table bridge hawser");
        for wanted in [
            r#""veth0" . 02:42:00:00:00:01"#,
            r#""veth0" . 10.99.1.2"#,
            r#""veth0" . ::1"#,
            r#""veth0" . 0x1"#,
        ] {
            assert!(listed.contains(wanted), "{wanted} not in {listed}");
        }
        kernel.apply(&removals(&all())).expect("remove");
        assert_same(&kernel.observe().expect("observe"), &HostState::default());
        kernel.apply(&removals(&all())).expect("removing what is gone is no error");
    });
}

#[test]
fn a_transaction_is_done_as_a_whole_or_not_at_all() {
    on_test_host(|kernel| {
        let key = Element::PublishAny4(Transport::Tcp, 80);
        let to = |last| Object::Element(key.clone(), ElementData::Destination(ip(1, last), 80));
        kernel.apply(&[Change::Add(to(2))]).expect("apply");
        let other = Object::Element(Element::Bridge(name("br1")), ElementData::Member);
        let changes = [Change::Add(other), Change::Add(to(3))];
        let failure = kernel.apply(&changes).expect_err("the key has another value");
        assert_eq!((failure.index, failure.error.kind), (1, ErrorKind::Exists));
        let two = HostState::from_iter([to(2)]);
        assert_same(&kernel.observe().expect("observe"), &two);
        kernel.apply(&[Change::Replace { old: to(2), new: to(3) }]).expect("replace");
        assert_same(&kernel.observe().expect("observe"), &HostState::from_iter([to(3)]));
    });
}

#[test]
fn absent_elements_do_not_stop_the_rest_of_a_transaction() {
    on_test_host(|kernel| {
        let element =
            |name_: &str| Object::Element(Element::Bridge(name(name_)), ElementData::Member);
        kernel.apply(&[Change::Add(element("a")), Change::Add(element("b"))]).expect("apply");
        let changes = ["x", "a", "y"]
            .map(|name| Change::Remove(element(name)))
            .into_iter()
            .chain([Change::Add(element("c"))]);
        kernel.apply(&changes.collect::<Vec<_>>()).expect("apply");
        let left = HostState::from_iter([element("b"), element("c")]);
        assert_same(&kernel.observe().expect("observe"), &left);
    });
}

#[test]
fn thousands_of_elements_go_at_once() {
    on_test_host(|kernel| {
        let to = ElementData::Destination(ip(1, 2), 80);
        let element = |port| Object::Element(Element::PublishAny4(Transport::Udp, port), to);
        let many: HostState = (1..=10_000).map(element).collect();
        kernel.apply(&additions(&many)).expect("apply");
        assert_eq!(kernel.observe().expect("observe").len(), 10_000);
        // Worst case of the answers: every removal is refused once.
        let absent: HostState = (20_000..30_000).map(element).collect();
        kernel.apply(&removals(&absent)).expect("remove");
        kernel.apply(&removals(&many)).expect("remove");
        assert!(kernel.observe().expect("observe").is_empty());
    });
}
