//! Published ports, seen from everywhere that may reach them: other hosts, the host by any of its
//! addresses, the container itself, containers of the same and of other networks; in both address
//! families, with the client's address kept where translation allows it.

mod choices;
mod clients;

use hawser_testkit::{Cli, Client, EngineKind, Running, Segment, TestHost, eventually};

use crate::seen::{echo_datagrams, get, neighbour, serve};

/// A host with two addresses of each family on the wire, and a neighbour there.
struct Street {
    host: TestHost,
    neighbour: TestHost,
    _segment: Segment,
}

impl Street {
    fn new() -> Street {
        let segment = Segment::new();
        let neighbour = neighbour(&segment, "10.99.0.3/24");
        neighbour.sh("ip -6 addr add fd99::3/64 dev wan0 nodad").ok();
        let host = TestHost::running();
        host.join_segment(&segment, "wan0", "10.99.0.2/24");
        host.sh("ip addr add 10.99.0.22/24 dev wan0; \
                 for a in fd99::2/64 fd99::22/64; do ip -6 addr add $a dev wan0 nodad; done")
            .ok();
        Street { host, neighbour, _segment: segment }
    }

    fn client(&self) -> Client<'_> {
        self.host.client(Cli::Docker)
    }

    /// Networks of both families, with the same and another container on them beside `web`, whose
    /// port 80 is published as `ports` say.
    fn open(&self, network: &str, ports: &str) {
        let c = self.client();
        c.ok(&format!("network create {network} n"));
        c.ok("network create --ipv6 --subnet fd08::/64 --subnet 10.8.0.0/24 other");
        c.ok(&format!("run -d --name web --net n {ports} busybox sleep 1000"));
        c.ok("run -d --name same --net n busybox sleep 1000");
        c.ok("run -d --name stranger --net other busybox sleep 1000");
    }

    /// Does a client get the page there?
    fn host_gets(&self, authority: &str) {
        assert_eq!(get(&self.host, authority).status, 0, "the host, {authority}");
    }

    fn neighbour_gets(&self, authority: &str) {
        assert_eq!(get(&self.neighbour, authority).status, 0, "the neighbour, {authority}");
    }

    fn container_gets(&self, name: &str, authority: &str) {
        let line = format!("exec {name} timeout 3 wget -q -O - http://{authority}/");
        let got = self.client().run(&line);
        assert_eq!(got.status, 0, "{name}, {authority}: {got}");
    }
}

/// A web server in a container that tells on its standard error who asks.
fn serve_and_tell(host: &TestHost, container: &str, port: u16) -> Running {
    let pid = host.docker().inspect(container, "{{.State.Pid}}");
    let port = format!("[::]:{port}");
    let words = ["nsenter", "-t", &pid, "-n", "busybox", "httpd", "-f", "-vv", "-p", &port];
    let server = host.spawn(words.into_iter().chain(["-h", "/var"]));
    let listens = format!("nsenter -t {pid} -n ss -ltn | grep -q :80");
    eventually("the web server listens", || (host.sh(&listens).status == 0).then_some(()));
    server
}

/// Waits until the server has told that `address` asked it.
fn told(server: &Running, address: &str, what: &str) {
    let line = format!("[{address}]:");
    let mapped = format!("[::ffff:{address}]:");
    eventually(&format!("{what}: a request of {address}"), || {
        let said = server.stderr();
        (said.contains(&line) || said.contains(&mapped)).then_some(())
    });
}

/// Every client of every published address reaches it, on a network of both families.
#[test]
fn from_everywhere() {
    if EngineKind::from_environment() == EngineKind::Docker {
        return; // without ip6tables by default
    }
    let street = Street::new();
    let before = street.host.inventory();
    street.open("--ipv6 --subnet fd07::/64 --subnet 10.7.0.0/24", "-p 8088:80");
    let c = street.client();
    serve(&c, "web", 80);
    let wire = ["10.99.0.2:8088", "10.99.0.22:8088", "[fd99::2]:8088", "[fd99::22]:8088"];
    let gateways = ["10.7.0.1:8088", "10.8.0.1:8088", "[fd07::1]:8088", "[fd08::1]:8088"];
    for authority in wire {
        street.neighbour_gets(authority);
    }
    for authority in wire.into_iter().chain(gateways) {
        street.host_gets(authority);
        for name in ["web", "same", "stranger"] {
            street.container_gets(name, authority);
        }
    }
    for authority in ["127.0.0.1:8088", "127.1.2.3:8088", "[::1]:8088", "localhost:8088"] {
        street.host_gets(authority);
    }
    c.ok("rm -f web same stranger");
    c.ok("network rm n other");
    before.assert_restored(&street.host);
}

