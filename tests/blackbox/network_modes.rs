//! How a network's containers reach the outside, and are reached: gateway modes, masquerading, the
//! interfaces that are trusted, the address that is shown. Seen from a neighbour that routes to them.

use hawser_testkit::{Cli, Client, EngineKind, Running, Segment, TestHost};

use crate::seen::{asked_by, get, interface_addresses, neighbour, serve, serve_on_host};

const OPTION: &str = "-o com.docker.network.bridge";

/// A host with an engine and a neighbour that knows the way to its containers.
struct Street {
    host: TestHost,
    neighbour: TestHost,
    // The neighbour's web server, port 8000, which says who asked.
    server: Running,
    _segment: Segment,
}

impl Street {
    fn new() -> Street {
        let segment = Segment::new();
        let neighbour = neighbour(&segment, "10.99.0.3/24");
        let host = TestHost::running();
        host.join_segment(&segment, "wan0", "10.99.0.2/24");
        host.sh("ip -6 addr add fd99::2/64 dev wan0 nodad").ok();
        neighbour
            .sh("ip -6 addr add fd99::3/64 dev wan0 nodad && ip route add 10.7.0.0/24 via 10.99.0.2 \
                 && ip -6 route add fd07::/64 via fd99::2")
            .ok();
        let server = serve_on_host(&neighbour, 8000);
        Street { host, neighbour, server, _segment: segment }
    }

    fn client(&self) -> Client<'_> {
        self.host.client(Cli::Docker)
    }

    /// Does the neighbour get an answer from there?
    fn reaches(&self, authority: &str) -> bool {
        get(&self.neighbour, authority).status == 0
    }

    /// Runs `web` on a new network `n` with `options`: 80 is published on 8088, 81 is not.
    fn open(&self, options: &str) {
        let c = self.client();
        c.ok(&format!("network create --subnet 10.7.0.0/24 --ipv6 --subnet fd07::/64 {options} n"));
        c.ok("run -d --name web --net n -p 8088:80 busybox sleep 1000");
        serve(&c, "web", 80);
        serve(&c, "web", 81);
    }

    fn close(&self) {
        let c = self.client();
        c.ok("rm -f web");
        c.ok("network rm n");
    }

    /// The container asks the neighbour, which sees who did.
    fn seen_as(&self, target: &str, address: &str) {
        self.client().ok(&format!("exec web wget -q -O - http://{target}:8000/"));
        asked_by(&self.server, address);
    }
}

/// Is this not for the dockerd that the tests are proven with, since it came later?
fn hawser_only() -> bool {
    EngineKind::from_environment() == EngineKind::Docker
}

/// Masquerading outwards, published ports inwards: in both families.
#[test]
fn nat() {
    let street = Street::new();
    let before = street.host.inventory();
    street.open("");
    assert!(street.reaches("10.99.0.2:8088"));
    assert!(!street.reaches("10.7.0.2:81"));
    street.seen_as("10.99.0.3", "10.99.0.2");
    assert!(!street.server.stderr().contains("10.7.0.2"));
    if street.host.engine() == EngineKind::Hawser {
        // Debian's dockerd lets in what it published, and has no ip6tables by default.
        assert!(!street.reaches("10.7.0.2:80"));
        assert!(street.reaches("[fd99::2]:8088"));
        assert!(!street.reaches("[fd07::2]:80") && !street.reaches("[fd07::2]:81"));
        street.seen_as("[fd99::3]", "fd99::2");
    }
    street.close();
    if street.host.engine() == EngineKind::Hawser {
        before.assert_restored(&street.host);
    }
}

/// The same, and every port of a container is reached at its own address.
#[test]
fn nat_unprotected() {
    if hawser_only() {
        return;
    }
    let street = Street::new();
    let before = street.host.inventory();
    street.open(&format!(
        "{OPTION}.gateway_mode_ipv4=nat-unprotected {OPTION}.gateway_mode_ipv6=nat-unprotected"
    ));
    for authority in ["10.99.0.2:8088", "10.7.0.2:80", "10.7.0.2:81"] {
        assert!(street.reaches(authority), "{authority}");
    }
    for authority in ["[fd99::2]:8088", "[fd07::2]:80", "[fd07::2]:81"] {
        assert!(street.reaches(authority), "{authority}");
    }
    street.seen_as("10.99.0.3", "10.99.0.2");
    street.close();
    before.assert_restored(&street.host);
}

/// No translation: a published port is open at the container's address, the host's has nothing.
#[test]
fn routed() {
    if hawser_only() {
        return;
    }
    let street = Street::new();
    let before = street.host.inventory();
    street.open(&format!("{OPTION}.gateway_mode_ipv4=routed {OPTION}.gateway_mode_ipv6=routed"));
    for authority in ["10.7.0.2:80", "[fd07::2]:80"] {
        assert!(street.reaches(authority), "{authority}");
    }
    for authority in ["10.99.0.2:8088", "[fd99::2]:8088", "10.7.0.2:81", "[fd07::2]:81"] {
        assert!(!street.reaches(authority), "{authority}");
    }
    street.seen_as("10.99.0.3", "10.7.0.2");
    street.seen_as("[fd99::3]", "fd07::2");
    street.close();
    // One family of each kind.
    street.open(&format!("{OPTION}.gateway_mode_ipv6=routed"));
    assert!(street.reaches("10.99.0.2:8088") && !street.reaches("10.7.0.2:80"));
    assert!(street.reaches("[fd07::2]:80") && !street.reaches("[fd07::2]:81"));
    street.close();
    before.assert_restored(&street.host);
}

