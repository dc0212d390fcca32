//! Our tables as a whole: made, owned, adopted, replaced, mended, taken away; and nobody else's.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use hawser_hoststate::{Element, ElementData, Transport};

use super::elements::{all, nft};
use super::*;
use crate::{ErrorKind, Heard, Repairs};

const REAL: &[&str] = hawser_plan::SKELETONS;
const TABLE: &str = "list table inet hawser";

/// Whether `nft` does it.
fn tried(command: &str) -> bool {
    Command::new("nft").arg(command).output().expect("nft").status.success()
}

/// What could take the firewall away.
const ATTACKS: [&str; 7] = [
    "flush ruleset",
    "delete table inet hawser",
    "flush table inet hawser",
    "flush chain inet hawser filter_forward",
    "flush set inet hawser bridges",
    "delete element inet hawser bridges { hawser0 }",
    "insert rule inet hawser to_container accept",
];

/// The table less what is listed of its owner.
fn rules() -> String {
    let listed = nft(TABLE);
    let mut lines = listed.lines().filter(|line| !line.contains("flags owner"));
    let first = lines.next().map(|line| line.split(" # progname").next().expect("line"));
    first
        .into_iter()
        .chain(lines.skip_while(|line| line.is_empty()))
        .map(|l| format!("{l}\n"))
        .collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn nobody_else_can_change_it() {
    on_test_host(|kernel| {
        kernel.load_firewall(REAL, Ownership::Sole, &all()).expect("load");
        assert!(kernel.owns_firewall());
        let before = rules();
        for attack in ATTACKS {
            // A flush of everything succeeds: it passes over what it must not touch.
            assert_eq!(tried(attack), attack == "flush ruleset", "{attack}");
            assert_eq!(rules(), before, "{attack}");
        }
        assert_eq!(kernel.mend_firewall(&all()).expect("mend"), Repairs::default());
        kernel.apply(&removals(&all())).expect("its owner changes it");
    });
}

#[test]
fn compiled_it_is_what_nft_would_have_loaded() {
    on_test_host(|kernel| {
        for ownership in [Ownership::Sole, Ownership::Shared] {
            let none = HostState::default();
            kernel.load_firewall(REAL, ownership, &none).expect("load");
            let ours = rules();
            let namespace = "unshare -n sh -c 'nft -f - && nft list table inet hawser'";
            let mut child = Command::new("sh")
                .args(["-c", namespace])
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .expect("sh");
            let mut input = child.stdin.take().expect("input");
            std::io::Write::write_all(&mut input, REAL[0].as_bytes()).expect("write");
            drop(input);
            let output = child.wait_with_output().expect("nft");
            assert_eq!(ours, String::from_utf8(output.stdout).expect("text"));
        }
    });
}

#[test]
fn what_was_taken_from_a_shared_one_comes_back() {
    on_test_host(|kernel| {
        kernel.load_firewall(REAL, Ownership::Shared, &all()).expect("load");
        assert!(!kernel.owns_firewall());
        let before = rules();
        let expected: [(&[&str], &[&str]); 7] = [
            (&["table inet hawser", "table bridge hawser"], &[]),
            (&["table inet hawser"], &[]),
            (&[], &[]), // too many to write down
            (&[], &[]),
            (&["element bridges { \"hawser0\" }"], &[]),
            (&["element bridges { \"hawser0\" }"], &[]),
            (&[], &["a rule of chain to_container of table inet hawser"]),
        ];
        for (attack, (restored, removed)) in ATTACKS.into_iter().zip(expected) {
            assert!(tried(attack), "{attack}");
            let listed = Command::new("nft").args(TABLE.split(' ')).output().expect("nft").stdout;
            assert_ne!(listed, before.as_bytes(), "{attack}");
            let repairs = kernel.mend_firewall(&all()).expect("mend");
            assert_eq!(rules(), before, "{attack}");
            assert!(!repairs.is_empty(), "{attack}");
            if !restored.is_empty() || !removed.is_empty() {
                assert_eq!(repairs.restored, words(restored), "{attack}");
                assert_eq!(repairs.removed, words(removed), "{attack}");
            }
            assert_eq!(kernel.mend_firewall(&all()).expect("mend"), Repairs::default());
        }
        assert!(tried("add table inet hawser { flags dormant; }"));
        kernel.mend_firewall(&all()).expect("mend");
        assert_eq!(rules(), before);
    });
}

#[test]
fn a_successor_adopts_it() {
    on_test_host(|kernel| {
        kernel.load_firewall(REAL, Ownership::Sole, &all()).expect("load");
        let before = nft(TABLE);
        let handle = |listed: &str| {
            listed.lines().find_map(|line| line.split("handle ").nth(1).map(str::to_owned))
        };
        let identity = handle(&nft("-a list tables"));
        // A second one may not, as long as the first is there; it may look.
        let second = open();
        assert_same(&second.observe().expect("observe"), &all());
        let failure = second.load_firewall(REAL, Ownership::Sole, &all()).expect_err("owned");
        assert_eq!(failure.kind, ErrorKind::Permission);
        assert!(failure.hint.contains("another hawserd"), "{}", failure.hint);
        orphan_tables(kernel);
        assert!(tried("delete element inet hawser bridges { hawser0 }"));
        let repairs = second.load_firewall(REAL, Ownership::Sole, &all()).expect("adopt");
        assert_eq!(repairs.restored, words(&["element bridges { \"hawser0\" }"]));
        assert_eq!(nft(TABLE), before);
        assert_eq!(handle(&nft("-a list tables")), identity, "the same table");
        assert!(!tried("delete table inet hawser"));
        second.close().expect("close");
        assert_eq!(nft("list ruleset"), "");
    });
}

#[test]
fn one_of_another_version_is_replaced() {
    on_test_host(|kernel| {
        // As an older engine left it: without an owner, and with other rules.
        orphan_tables(kernel);
        for old in
            ["delete table inet hawser", "add table inet hawser", "add chain inet hawser old"]
        {
            assert!(tried(old));
        }
        let repairs = kernel.load_firewall(REAL, Ownership::Sole, &all()).expect("load");
        assert_eq!(repairs.removed, words(&["chain old of table inet hawser"]));
        assert!(!nft(TABLE).contains("chain old") && !tried("delete table inet hawser"));
        assert_same(&kernel.observe().expect("observe"), &all());
        // And back.
        kernel.load_firewall(REAL, Ownership::Shared, &all()).expect("load");
        assert_same(&kernel.observe().expect("observe"), &all());
        assert!(tried("delete table inet hawser"));
    });
}

#[test]
fn a_text_that_is_none_changes_nothing() {
    on_test_host(|kernel| {
        kernel.load_firewall(REAL, Ownership::Sole, &all()).expect("load");
        let before = nft(TABLE);
        for (text, said) in [
            ("table inet hawser { nonsense }", "nonsense"),
            ("table inet other { }", "no table hawser"),
            ("table inet hawser { chain c { tcp dport { 1, 2 } drop; }; }", "a set without a name"),
        ] {
            let failure = kernel.load_firewall(&[text], Ownership::Sole, &all());
            let failure = failure.expect_err(text);
            assert!(failure.cause.to_string().contains(said), "{failure:?}");
            assert_eq!(nft(TABLE), before);
        }
        assert_eq!(kernel.mend_firewall(&all()).expect("mend"), Repairs::default());
    });
}

#[test]
fn thousands_of_ports_come_back_within_a_second() {
    on_test_host(|kernel| {
        let to = ElementData::Destination(ip(1, 2), 80);
        let element = |port| Object::Element(Element::PublishAny4(Transport::Udp, port), to);
        let many: HostState = (1..=4_000).map(element).collect();
        kernel.load_firewall(REAL, Ownership::Shared, &many).expect("load");
        for attack in [
            "flush ruleset",
            "flush chain inet hawser publish",
            "flush map inet hawser publish_any4",
        ] {
            assert!(tried(attack), "{attack}");
            let started = std::time::Instant::now();
            assert!(!kernel.mend_firewall(&many).expect("mend").is_empty(), "{attack}");
            let took = started.elapsed();
            eprintln!("{attack}: {took:?}");
            assert!(took.as_millis() < 1000, "{attack}: {took:?}");
            assert_same(&kernel.observe().expect("observe"), &many);
        }
    });
}

/// Names of protocols and services are files of other packages.
#[test]
fn small_machines_compile_it() {
    on_test_host(|kernel| {
        for file in ["/etc/protocols", "/etc/services"] {
            if std::path::Path::new(file).exists() {
                rustix::mount::mount_bind("/dev/null", file).expect(file);
            }
        }
        let none = HostState::default();
        kernel.load_firewall(REAL, Ownership::Sole, &none).expect("load");
    });
}

/// There is no moment without the rules, and none without the elements, while rules are exchanged.
#[test]
fn an_exchange_of_rules_leaves_no_gap() {
    static DONE: AtomicBool = AtomicBool::new(false);
    on_test_host(|kernel| {
        kernel.load_firewall(REAL, Ownership::Sole, &all()).expect("load");
        let rule = "fib daddr type local jump publish\n";
        let other = REAL[0].replace(rule, &format!("{rule}\t\tmeta mark 0x68 accept\n"));
        let other: Vec<&str> =
            [other.as_str()].into_iter().chain(REAL[1..].iter().copied()).collect();
        // One packet after the other to a published port that leads nowhere is never let through to
        // who listens on the host: it is led away by the element.
        let listener = std::net::UdpSocket::bind("127.0.0.1:8099").expect("bind");
        listener.set_nonblocking(true).expect("nonblocking");
        let key = Element::Publish4(Ipv4Addr::LOCALHOST, Transport::Udp, 8099);
        let away = ElementData::Destination(Ipv4Addr::new(127, 9, 9, 9).into(), 9);
        let mut wanted = all();
        wanted.insert(Object::Element(key, away));
        kernel.mend_firewall(&wanted).expect("mend");
        let namespace = std::fs::File::open("/proc/thread-self/ns/net").expect("namespace");
        let sender = std::thread::spawn(move || {
            let kind = Some(rustix::thread::LinkNameSpaceType::Network);
            rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), kind)
                .expect("enter");
            let mut sent = 0;
            while !DONE.load(Ordering::Relaxed) {
                let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("bind");
                // An answer of the first (port unreachable) may be the error of the second.
                let _ = socket.send_to(b"x", "127.0.0.1:8099");
                sent += 1;
            }
            sent
        });
        for round in 0..50 {
            let texts = if round % 2 == 0 { &other } else { REAL };
            let repairs = kernel.load_firewall(texts, Ownership::Sole, &wanted).expect("exchange");
            assert!(!repairs.is_empty());
        }
        DONE.store(true, Ordering::Relaxed);
        assert!(sender.join().expect("sender") > 100);
        let came = listener.recv(&mut [0; 8]);
        assert!(came.is_err(), "a packet got through");
    });
}

