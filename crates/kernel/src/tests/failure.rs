//! Failures name their change and their kind, and nothing foreign is touched.

use std::process::Command;

use ipnet::IpNet;

use super::*;
use crate::ErrorKind;

fn ip_command(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("ip");
    assert!(status.success(), "ip {arguments}");
}

#[test]
fn a_failure_names_the_change() {
    on_test_host(|kernel| {
        let mut changes = additions(&network(1));
        let lost = address(Ns::Host, name("nosuch"), 1, 9);
        changes.push(Change::Add(lost.clone()));
        let failure = kernel.apply(&changes).expect_err("there is no such link");
        assert_eq!(failure.index, 2);
        assert_eq!(*failure.object, lost.key());
        assert_eq!(failure.error.kind, ErrorKind::NotFound);
    });
}

#[test]
fn a_failure_in_the_middle_is_taken_back_by_the_removals() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&network(1))).expect("apply");
        let mut all = endpoint(1, 2);
        all.insert(Object::Route(Route {
            ns: Ns::Named(namespace_of(2)),
            destination: name("10.5.0.0/16"),
            via: Some(name("192.0.2.1")),
            link: name("eth0"),
        }));
        let failure = kernel.apply(&additions(&all)).expect_err("the next hop is unreachable");
        assert!(matches!(*failure.object, hawser_hoststate::Key::Route(..)), "{failure:?}");
        kernel.apply(&removals(&all)).expect("the way back");
        kernel.settle();
        assert_same(&kernel.observe().expect("observe"), &network(1));
    });
}

#[test]
fn foreign_links_are_neither_taken_nor_removed() {
    on_test_host(|kernel| {
        ip_command("link add br1 type bridge");
        ip_command("link add v1x2 type bridge");
        let failure = kernel.apply(&additions(&network(1))).expect_err("br1 is taken");
        assert_eq!(failure.error.kind, ErrorKind::Exists);
        kernel.apply(&removals(&network(1))).expect("not ours: as good as gone");
        assert!(kernel.link_exists(&bridge_name(1)).expect("ask"));
        ip_command("link del br1");
        kernel.apply(&additions(&network(1))).expect("apply");
        let failure = kernel.apply(&additions(&endpoint(1, 2))).expect_err("v1x2 is taken");
        assert_eq!(failure.error.kind, ErrorKind::Exists);
        kernel.apply(&removals(&endpoint(1, 2))).expect("the way back");
        assert!(kernel.link_exists(&name("v1x2")).expect("ask"));
    });
}

#[test]
fn foreign_settings_are_not_observed() {
    on_test_host(|kernel| {
        let all = union([&network(1), &endpoint(1, 2)]);
        kernel.apply(&additions(&all)).expect("apply");
        ip_command("addr add 192.0.2.1/24 dev br1");
        ip_command("route add 198.51.100.0/24 via 10.99.1.2");
        ip_command("neigh add 10.99.1.77 lladdr 02:00:00:00:00:01 dev br1");
        ip_command("link add foreign type bridge");
        assert_same(&kernel.observe().expect("observe"), &all);
    });
}

#[test]
fn subnets_in_use_are_those_of_foreign_links() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&network(1))).expect("apply");
        ip_command("link add foreign type bridge");
        ip_command("link set foreign up");
        ip_command("addr add 192.0.2.1/24 dev foreign");
        ip_command("route add default via 192.0.2.9");
        ip_command("route add 198.51.100.0/24 via 192.0.2.9");
        let prefixes = || kernel.foreign_prefixes().expect("prefixes").used;
        let wanted = |more: &[&str]| -> Vec<IpNet> {
            let loopback = ["127.0.0.1/8", "::1/128"].iter();
            let mut nets: Vec<_> = loopback.chain(more).map(|net| name(net)).collect();
            nets.sort();
            nets
        };
        let all = ["192.0.2.0/24", "192.0.2.1/24", "198.51.100.0/24"];
        assert_eq!(prefixes(), wanted(&all));
        // What is on links of ours changes nothing, whoever put it there.
        ip_command("addr add 203.0.113.1/24 dev br1");
        kernel.apply(&additions(&union([&network(2), &endpoint(2, 2)]))).expect("apply");
        assert_eq!(prefixes(), wanted(&all));
        ip_command("route del 198.51.100.0/24");
        assert_eq!(prefixes(), wanted(&all[..2]));
        // Routes that go with their link are not told of.
        ip_command("link set foreign down");
        assert_eq!(prefixes(), wanted(&["192.0.2.1/24"]));
        ip_command("link del foreign");
        assert_eq!(prefixes(), wanted(&[]));
        let dead = || kernel.foreign_prefixes().expect("prefixes").dead;
        let mut nets = ["10.0.0.0/8", "10.1.0.0/16", "fd00:1::/32"];
        for (kind, net) in ["unreachable", "blackhole", "prohibit"].iter().zip(nets) {
            ip_command(&format!("route add {kind} {net}"));
        }
        assert_eq!(dead(), nets.map(name::<IpNet>));
        ip_command("route del 10.0.0.0/8");
        nets.rotate_left(1);
        assert_eq!(dead(), nets[..2].iter().map(|net| name(net)).collect::<Vec<IpNet>>());
        assert_eq!(prefixes(), wanted(&[]));
    });
}

