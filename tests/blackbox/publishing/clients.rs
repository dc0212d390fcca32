//! Who asked, as the server in the container sees it: for every place that a client can be in, over
//! both families and both protocols; and SCTP, packet by packet, where the kernel may have none.

use hawser_testkit::{EngineKind, Segment, TestHost, eventually};

use crate::isolation_street::{Place, Street};
use crate::seen::neighbour;

/// One client: its place, the address that it asks, and as whom it is seen.
type Asked<'p, 'h> = (&'p Place<'h>, &'p str, &'p str);

#[test]
fn each_client_is_seen_as_who_it_is() {
    let Some(street) = Street::new(&[]) else { return };
    street.network("red", "");
    street.network("blue", "");
    let ports = "-p 8088:80 -p 8088:80/udp";
    let web = street.run("web", &format!("--net red --ip 10.5.1.2 --ip6 fd05:1::2 {ports}"));
    let server = web.serve(&["80"]);
    let (outside, inside) = (street.outside(), street.inside());
    let (same, other) = (street.run("same", "--net red"), street.run("other", "--net blue"));
    let asked: [Asked; 17] = [
        // As they are.
        (&outside, "10.99.0.2", "10.99.0.3"),
        (&outside, "fd99::2", "fd99::3"),
        (&inside, "10.99.0.2", "10.99.0.2"),
        (&inside, "fd99::2", "fd99::2"),
        // By an address of another bridge it could be a container there: the host all the same.
        (&inside, "10.5.2.1", "10.5.1.1"),
        (&inside, "fd05:2::1", "fd05:1::1"),
        // Nobody else can answer to a loopback address; the second is the relay.
        (&inside, "127.0.0.1", "10.5.1.1"),
        (&inside, "::1", "fd05:1::1"),
        // The answer has to come back by the host.
        (&web, "10.99.0.2", "10.5.1.1"),
        (&web, "fd99::2", "fd05:1::1"),
        (&web, "10.5.1.1", "10.5.1.1"),
        (&same, "10.99.0.2", "10.5.1.1"),
        (&same, "fd99::2", "fd05:1::1"),
        (&same, "fd05:1::1", "fd05:1::1"),
        (&other, "10.99.0.2", "10.5.1.1"),
        (&other, "fd99::2", "fd05:1::1"),
        (&other, "10.5.2.1", "10.5.1.1"),
    ];
    for (place, address, seen) in asked {
        for protocol in ["tcp", "udp"] {
            let before = server.stdout().len();
            place.reaches_all(&[&format!("{protocol} {address} 8088")]);
            let wanted = format!("{protocol} 80 from {seen}");
            let told = || {
                let said = server.stdout();
                (!said[before..].is_empty()).then(|| said[before..].trim().to_owned())
            };
            let said = eventually(&wanted, told);
            assert!(said.lines().all(|line| line == wanted), "{address}: {said}, not {wanted}");
        }
    }
}

/// The daemon's default address, and a network's, are where ports go that are published without one.
#[test]
fn the_default_address_is_the_daemons_or_the_networks() {
    let Some(street) = Street::new(&["--ip", "127.0.0.1"]) else { return };
    let c = street.client();
    street.network("red", "-o com.docker.network.bridge.host_binding_ipv4=10.99.0.2");
    let ways = |port: u16| {
        let ways = ["127.0.0.1", "10.99.0.2"].map(|address| format!("tcp {address} {port}"));
        (ways, [format!("tcp fd99::2 {port}"), format!("tcp ::1 {port}")])
    };
    for (name, net, port, at) in [("web", "bridge", 8088, 0), ("own", "red", 8089, 1)] {
        let options = format!("--net {net} -p {port}:80 -p 0.0.0.0:{}:80", port + 10);
        let place = street.run(name, &options);
        let _server = place.serve(&["80"]);
        let address = ["127.0.0.1", "10.99.0.2"][at];
        let shown = c.ok(&format!("port {name} 80"));
        assert!(shown.lines().any(|line| line == format!("{address}:{port}")), "{shown}");
        let (four, six) = ways(port);
        street.inside().reaches_all(&[&four[at]]);
        let others = [&four[1 - at], &six[0], &six[1]];
        street.inside().reaches_none(&others.map(String::as_str));
        let outside: &[&str] = if at == 1 { &["tcp 10.99.0.2 8089"] } else { &[] };
        assert_eq!(street.outside().reaches(&[&four[1], &six[0]]), outside);
        // Who names an address has that one.
        street.outside().reaches_all(&[&format!("tcp 10.99.0.2 {}", port + 10)]);
    }
}