#[test]
fn others_tables_are_left_alone() {
    on_test_host(|kernel| {
        for foreign in [
            "table inet other { chain c { type filter hook forward priority 0; policy drop; }; }",
            "table ip hawser { chain c { }; }",
            "table ip6 filter { set s { type ipv6_addr; elements = { ::1 }; }; }",
        ] {
            assert!(tried(foreign));
        }
        let listed = || {
            ["inet other", "ip hawser", "ip6 filter"]
                .map(|table| nft(&format!("list table {table}")))
        };
        let before = listed();
        kernel.load_firewall(REAL, Ownership::Shared, &all()).expect("load");
        assert!(tried("delete table inet hawser"));
        kernel.mend_firewall(&all()).expect("mend");
        kernel.load_firewall(REAL, Ownership::Sole, &HostState::default()).expect("load");
        kernel.firewall().unload().expect("unload");
        assert_eq!(listed(), before);
    });
}

#[test]
fn others_are_heard_and_we_are_not() {
    on_test_host(|kernel| {
        kernel.load_firewall(REAL, Ownership::Shared, &HostState::default()).expect("load");
        let mut monitor = kernel.watch_firewall().expect("watch");
        kernel.apply(&additions(&all())).expect("apply");
        kernel.load_firewall(REAL, Ownership::Sole, &all()).expect("load");
        kernel.load_firewall(REAL, Ownership::Shared, &all()).expect("load");
        assert_eq!(monitor.hear().expect("hear"), Heard::default());
        assert!(tried("add table inet other"));
        let heard = monitor.hear().expect("hear");
        assert!(!heard.ours && heard.others, "{heard:?}");
        assert_eq!(heard.by.expect("who").1, "nft");
        for attack in ATTACKS {
            assert!(tried(attack), "{attack}");
            assert!(monitor.hear().expect("hear").ours, "{attack}");
            kernel.mend_firewall(&all()).expect("mend");
            assert_eq!(monitor.hear().expect("hear"), Heard::default());
        }
    });
}

#[test]
fn without_the_table_adding_fails_and_the_rest_works() {
    on_test_host(|kernel| {
        let none = HostState::default();
        kernel.load_firewall(REAL, Ownership::Shared, &none).expect("load");
        nft("delete table inet hawser");
        let failure = kernel.apply(&additions(&all())).expect_err("no table");
        assert_eq!(failure.error.kind, ErrorKind::NotFound);
        kernel.apply(&removals(&all())).expect("removing what is gone is no error");
        assert!(kernel.observe().expect("observe").is_empty());
    });
}