/// The same where the container has IPv4 only, and where it has IPv6 only: one in-process relay
/// carries what no translation can, and no process is started for it.
#[test]
fn from_the_other_family() {
    if EngineKind::from_environment() == EngineKind::Docker {
        return; // a process for each port, and nothing from IPv4 to IPv6
    }
    for network in ["--subnet 10.7.0.0/24", "--ipv4=false --ipv6 --subnet fd07::/64"] {
        let street = Street::new();
        let before = street.host.inventory();
        street.open(network, "-p 8088:80");
        let c = street.client();
        serve(&c, "same", 80);
        c.ok("exec -d web httpd -f -p [::]:80 -h /var/www");
        c.ok("exec -d web httpd -f -p 80 -h /var/www");
        let served = || (get(&street.host, "127.0.0.1:8088").status == 0).then_some(());
        eventually("it serves", served);
        for authority in ["10.99.0.2:8088", "10.99.0.22:8088", "[fd99::2]:8088", "[fd99::22]:8088"]
        {
            street.neighbour_gets(authority);
            street.host_gets(authority);
            street.container_gets("stranger", authority);
        }
        for authority in ["127.0.0.1:8088", "[::1]:8088"] {
            street.host_gets(authority);
        }
        let gateway = if network.contains("fd07") { "[fd07::1]:8088" } else { "10.7.0.1:8088" };
        for name in ["web", "same"] {
            street.container_gets(name, gateway);
        }
        // Large enough to be spliced.
        c.ok("exec web sh -c 'head -c 3000000 /dev/urandom > /var/www/big'");
        let sum = |host: &TestHost, from: &str| {
            let line = format!("timeout 20 busybox wget -q -O - http://{from}/big | md5sum");
            host.sh(&line).ok().text()
        };
        let wanted = c.ok("exec web md5sum /var/www/big");
        for from in ["10.99.0.2:8088", "[fd99::2]:8088"] {
            assert_eq!(sum(&street.neighbour, from)[..32], wanted[..32], "{from}");
        }
        c.ok("rm -f web same stranger");
        c.ok("network rm n other");
        before.assert_restored(&street.host);
    }
}

/// The server sees who asks, but for those whose answer would not come back by the host: the host
/// over loopback, and neighbours on the same bridge.
#[test]
fn the_clients_address_is_kept() {
    if EngineKind::from_environment() == EngineKind::Docker {
        return; // without ip6tables by default
    }
    let street = Street::new();
    street.open("--ipv6 --subnet fd07::/64 --subnet 10.7.0.0/24", "-p 8088:80");
    let server = serve_and_tell(&street.host, "web", 80);
    let c = street.client();
    let ask = |name: &str, authority: &str| {
        c.run(&format!("exec {name} timeout 3 wget -q -O - http://{authority}/"));
    };
    get(&street.neighbour, "10.99.0.2:8088");
    told(&server, "10.99.0.3", "the neighbour");
    get(&street.neighbour, "[fd99::2]:8088");
    told(&server, "fd99::3", "the neighbour, IPv6");
    get(&street.host, "10.99.0.2:8088");
    told(&server, "10.99.0.2", "the host by its own address");
    get(&street.host, "[fd99::22]:8088");
    told(&server, "fd99::22", "the host by its own address, IPv6");
    assert!(!server.stderr().contains("10.7.0.1]") && !server.stderr().contains("fd07::1]"));
    get(&street.host, "127.0.0.1:8088");
    told(&server, "10.7.0.1", "the host over loopback");
    get(&street.host, "[::1]:8088");
    told(&server, "fd07::1", "the host over loopback, IPv6");
    ask("same", "10.99.0.2:8088");
    ask("stranger", "10.99.0.2:8088");
    assert!(!server.stderr().contains("127.0.0.1"), "{}", server.stderr());
}