/// What a predecessor made has other indexes; somebody may give a link one of those that are ours.
#[test]
fn links_of_ours_are_known_by_more_than_their_index() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&network(1))).expect("apply");
        let second = open();
        let prefixes = || second.foreign_prefixes().expect("prefixes").used;
        assert_eq!(prefixes().len(), 2, "the loopback's only: {:?}", prefixes());
        ip_command("addr add 203.0.113.1/24 dev br1");
        assert_eq!(prefixes().len(), 2, "{:?}", prefixes());
        let ours = second.next_index() + 1;
        ip_command(&format!("link add foreign index {ours} type bridge"));
        ip_command("addr add 192.0.2.1/24 dev foreign");
        assert!(prefixes().contains(&name("192.0.2.1/24")), "{:?}", prefixes());
        ip_command("link del foreign");
        assert_eq!(prefixes().len(), 2, "{:?}", prefixes());
    });
}

#[test]
fn a_full_bridge_says_so() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&network(1))).expect("apply");
        let script: String = (0..1023)
            .map(|n| format!("link add d{n} type veth peer name e{n}\nlink set d{n} master br1\n"))
            .collect();
        std::fs::write("/mnt/script", script).expect("script");
        ip_command("-batch /mnt/script");
        let failure = kernel.apply(&additions(&endpoint(1, 2))).expect_err("1,024th port");
        assert_eq!(failure.error.kind, ErrorKind::NoSpace);
        assert_eq!(failure.error.errno(), Some(libc::EXFULL));
        assert!(failure.error.hint.contains("1,023"), "{failure:?}");
    });
}

#[test]
fn an_index_in_use_is_passed_over() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&network(1))).expect("apply");
        let taken = kernel.next_index() + 1;
        ip_command(&format!("link add foreign index {taken} type bridge"));
        kernel.apply(&additions(&endpoint(1, 2))).expect("apply");
        let all = union([&network(1), &endpoint(1, 2)]);
        assert_same(&kernel.observe().expect("observe"), &all);
    });
}

#[test]
fn a_sysctl_is_written_in_its_namespace_only() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&endpoint(1, 2))[..1]).expect("namespace");
        let ns = namespace_of(2);
        let setting = |name: &str, value: &str| {
            let (ns, name, value) = (Ns::Named(ns.clone()), name.to_owned(), value.to_owned());
            Change::Add(Object::Sysctl(hawser_hoststate::Sysctl { ns, name, value }))
        };
        let path = "net/ipv4/ping_group_range";
        kernel.apply(&[setting(path, "0 7")]).expect("apply");
        let file = format!("/proc/sys/{path}");
        let read = move || std::fs::read_to_string(file).expect("read");
        assert_eq!(kernel.in_namespace(&ns, read.clone()).expect("enter"), "0\t7\n");
        assert_ne!(read(), "0\t7\n");
        let failure = kernel.apply(&[setting("net/no/such", "1")]).expect_err("no such setting");
        assert_eq!(failure.error.kind, ErrorKind::NotFound);
    });
}

#[test]
fn jobs_see_their_namespace_and_panics_are_reported() {
    on_test_host(|kernel| {
        kernel.apply(&additions(&endpoint(1, 2))[..1]).expect("namespace");
        let ns = namespace_of(2);
        let panicked = kernel.in_namespace::<()>(&ns, || panic!("on purpose"));
        panicked.expect_err("the panic must be reported");
        let links =
            kernel.in_namespace(&ns, || std::fs::read_to_string("/proc/thread-self/net/dev"));
        assert!(!links.expect("enter").expect("read").contains("br"));
        let missing = kernel.in_namespace(&name("nosuch"), || ()).expect_err("no such namespace");
        assert_eq!(missing.kind, ErrorKind::NotFound);
    });
}
