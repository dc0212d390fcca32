//! Section 3: port 53 of a container is the container's: a name server inside, on any address, and
//! names are answered beside it.

use hawser_testkit::{Client, EngineKind, TestHost};

use crate::name_server::{name_server, name_server_in, resolve, resolves, set_host_resolvers};

/// Listens at TCP port 53 of an address, and says something to each who connects.
const LISTEN: &str = "use IO::Socket::IP; $| = 1; \
    my $s = IO::Socket::IP->new(Listen => 1, ReuseAddr => 1, LocalAddr => $ARGV[0], \
                                LocalPort => 53, GetAddrInfoFlags => 0) or die $@; \
    print \"ready\\n\"; while (my $c = $s->accept) { print $c \"mine\\n\"; }";

/// Asks 127.0.0.11 over TCP for the address of a name of one label, and prints it.
const ASK: &str = "use IO::Socket::IP; \
    my $s = IO::Socket::IP->new(PeerAddr => '127.0.0.11', PeerPort => 53) or die $@; \
    my $q = pack('n6', 7, 0x100, 1, 0, 0, 0) . pack('C/a* C n2', $ARGV[0], 0, 1, 1); \
    print $s pack('n/a*', $q); $s->flush; read $s, my $n, 2; read $s, my $r, unpack('n', $n); \
    print join('.', unpack('C4', substr($r, -4)));";

fn key(c: &Client<'_>, container: &str) -> String {
    c.inspect(container, "{{.NetworkSettings.SandboxKey}}")
}

#[test]
fn a_container_binds_its_own_port_53() {
    let host = TestHost::new();
    set_host_resolvers(&host, "nameserver 10.77.0.1\n");
    host.start_daemon(&[]);
    host.load_busybox();
    let _outside = name_server(&host, "10.77.0.1", 1);
    let c = host.docker();
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("run -itd --name ns --net net1 --ip 10.5.0.53 busybox");
    c.ok("run -itd --name asks --net net1 busybox");
    for address in ["0.0.0.0", "127.0.0.1", "10.5.0.53", "::"] {
        let own = name_server_in(&host, "ns", address, 9);
        let net = format!("--net={}", key(&c, "ns"));
        let tcp = host.spawn(["nsenter", &net, "perl", "-e", LISTEN, address]);
        tcp.expect("ready");
        // Names are answered where they were, to it and to its neighbours.
        resolves(&c, "ns", "asks.", &[&c.address("asks")]);
        let over_tcp = host.run(["nsenter", &net, "perl", "-e", ASK, "asks"]).ok().text();
        assert_eq!(over_tcp, c.address("asks"));
        resolves(&c, "ns", "outside.example", &["192.0.2.1"]);
        resolves(&c, "asks", "ns.", &["10.5.0.53"]);
        let at = if address == "127.0.0.1" { "127.0.0.1" } else { "10.5.0.53" };
        assert_eq!(resolve(&c, "ns", &format!("own.example {at}")), ["192.0.2.9"], "{address}");
        if address != "127.0.0.1" {
            assert_eq!(resolve(&c, "asks", "own.example 10.5.0.53"), ["192.0.2.9"], "{address}");
            let said = c.ok("exec asks nc -w 5 10.5.0.53 53 </dev/null");
            assert_eq!(said, "mine", "{address}");
        }
        assert!(!own.stdout().contains("outside"), "{}", own.stdout());
        // The daemon comes back while port 53 is taken.
        if address == "0.0.0.0" && host.engine() == EngineKind::Hawser {
            host.kill_daemon();
            host.start_again();
            resolves(&c, "ns", "asks.", &[&c.address("asks")]);
            assert_eq!(resolve(&c, "ns", "own.example 10.5.0.53"), ["192.0.2.9"]);
        }
    }
}

/// Nothing of it shows but a socket at an odd port, and rules where names are answered.
#[test]
fn what_a_container_sees_of_its_name_server() {
    let host = TestHost::running();
    let c = host.docker();
    c.ok("network create net1");
    c.ok("run -itd --name c1 --net net1 busybox");
    let sockets = c.ok("exec c1 netstat -ln");
    assert!(sockets.contains("127.0.0.11:") && !sockets.contains("127.0.0.11:53 "), "{sockets}");
    if host.engine() == EngineKind::Docker {
        return;
    }
    let rules = |container: &str| {
        host.sh(&format!("nsenter --net={} nft list ruleset", key(&c, container))).ok().text()
    };
    assert_eq!(rules("c1").matches("notrack").count(), 4, "{}", rules("c1"));
    // They come and go with names, as often as one likes.
    c.ok("run -itd --name plain busybox");
    for _ in 0..20 {
        assert_eq!(rules("plain"), "");
        c.ok("network connect net1 plain");
        resolves(&c, "plain", "c1.", &[&c.address("c1")]);
        c.ok("network disconnect net1 plain");
    }
    let sockets = c.ok("exec plain netstat -ln");
    assert!(!sockets.contains("127.0.0.11"), "{sockets}");
}

/// Who may administer its network and flushes the rules has no names until the next start, of the
/// container or of the daemon; nobody else notices.
#[test]
fn flushed_rules_come_back() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return;
    }
    let c = host.docker();
    c.ok("network create net1");
    c.ok("run -itd --name other --net net1 busybox");
    c.ok("run -itd --name c1 --net net1 --privileged busybox");
    let flush = || {
        host.sh(&format!("nsenter --net={} nft flush ruleset", key(&c, "c1"))).ok();
        resolves(&c, "c1", "other.", &[]);
        resolves(&c, "other", "c1.", &[&c.address("c1")]);
    };
    flush();
    c.ok("restart -t 0 c1");
    resolves(&c, "c1", "other.", &[&c.address("other")]);
    flush();
    host.restart_daemon();
    resolves(&c, "c1", "other.", &[&c.address("other")]);
}