/// Sends the first packet of an SCTP association, or hears such packets and tells their ports. (perl
/// has sockets for raw IP; the kernel needs none for SCTP.)
const SEND_SCTP: &str = r#"
    use Socket; my ($to, $port) = @ARGV;
    socket(my $s, AF_INET, SOCK_RAW, 132) or die $!;
    sub crc { my $c = 0xffffffff; for (unpack "C*", shift) { $c ^= $_;
        $c = $c & 1 ? ($c >> 1) ^ 0x82f63b78 : $c >> 1 for 1..8; } return ~$c & 0xffffffff; }
    my $chunk = pack("CCnNNnnN", 1, 0, 20, 7, 65535, 1, 1, 9);
    my $sum = crc(pack("nnNN", 4000, $port, 0, 0) . $chunk);
    send($s, pack("nnNV", 4000, $port, 0, $sum) . $chunk, 0, pack_sockaddr_in(0, inet_aton($to))) or die $!;
"#;
/// See [`SEND_SCTP`].
const HEAR_SCTP: &str = r#"
    use Socket; $| = 1; socket(my $s, AF_INET, SOCK_RAW, 132) or die $!; print "ready\n";
    while (defined(my $who = recv($s, my $d, 2000, 0))) {
        my ($from, $port) = unpack("nn", substr($d, 20)); my (undef, $ip) = unpack_sockaddr_in($who);
        print inet_ntoa($ip), " $from to $port\n"; }
"#;

#[test]
fn sctp_is_led_to_the_container() {
    if EngineKind::from_environment() == EngineKind::Docker {
        return; // it needs a kernel that has sockets for it
    }
    let segment = Segment::new();
    let neighbour = neighbour(&segment, "10.99.0.3/24");
    let host = TestHost::running();
    host.join_segment(&segment, "wan0", "10.99.0.2/24");
    let c = host.docker();
    c.ok("run -d --name web -p 9100:91/sctp busybox sleep 1000");
    c.ok("run -d --name next -p 10.99.0.2:9101:92/sctp busybox sleep 1000");
    let hear = |name: &str| {
        let pid = c.inspect(name, "{{.State.Pid}}");
        let heard = host.spawn(["nsenter", "-t", &pid, "-n", "perl", "-e", HEAR_SCTP]);
        heard.expect("ready");
        heard
    };
    let (web, next) = (hear("web"), hear("next"));
    let send = |from: &TestHost, port: &str| {
        from.run(["perl", "-e", SEND_SCTP, "10.99.0.2", port]).ok();
    };
    send(&neighbour, "9100");
    web.expect("10.99.0.3 4000 to 91");
    send(&neighbour, "9101");
    next.expect("10.99.0.3 4000 to 92");
    // Its port is its own, and nobody else's.
    c.fails("run --rm -p 127.0.0.1:9100:80/sctp busybox true", 125, "port is already allocated");
    c.ok("run -d --name beside -p 9100:80/tcp -p 9100:80/udp busybox sleep 1000");
    c.ok("rm -f web");
    send(&neighbour, "9100");
    send(&neighbour, "9101");
    eventually("the second", || (next.stdout().lines().count() == 3).then_some(()));
    assert_eq!(web.stdout().lines().count(), 2);
}
