//! Name servers of a test host, and questions of its containers.

use hawser_testkit::{Client, Running, TestHost, eventually};

/// Answers every question for an IPv4 address with `answer`, and prints the names it is asked for,
/// and by whom.
const PROGRAM: &str = "use IO::Socket::IP; $| = 1; my ($at, $answer) = @ARGV; \
    my $s = IO::Socket::IP->new(Proto => 'udp', LocalAddr => $at, LocalPort => 53, \
                                GetAddrInfoFlags => 0) or die $@; \
    print \"ready\\n\"; \
    while (defined $s->recv(my $q, 512)) { \
        my ($name, $i) = ('', 12); \
        while (my $n = ord substr($q, $i, 1)) { $name .= substr($q, $i + 1, $n) . '.'; $i += $n + 1; } \
        my $question = substr($q, 12, $i + 5 - 12); \
        my $found = unpack('n', substr($question, -4, 2)) == 1; \
        print \"asked $name by \", $s->peerhost, \"\\n\"; \
        my $reply = substr($q, 0, 2) . pack('n5', 0x8180, 1, $found ? 1 : 0, 0, 0) . $question; \
        $reply .= pack('n3Nn', 0xc00c, 1, 1, 5, 4) . pack('C4', split /\\./, $answer) if $found; \
        $s->send($reply); }";

/// Starts a name server at an address of the host (given to its loopback if it has it not); it
/// answers 192.0.2.`last` to everything.
pub fn name_server(host: &TestHost, address: &str, last: u8) -> Running {
    host.sh(&format!("ip addr add {address}/32 dev lo 2>/dev/null; true")).ok();
    spawn_at(host, &[], address, last)
}

/// The same in a container's namespace, beside what runs there.
pub fn name_server_in(host: &TestHost, container: &str, address: &str, last: u8) -> Running {
    let key = host.docker().inspect(container, "{{.NetworkSettings.SandboxKey}}");
    spawn_at(host, &["nsenter", &format!("--net={key}")], address, last)
}

fn spawn_at(host: &TestHost, before: &[&str], address: &str, last: u8) -> Running {
    let answer = format!("192.0.2.{last}");
    let words = before.iter().copied().chain(["perl", "-e", PROGRAM, address, &answer]);
    let server = host.spawn(words);
    server.expect("ready");
    server
}

/// As [`resolves`], soon.
pub fn comes_to_resolve(client: &Client<'_>, container: &str, name: &str, wanted: &[&str]) {
    let what = format!("{name} is {wanted:?} in {container}");
    eventually(&what, || (resolve(client, container, name) == wanted).then_some(()));
}

/// The host's own resolvers.
pub fn set_host_resolvers(host: &TestHost, text: &str) {
    std::fs::write(host.path("/etc/resolv.conf"), text).unwrap();
}

/// The addresses of a name as a container's resolver gives them, IPv4 and IPv6, in their order;
/// none if there are none or nobody answers.
pub fn resolve(client: &Client<'_>, container: &str, name: &str) -> Vec<String> {
    let said = client.run(&format!("exec {container} nslookup {name}")).stdout;
    let answer = said.split_once("\n\n").map(|(_, answer)| answer).unwrap_or_default();
    let addresses = answer.lines().filter_map(|line| line.strip_prefix("Address"));
    addresses.filter_map(|rest| Some(rest.split_once(": ")?.1.trim().to_owned())).collect()
}

/// A name has these addresses, in this order, at once.
#[track_caller]
pub fn resolves(client: &Client<'_>, container: &str, name: &str, wanted: &[&str]) {
    assert_eq!(resolve(client, container, name), wanted, "{name} in {container}");
}

/// Lines of a container's hosts file that the engine wrote for it, as `address name…`.
pub fn hosts_lines(client: &Client<'_>, container: &str) -> Vec<String> {
    let text = client.ok(&format!("exec {container} cat /etc/hosts"));
    let own = |line: &&str| !line.contains("localhost") && !line.contains("ip6-");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().filter(own).map(words).collect()
}
