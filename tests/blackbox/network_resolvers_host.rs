//! Section 3: the host's resolvers as they are now: they change under running containers, stand
//! behind systemd's stub, on a link, nowhere; and what an internal network never lets out.

use hawser_testkit::{Client, EngineKind, Options, Segment, TestHost, eventually};

use crate::name_server::{
    comes_to_resolve, name_server, name_server_in, resolves, set_host_resolvers,
};

/// Docker reads the file when a container starts, and 20.10 has a resolver of its own for who has
/// none.
fn hawser() -> Option<TestHost> {
    let host = TestHost::new();
    (host.engine() == EngineKind::Hawser).then_some(host)
}

fn nameservers(c: &Client<'_>, container: &str) -> Vec<String> {
    let text = c.ok(&format!("exec {container} cat /etc/resolv.conf"));
    text.lines().filter_map(|l| l.strip_prefix("nameserver ")).map(str::to_owned).collect()
}

fn comes_to_say(c: &Client<'_>, container: &str, wanted: &[&str]) {
    let what = format!("{wanted:?} in {container}'s resolv.conf");
    eventually(&what, || (nameservers(c, container) == wanted).then_some(()));
}

/// A file of the host as a whole, written beside and renamed.
fn replace(host: &TestHost, path: &str, text: &str) {
    let (file, new) = (host.path(path), host.path(&format!("{path}.new")));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, &file).unwrap();
}

/// What is outside: 10.99.0.53, which counts what comes there.
struct Street {
    host: TestHost,
    _segment: Segment,
}

impl Street {
    fn new(host: &TestHost) -> Self {
        let street = TestHost::with(Options { name: "street".to_owned(), ..Options::default() });
        let segment = Segment::new();
        host.join_segment(&segment, "wan0", "10.99.0.1/24");
        street.join_segment(&segment, "lan0", "10.99.0.53/24");
        let count = "table ip count { chain in { type filter hook prerouting priority raw; \
                     ip daddr != 224.0.0.0/4 counter; }; }";
        street.run(["nft", count]).ok();
        Self { host: street, _segment: segment }
    }

    /// Packets that came there.
    fn received(&self) -> u32 {
        let listed = self.host.sh("nft list table ip count").ok().text();
        let count = listed.split_once("packets ").and_then(|(_, rest)| rest.split(' ').next());
        count.and_then(|count| count.parse().ok()).expect(&listed)
    }
}

const STUB: &str = "/run/systemd/resolve/stub-resolv.conf";
const BEHIND: &str = "/run/systemd/resolve/resolv.conf";

