//! Reading what `ip` and others print, and servers and clients for traffic.

use hawser_testkit::{Client, EngineKind, Options, Output, Running, Segment, TestHost, eventually};

/// Devices that some kernels put into every new namespace.
const FALLBACK: [&str; 9] =
    ["tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0"];

/// The names in `ip -o link` output, without `@ifN`, kernel fallback devices left out.
pub fn link_names(text: &str) -> Vec<String> {
    let name = |line: &str| line.split(": ").nth(1)?.split('@').next().map(str::to_owned);
    text.lines().filter_map(name).filter(|n| !FALLBACK.contains(&n.as_str())).collect()
}

/// The index of a link and that of its peer, from `5: eth0@if6: …`.
pub fn index_pair(line: &str) -> (u32, u32) {
    let (index, rest) = line.trim().split_once(": ").unwrap();
    let peer = rest.split(':').next().unwrap().split("@if").nth(1).unwrap();
    (index.parse().unwrap(), peer.parse().unwrap())
}

/// The `veth…` ports of a bridge, as lines of `ip -o link`.
pub fn ports(host: &TestHost, bridge: &str) -> Vec<String> {
    let text = host.sh(&format!("ip -o link show master {bridge}")).stdout;
    text.lines().map(str::to_owned).collect()
}

/// Waits until `bridge` has `count` ports.
pub fn wait_for_ports(host: &TestHost, bridge: &str, count: usize) {
    let what = format!("{count} ports of {bridge}");
    eventually(&what, || (ports(host, bridge).len() == count).then_some(()));
}

/// Starts a web server in a running container, on port `port`.
pub fn serve(client: &Client<'_>, container: &str, port: u16) {
    client.ok(&format!("exec -d {container} httpd -f -p {port} -h /var/www"));
    let probe = format!("exec {container} wget -q -O - http://127.0.0.1:{port}/");
    eventually("the web server serves", || (client.run(&probe).status == 0).then_some(()));
}

/// Starts a web server on a host itself; `-vv` makes it print who asks.
pub fn serve_on_host(host: &TestHost, port: u16) -> Running {
    let dir = host.files();
    std::fs::write(dir.join("index.html"), "hello from the host\n").unwrap();
    let dir = dir.display();
    let server = host.spawn([
        "busybox",
        "httpd",
        "-f",
        "-vv",
        "-p",
        &port.to_string(),
        "-h",
        &dir.to_string(),
    ]);
    eventually("the web server serves", || {
        (get(host, &format!("127.0.0.1:{port}")).status == 0).then_some(())
    });
    server
}

/// Waits until a server of [`serve_on_host`] has told that `address` asked it.
pub fn asked_by(server: &Running, address: &str) {
    let what = format!("a request from {address}");
    eventually(&what, || server.stderr().contains(address).then_some(()));
}

/// Fetches `/` of `authority` from a host, within two seconds.
pub fn get(host: &TestHost, authority: &str) -> Output {
    host.sh(&format!("timeout 2 busybox wget -q -O - http://{authority}/"))
}

/// A machine beside the test host, with no engine.
pub fn neighbour(segment: &Segment, address: &str) -> TestHost {
    let host = TestHost::with(Options { name: "neighbour".to_owned(), ..Options::default() });
    host.join_segment(segment, "wan0", address);
    host
}

/// The text that hawser says (Docker's of today) or that the dockerd 20.10 of the tests says.
pub fn by_engine<'t>(host: &TestHost, hawser: &'t str, docker20: &'t str) -> &'t str {
    match host.engine() {
        EngineKind::Hawser => hawser,
        EngineKind::Docker => docker20,
    }
}

/// Answers each datagram with itself, in the network namespace of process `pid` of the host.
/// (busybox has no server for UDP; perl-base is on every Debian.)
pub fn echo_datagrams(host: &TestHost, pid: &str, port: u16) -> Running {
    let program = format!(
        "use IO::Socket::INET; $| = 1; \
         my $s = IO::Socket::INET->new(Proto => 'udp', LocalPort => {port}) or die $!; \
         print \"ready\\n\"; while ($s->recv(my $d, 2000)) {{ $s->send($d); }}"
    );
    let server = host.spawn(["nsenter", "-t", pid, "-n", "perl", "-e", &program]);
    server.expect("ready");
    server
}

/// Can the engine start a privileged container here? hawser gives all the capabilities that the
/// machine has; dockerd 20.10 asks for all there are, and fails where the machine has fewer.
pub fn can_be_privileged(host: &TestHost) -> bool {
    let status = host.sh("cat /proc/1/status").ok().stdout;
    let bounds = status.lines().find_map(|line| line.strip_prefix("CapBnd:\t")).unwrap();
    host.engine() == EngineKind::Hawser || bounds.ends_with("1ffffffffff")
}

/// The addresses of an interface in a container, as the kernel has them, link-local ones left out.
pub fn interface_addresses(client: &Client<'_>, container: &str, interface: &str) -> Vec<String> {
    let text = client.ok(&format!("exec {container} ip -o addr show dev {interface}"));
    let address = |line: &str| line.split_whitespace().nth(3).map(str::to_owned);
    text.lines().filter_map(address).filter(|address| !address.starts_with("fe80:")).collect()
}