/// Neighbours on the bridge, and nobody else, not even the host.
#[test]
fn isolated() {
    if hawser_only() {
        return;
    }
    let host = TestHost::running();
    let c = host.docker();
    let before = host.inventory();
    c.ok(&format!(
        "network create --internal --subnet 10.7.0.0/24 --ipv6 --subnet fd07::/64 \
         {OPTION}.gateway_mode_ipv4=isolated {OPTION}.gateway_mode_ipv6=isolated {OPTION}.name=brx n"
    ));
    let addresses = host.sh("ip -o addr show brx").ok().stdout;
    assert!(!addresses.contains("10.7.0.") && !addresses.contains("fd07:"), "{addresses}");
    c.ok("run -d --name c1 --net n busybox sleep 1000");
    c.ok("run -d --name c2 --net n busybox sleep 1000");
    // No gateway: its address is a container's.
    assert_eq!(interface_addresses(&c, "c1", "eth0"), ["10.7.0.1/24", "fd07::1/64"]);
    assert!(!c.ok("exec c1 ip route").contains("default"));
    c.ok("exec c1 ping -c 1 -W 2 c2");
    c.ok("exec c1 ping -6 -c 1 -W 2 c2");
    assert_ne!(host.run(["busybox", "ping", "-c", "1", "-W", "1", "10.7.0.1"]).status, 0);
    c.ok("rm -f c1 c2");
    c.ok("network rm n");
    before.assert_restored(&host);
}

/// Without masquerading the outside sees the container's own address.
#[test]
fn no_masquerading() {
    let street = Street::new();
    street.open(&format!("{OPTION}.enable_ip_masquerade=false"));
    street.seen_as("10.99.0.3", "10.7.0.2");
    if street.host.engine() == EngineKind::Hawser {
        street.seen_as("[fd99::3]", "fd07::2");
        assert!(street.reaches("10.99.0.2:8088") && !street.reaches("10.7.0.2:81"));
    }
    street.close();
}

/// A certain address of the host's for the outside.
#[test]
fn a_certain_source_address() {
    if hawser_only() {
        return; // since Docker 25
    }
    let street = Street::new();
    street
        .host
        .sh("ip addr add 10.99.0.22/24 dev wan0 && ip -6 addr add fd99::22/64 dev wan0 nodad")
        .ok();
    street.open(
        "-o com.docker.network.host_ipv4=10.99.0.22 -o com.docker.network.host_ipv6=fd99::22",
    );
    street.seen_as("10.99.0.3", "10.99.0.22");
    street.seen_as("[fd99::3]", "fd99::22");
    assert!(street.reaches("10.99.0.2:8088"));
    street.close();
}

/// From a link that is trusted, a published port is reached at the container's address too.
#[test]
fn trusted_interfaces() {
    if hawser_only() {
        return; // since Docker 28
    }
    let street = Street::new();
    street.open(&format!("{OPTION}.trusted_host_interfaces=wan0:wan7"));
    assert!(street.reaches("10.7.0.2:80") && street.reaches("[fd07::2]:80"));
    assert!(street.reaches("10.99.0.2:8088"));
    street.close();
    street.open(&format!("{OPTION}.trusted_host_interfaces=wan7"));
    assert!(!street.reaches("10.7.0.2:80") && !street.reaches("[fd07::2]:80"));
    street.close();
}

/// Internal: no way out, and none in.
#[test]
fn internal() {
    let street = Street::new();
    let c = street.client();
    c.ok("network create --internal --subnet 10.7.0.0/24 n");
    c.ok("run -d --name web --net n -p 8088:80 busybox sleep 1000");
    serve(&c, "web", 80);
    c.ok("run --rm --net n busybox wget -q -O - http://web/");
    assert_ne!(c.run("exec web ping -c 1 -W 1 10.99.0.3").status, 0);
    if street.host.engine() == EngineKind::Hawser {
        // Without a route to it, the host itself is outside too.
        assert_ne!(c.run("exec web ping -c 1 -W 1 10.99.0.2").status, 0);
    }
    assert!(!street.reaches("10.99.0.2:8088") && !street.reaches("10.7.0.2:80"));
    // A second network is a way out, and none for the neighbours on the first.
    c.ok("network create out");
    c.ok("network connect out web");
    c.ok("exec web ping -c 1 -W 2 10.99.0.3");
    c.ok("run -d --name inner --net n busybox sleep 1000");
    assert_ne!(c.run("exec inner ping -c 1 -W 1 10.99.0.3").status, 0);
}