#[test]
fn running_containers_follow_the_host() {
    let Some(host) = hawser() else { return };
    set_host_resolvers(&host, "nameserver 127.0.0.54\n");
    host.start_daemon(&[]);
    host.load_busybox();
    let _servers = [1, 2, 3, 4].map(|n| name_server(&host, &format!("10.77.0.{n}"), n));
    let stub = name_server(&host, "127.0.0.53", 53);
    let _local = name_server(&host, "127.0.0.54", 54);
    let c = host.docker();
    c.ok("network create net1");
    c.ok("run -itd --name c1 --net net1 busybox");
    c.ok("run -itd --name plain busybox");
    c.ok("run -itd --name edited busybox");
    c.ok("run -itd --name told --net net1 --dns 10.77.0.4 busybox");
    c.ok("exec edited sh -c 'echo nameserver 10.77.0.4 > /etc/resolv.conf'");
    for container in ["c1", "plain"] {
        resolves(&c, container, "outside.example", &["192.0.2.54"]);
        assert_eq!(nameservers(&c, container), ["127.0.0.11"]);
    }
    // Replaced as a whole, by another place than the loopback: who has no names asks there itself.
    replace(&host, "/etc/resolv.conf", "nameserver 10.77.0.1\nsearch one.example\n");
    comes_to_resolve(&c, "c1", "outside.example", &["192.0.2.1"]);
    comes_to_say(&c, "plain", &["10.77.0.1"]);
    resolves(&c, "plain", "outside.example", &["192.0.2.1"]);
    assert!(c.ok("exec c1 cat /etc/resolv.conf").contains("search one.example"));
    // Written in place.
    set_host_resolvers(&host, "nameserver 10.77.0.2\n");
    comes_to_resolve(&c, "c1", "outside.example", &["192.0.2.2"]);
    comes_to_say(&c, "plain", &["10.77.0.2"]);
    // Gone: nobody is asked, and no public server instead.
    std::fs::remove_file(host.path("/etc/resolv.conf")).unwrap();
    comes_to_resolve(&c, "c1", "outside.example", &[]);
    comes_to_say(&c, "plain", &[]);
    resolves(&c, "c1", "c1.", &[&c.address("c1")]);
    // systemd-resolved comes up: a link to its stub, which is asked until it knows of others.
    replace(&host, STUB, "nameserver 127.0.0.53\noptions edns0 trust-ad\n");
    std::os::unix::fs::symlink(format!("..{STUB}"), host.path("/etc/resolv.conf")).unwrap();
    comes_to_resolve(&c, "c1", "stub.example", &["192.0.2.53"]);
    comes_to_say(&c, "plain", &["127.0.0.11"]);
    resolves(&c, "plain", "stub.example", &["192.0.2.53"]);
    assert!(stub.stdout().contains("asked stub.example. by 127."), "{}", stub.stdout());
    replace(&host, BEHIND, "nameserver 10.77.0.3\n");
    comes_to_resolve(&c, "c1", "outside.example", &["192.0.2.3"]);
    comes_to_say(&c, "plain", &["10.77.0.3"]);
    replace(&host, BEHIND, "nameserver 10.77.0.1\n");
    comes_to_resolve(&c, "c1", "outside.example", &["192.0.2.1"]);
    // What is changed while no daemon runs is followed when it is back.
    host.kill_daemon();
    replace(&host, BEHIND, "nameserver 10.77.0.2\n");
    host.start_again();
    resolves(&c, "c1", "outside.example", &["192.0.2.2"]);
    assert_eq!(nameservers(&c, "plain"), ["10.77.0.2"]);
    // Who was told, or has edited the file, asks whom he said.
    resolves(&c, "told", "outside.example", &["192.0.2.4"]);
    assert_eq!(nameservers(&c, "edited"), ["10.77.0.4"]);
}

/// Loopback resolvers are asked by the host, others by the sandbox itself where it has a way.
#[test]
fn resolvers_are_asked_from_where_they_are_reached() {
    let Some(host) = hawser() else { return };
    host.start_daemon(&[]);
    host.load_busybox();
    let outside = name_server(&host, "10.77.0.1", 1);
    let local = name_server(&host, "127.0.0.54", 54);
    let c = host.docker();
    c.ok("network create net1");
    // Docker's client of 20.10 has no flag for a network without IPv4.
    let six = r#"{"Name": "six", "EnableIPv4": false, "EnableIPv6": true,
                  "IPAM": {"Config": [{"Subnet": "fd00:5::/64"}]}}"#;
    let made = host.http().post("/networks/create", &serde_json::from_str(six).unwrap());
    assert_eq!(made.status, 201, "{}", made.text());
    c.ok("run -itd --name c1 --net net1 busybox");
    c.ok("run -itd --name c6 --net six busybox");
    set_host_resolvers(&host, "nameserver 10.77.0.1\n");
    comes_to_resolve(&c, "c1", "one.example", &["192.0.2.1"]);
    let by = format!("asked one.example. by {}", c.address("c1"));
    assert!(outside.stdout().contains(&by), "{by}:\n{}", outside.stdout());
    // Who has no IPv4 has the host ask for it.
    comes_to_resolve(&c, "c6", "six.example", &["192.0.2.1"]);
    assert!(outside.stdout().contains("asked six.example. by 10.77.0.1"), "{}", outside.stdout());
    set_host_resolvers(&host, "nameserver 127.0.0.54\n");
    comes_to_resolve(&c, "c1", "two.example", &["192.0.2.54"]);
    assert!(local.stdout().contains("asked two.example. by 127."), "{}", local.stdout());
    host.sh("ip addr add fd00:77::1/128 dev lo").ok();
    let six = name_server(&host, "fd00:77::1", 6);
    set_host_resolvers(&host, "nameserver fd00:77::1\n");
    comes_to_resolve(&c, "c6", "three.example", &["192.0.2.6"]);
    comes_to_resolve(&c, "c1", "four.example", &["192.0.2.6"]);
    assert!(six.stdout().contains("asked three.example. by fd00:5::2"), "{}", six.stdout());
    assert!(six.stdout().contains("asked four.example. by fd00:77::1"), "{}", six.stdout());
}