/// One address of the host, and no other.
#[test]
fn on_certain_addresses() {
    let street = Street::new();
    let docker = street.host.engine() == EngineKind::Docker;
    let c = street.client();
    c.ok("network create --ipv6 --subnet fd07::/64 --subnet 10.7.0.0/24 n");
    let mut ports = "-p 10.99.0.22:8088:80 -p 127.0.0.1:8089:80".to_owned();
    if !docker {
        ports.push_str(" -p [fd99::22]:8090:80 -p [::1]:8091:80");
    }
    c.ok(&format!("run -d --name web --net n {ports} busybox sleep 1000"));
    serve(&c, "web", 80);
    street.neighbour_gets("10.99.0.22:8088");
    street.host_gets("10.99.0.22:8088");
    street.host_gets("127.0.0.1:8089");
    let mut closed = vec!["10.99.0.2:8088", "10.99.0.2:8089", "10.99.0.22:8089"];
    if !docker {
        street.neighbour_gets("[fd99::22]:8090");
        street.host_gets("[::1]:8091");
        closed.extend(["[fd99::2]:8090", "[fd99::2]:8091", "[fd99::22]:8091", "10.99.0.2:8090"]);
    }
    for authority in closed {
        assert_ne!(get(&street.neighbour, authority).status, 0, "{authority}");
    }
    assert_ne!(get(&street.host, "127.0.0.1:8088").status, 0);
    // Beside it another container has the same port of another address.
    c.ok("run -d --name next --net n -p 10.99.0.2:8088:81 busybox sleep 1000");
    serve(&c, "next", 81);
    street.neighbour_gets("10.99.0.2:8088");
    let missing = c.run("run --rm -p 192.0.2.7:8088:80 busybox true");
    assert_eq!(missing.status, 125, "{missing}");
    assert!(missing.stderr.contains("cannot assign requested address"), "{missing}");
}

/// Networks of a container come and go: its ports lead where its way out does.
#[test]
fn ports_follow_the_networks() {
    if EngineKind::from_environment() == EngineKind::Docker {
        return;
    }
    let street = Street::new();
    let before = street.host.inventory();
    let c = street.client();
    c.ok("network create --subnet 10.7.0.0/24 four");
    c.ok("network create --ipv6 --subnet fd08::/64 --subnet 10.8.0.0/24 both");
    c.ok("network create --internal --subnet 10.9.0.0/24 inner");
    c.ok("run -d --name web --net inner -p 8088:80 busybox sleep 1000");
    serve(&c, "web", 80);
    assert_ne!(get(&street.host, "127.0.0.1:8088").status, 0);
    assert_eq!(c.ok("port web"), "");
    let everywhere = ["127.0.0.1:8088", "10.99.0.2:8088", "[::1]:8088", "[fd99::2]:8088"];
    let reached = |when: &str| {
        for authority in everywhere {
            let got = || (get(&street.host, authority).status == 0).then_some(());
            eventually(&format!("{when}: {authority}"), got);
        }
    };
    c.ok("network connect four web");
    reached("IPv4 only");
    assert_eq!(c.ok("port web"), "80/tcp -> 0.0.0.0:8088\n80/tcp -> [::]:8088");
    c.ok("network connect both web");
    reached("both families");
    c.ok("network disconnect four web");
    reached("both families, the other network gone");
    street.host.kill_daemon();
    street.host.start_again();
    reached("after a crash of the daemon");
    c.ok("rename web other");
    c.ok("network connect four other");
    c.ok("network disconnect both other");
    reached("IPv4 only again");
    // What is held is held throughout.
    c.fails("run --rm -p 8088:80 busybox true", 125, "port is already allocated");
    c.ok("restart -t 0 other");
    serve(&c, "other", 80);
    reached("after a restart");
    c.ok("network disconnect four other");
    assert_ne!(get(&street.host, "[::1]:8088").status, 0);
    assert_eq!(c.ok("port other"), "");
    c.ok("run --rm -p 8088:80 busybox true");
    c.ok("rm -f other");
    c.ok("network rm four both inner");
    before.assert_restored(&street.host);
}

/// A container that is on an internal network alone reaches no port of others, relayed or not.
#[test]
fn not_from_internal_networks() {
    let street = Street::new();
    let docker = street.host.engine() == EngineKind::Docker;
    let c = street.client();
    c.ok("network create --internal --ipv6 --subnet fd09::/64 --subnet 10.9.0.0/24 inner");
    c.ok("network create --subnet 10.7.0.0/24 four");
    c.ok("run -d --name web --net four -p 8088:80 busybox sleep 1000");
    c.ok("run -d --name inner --net inner busybox sleep 1000");
    serve(&c, "web", 80);
    street.host_gets("127.0.0.1:8088");
    if !docker {
        street.host_gets("[fd09::1]:8088");
    }
    for authority in ["10.9.0.1:8088", "10.99.0.2:8088", "[fd09::1]:8088", "[fd99::2]:8088"] {
        if docker && authority.starts_with('[') {
            continue; // its proxy listens there, for everybody
        }
        let got = c.run(&format!("exec inner timeout 2 wget -q -O - http://{authority}/"));
        assert_ne!(got.status, 0, "{authority}: {got}");
    }
}

/// Datagrams, in both families, through translation and through the relay.
#[test]
fn datagrams_of_both_families() {
    if EngineKind::from_environment() == EngineKind::Docker {
        return;
    }
    let street = Street::new();
    let c = street.client();
    c.ok("network create --ipv6 --subnet fd07::/64 --subnet 10.7.0.0/24 both");
    c.ok("run -d --name four -p 5514:514/udp busybox sleep 1000");
    c.ok("run -d --name dual --net both -p 5515:514/udp busybox sleep 1000");
    let pid = |name: &str| c.inspect(name, "{{.State.Pid}}");
    let _four = echo_datagrams(&street.host, &pid("four"), 514);
    let _dual = echo_datagrams(&street.host, &pid("dual"), 514);
    for port in [5514, 5515] {
        let mut asked = vec![("10.99.0.2", &street.neighbour), ("127.0.0.1", &street.host)];
        // The echo server of the tests speaks IPv4: the relay's other side.
        if port == 5514 {
            asked.extend([("fd99::22", &street.neighbour), ("::1", &street.host)]);
        }
        for (address, client) in asked {
            let ask = format!(
                "exec 3<>/dev/udp/{address}/{port}; printf ping-me >&3; timeout 3 head -c 7 <&3"
            );
            assert_eq!(client.run(["bash", "-c", &ask]).ok().text(), "ping-me", "{address} {port}");
        }
    }
}

/// Answers each datagram with `name`, in a container.
fn answer_datagrams(host: &TestHost, container: &str, name: &str) -> Running {
    let pid = host.docker().inspect(container, "{{.State.Pid}}");
    let program = format!(
        "use IO::Socket::INET; $| = 1; \
         my $s = IO::Socket::INET->new(Proto => 'udp', LocalPort => 514) or die $!; \
         print \"ready\\n\"; while ($s->recv(my $d, 2000)) {{ print \"$d\\n\"; $s->send('{name}'); }}"
    );
    let server = host.spawn(["nsenter", "-t", &pid, "-n", "perl", "-e", &program]);
    server.expect("ready");
    server
}

/// A client that never stops sending, from one port: who publishes the port next has it at once,
/// and who has the old container's address now gets nothing of it.
#[test]
fn datagrams_reach_the_successor() {
    let street = Street::new();
    let c = street.client();
    let host = &street.host;
    let publish = |name: &str| {
        c.ok(&format!("run -d --name {name} -p 5514:514/udp busybox sleep 1000"));
        answer_datagrams(host, name, name)
    };
    let first = publish("first");
    let address = c.inspect("first", "{{.NetworkSettings.Networks.bridge.IPAddress}}");
    let program = "use IO::Socket::INET; use IO::Select; $| = 1; \
                   my $s = IO::Socket::INET->new(Proto => 'udp', LocalPort => 4000, \
                   PeerAddr => '10.99.0.2', PeerPort => 5514) or die $!; \
                   while (1) { $s->send('ask'); \
                   if (IO::Select->new($s)->can_read(0.05)) { $s->recv(my $d, 100); print \"$d\\n\"; } }";
    let client = street.neighbour.spawn(["perl", "-e", program]);
    client.expect("first");
    drop(first);
    c.ok("rm -f first");
    // It sends on, and nobody has the port: connection tracking knows it as one to the host.
    let tracked = "10.99.0.2.*dport=5514";
    eventually("the datagrams end at the host", || {
        let known = host.sh(&format!("grep -q '{tracked}' /proc/net/nf_conntrack"));
        // A kernel without that file cannot be asked.
        (known.status != 1).then_some(())
    });
    std::thread::sleep(std::time::Duration::from_millis(300));
    c.ok("run -d --name tenant busybox sleep 1000");
    let tenant = answer_datagrams(host, "tenant", "tenant");
    if host.engine() == EngineKind::Hawser {
        let now = c.inspect("tenant", "{{.NetworkSettings.Networks.bridge.IPAddress}}");
        assert_eq!(now, address);
    }
    let begun = std::time::Instant::now();
    let _second = publish("second");
    client.expect("second");
    // Without help it takes as long as the client sends.
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(!client.stdout().contains("tenant") && !tenant.stdout().contains("ask"));
}