/// An IPv6 resolver on a link of the host, as router advertisements give them.
#[test]
fn a_resolver_on_a_link_is_asked_by_the_host() {
    let Some(host) = hawser() else { return };
    let router = TestHost::with(Options { name: "router".to_owned(), ..Options::default() });
    let segment = Segment::new();
    host.join_segment(&segment, "wan0", "10.99.0.1/24");
    router.join_segment(&segment, "lan0", "10.99.0.53/24");
    host.sh("ip addr add fe80::1/64 dev wan0 nodad").ok();
    router.sh("ip addr add fe80::53/64 dev lan0 nodad").ok();
    let server = name_server(&router, "fe80::53%lan0", 53);
    set_host_resolvers(&host, "nameserver fe80::53%wan0\n");
    host.start_daemon(&[]);
    host.load_busybox();
    let c = host.docker();
    c.ok("network create net1");
    c.ok("run -itd --name c1 --net net1 busybox");
    c.ok("run -itd --name plain busybox");
    for container in ["c1", "plain"] {
        resolves(&c, container, "outside.example", &["192.0.2.53"]);
        assert_eq!(nameservers(&c, container), ["127.0.0.11"]);
    }
    assert!(server.stdout().contains("asked outside.example. by fe80::"), "{}", server.stdout());
    // The link goes and comes back with another index.
    host.sh("ip link delete wan0").ok();
    host.join_segment(&segment, "wan0", "10.99.0.1/24");
    host.sh("ip addr add fe80::1/64 dev wan0 nodad").ok();
    comes_to_resolve(&c, "c1", "again.example", &["192.0.2.53"]);
    // As a setting of the daemon it means the same.
    set_host_resolvers(&host, "");
    host.stop_daemon();
    host.start_daemon(&["--dns=fe80::53%wan0"]);
    comes_to_resolve(&c, "c1", "told.example", &["192.0.2.53"]);
}

/// Without resolvers nobody is asked, and nothing leaves the host.
#[test]
fn there_is_no_public_fallback() {
    let Some(host) = hawser() else { return };
    set_host_resolvers(&host, "# nobody\n");
    host.start_daemon(&[]);
    host.load_busybox();
    let c = host.docker();
    let street = Street::new(&host);
    host.sh("ip route add default via 10.99.0.53").ok();
    c.ok("network create net1");
    c.ok("run -itd --name c1 --net net1 busybox");
    c.ok("run -itd --name plain busybox");
    let said = c.run("exec c1 nslookup outside.example");
    assert!(said.stdout.contains("SERVFAIL"), "{said}");
    assert_eq!(nameservers(&c, "plain"), Vec::<String>::new());
    c.run("exec plain nslookup outside.example");
    assert_eq!(street.received(), 0);
    // The way is there for who takes it.
    c.run("exec plain ping -c 1 -w 1 198.51.100.1");
    assert_ne!(street.received(), 0);
}

/// What is asked inside an internal network stays there, whoever is asked.
#[test]
fn internal_networks_let_no_question_out() {
    let Some(host) = hawser() else { return };
    let street = Street::new(&host);
    let server = name_server(&street.host, "10.99.0.53", 53);
    let local = name_server(&host, "127.0.0.54", 54);
    set_host_resolvers(&host, "nameserver 10.99.0.53\nnameserver 127.0.0.54\n");
    host.start_daemon(&[]);
    host.load_busybox();
    let c = host.docker();
    c.ok("network create outside");
    c.ok("network create --internal --subnet 10.5.0.0/24 inside");
    c.ok("run -itd --name ns --net inside --ip 10.5.0.53 busybox");
    c.ok("run -itd --name in --net inside busybox");
    c.ok("run -itd --name told --net inside --dns 10.5.0.53 busybox");
    c.ok("run -itd --name asks_out --net inside --dns 10.99.0.53 busybox");
    resolves(&c, "in", "secret.example", &[]);
    resolves(&c, "in", "ns.", &["10.5.0.53"]);
    resolves(&c, "asks_out", "secret.example", &[]);
    let _inside = name_server_in(&host, "ns", "10.5.0.53", 5);
    resolves(&c, "told", "secret.example", &["192.0.2.5"]);
    assert_eq!(street.received(), 0);
    for server in [&server, &local] {
        assert!(!server.stdout().contains("secret"), "{}", server.stdout());
    }
    // The upstream does answer those who may ask.
    c.ok("run -itd --name out --net outside busybox");
    resolves(&c, "out", "outside.example", &["192.0.2.53"]);
}
