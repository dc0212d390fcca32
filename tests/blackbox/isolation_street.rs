//! The scene of the isolation tests: a host that forwards whatever it may, its networks, and a
//! neighbour who routes to their containers through it. Servers say who asked them; many ways in are
//! tried at a time, over both families.

use hawser_testkit::{Client, EngineKind, Running, Segment, TestHost, eventually};

use crate::seen::neighbour;

/// Answers on each port given, over TCP and UDP, IPv4 and IPv6, and prints who asked where.
/// (perl-base is on every Debian; busybox has no server for UDP.)
const SERVER: &str = r#"
    use Socket qw(:all); $| = 1; my (%all, $wait);
    for my $port (@ARGV) { for my $type (SOCK_STREAM, SOCK_DGRAM) {
        socket(my $s, AF_INET6, $type, 0) or die $!;
        setsockopt($s, IPPROTO_IPV6, IPV6_V6ONLY, pack("i", 0));
        setsockopt($s, SOL_SOCKET, SO_REUSEADDR, pack("i", 1));
        bind($s, pack_sockaddr_in6($port, IN6ADDR_ANY)) or die "$port: $!";
        listen($s, 99) if $type == SOCK_STREAM;
        $all{fileno $s} = [$s, $type, $port]; vec($wait, fileno $s, 1) = 1;
    } }
    sub asked { my ($type, $port, $who) = @_; my (undef, $ip) = unpack_sockaddr_in6($who);
        my $name = inet_ntop(AF_INET6, $ip); $name =~ s/^::ffff://;
        print $type == SOCK_STREAM ? "tcp" : "udp", " $port from $name\n"; }
    print "ready\n";
    while (1) {
        select(my $ready = $wait, undef, undef, undef);
        for (keys %all) {
            next unless vec($ready, $_, 1); my ($s, $type, $port) = @{$all{$_}};
            if ($type == SOCK_DGRAM) {
                my $who = recv($s, my $data, 2000, 0); asked($type, $port, $who); send($s, $data, 0, $who);
            } else {
                my $who = accept(my $c, $s) or next; asked($type, $port, $who);
                sysread($c, my $data, 7); syswrite($c, $data);
            }
        }
    }
"#;

/// Tries `tcp ADDRESS PORT`, `udp ADDRESS PORT` or `icmp ADDRESS`, and prints it when it is answered.
const PROBE: &str = r#"
    probe() {
        if [ $1 = icmp ]; then ping -n -c 1 -W 2 $2 > /dev/null 2>&1
        else [ "$(timeout 2 bash -c "exec 3<>/dev/$1/$2/$3; printf ping-me >&3; head -c 7 <&3")" = ping-me ]
        fi && echo "$*"
    } 2> /dev/null
"#;

/// A place that packets come from or go to: a host, or the inside of a container of it.
pub struct Place<'h> {
    host: &'h TestHost,
    pid: Option<String>,
}

impl<'h> Place<'h> {
    pub fn host(host: &'h TestHost) -> Place<'h> {
        Place { host, pid: None }
    }

    /// With all that root can do there, whatever capabilities the container has.
    pub fn container(host: &'h TestHost, name: &str) -> Place<'h> {
        Place { host, pid: Some(host.docker().inspect(name, "{{.State.Pid}}")) }
    }

    fn words<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let enter = self.pid.as_ref().map(|pid| ["nsenter", "--net", "--target", pid]);
        enter.into_iter().flatten().chain(words.iter().copied()).collect()
    }

    /// Runs a line of shell here.
    #[track_caller]
    pub fn sh(&self, line: &str) -> String {
        self.host.run(self.words(&["sh", "-c", line])).ok().text()
    }

    /// Starts a server on some ports of this place.
    #[track_caller]
    pub fn serve(&self, ports: &[&str]) -> Running {
        let program = ["perl", "-e", SERVER];
        let all: Vec<_> = program.iter().chain(ports).copied().collect();
        let server = self.host.spawn(self.words(&all));
        server.expect("ready");
        server
    }

    /// Which of the ways are answered, in their order.
    pub fn reaches<'w>(&self, ways: &[&'w str]) -> Vec<&'w str> {
        let tries: String = ways.iter().map(|way| format!("probe {way} &\n")).collect();
        let answered = self.host.run(self.words(&["bash", "-c", &format!("{PROBE}{tries}wait")]));
        let answered: Vec<&str> = answered.stdout.lines().collect();
        ways.iter().filter(|way| answered.contains(way)).copied().collect()
    }

    /// All the ways are answered, if need be some time later.
    #[track_caller]
    pub fn reaches_all(&self, ways: &[&str]) {
        let mut last = Vec::new();
        for _ in 0..3 {
            last = self.reaches(ways);
            if last == ways {
                return;
            }
        }
        panic!("reached are only {last:?} of {ways:?}");
    }

    /// None of the ways is answered.
    #[track_caller]
    pub fn reaches_none(&self, ways: &[&str]) {
        assert_eq!(self.reaches(ways), Vec::<&str>::new());
    }

    /// Counts packets that match `what` (`ip daddr 127.0.0.1`) as they come in by `link`, before
    /// anything else sees them.
    pub fn count(&self, link: &str, what: &str) -> Counter<'_, 'h> {
        let name = format!("{link}_{}", what.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
        self.sh(&format!(
            "nft 'table netdev {name} {{ chain c {{ type filter hook ingress device {link} priority 0; \
             {what} counter; }}; }}'"
        ));
        Counter { place: self, name }
    }
}

/// Packets that came in.
pub struct Counter<'p, 'h> {
    place: &'p Place<'h>,
    name: String,
}

impl Counter<'_, '_> {
    pub fn packets(&self) -> u32 {
        let text = self.place.sh(&format!("nft list table netdev {}", self.name));
        let (_, rest) = text.split_once("counter packets ").unwrap();
        rest.split(' ').next().unwrap().parse().unwrap()
    }
}

/// The host at 10.99.0.2 and fd99::2, the neighbour at .3. Networks: `red`, 10.5.1.0/24 and
/// fd05:1::/64, and `blue`, 10.5.2.0/24 and fd05:2::/64, if a test makes them.
pub struct Street {
    pub host: TestHost,
    pub neighbour: TestHost,
    _segment: Segment,
}

/// What the neighbours' administrator would need, and ours should not have done.
const OPEN: &str = "echo 1 > /proc/sys/net/ipv4/ip_forward; \
                    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; \
                    nft 'table inet theirs { chain f { type filter hook forward priority 0; policy accept; }; }'";

impl Street {
    /// None with the dockerd that the tests are proven with: it lets in what it should not.
    pub fn new(flags: &[&str]) -> Option<Street> {
        if EngineKind::from_environment() == EngineKind::Docker {
            return None;
        }
        let segment = Segment::new();
        let neighbour = neighbour(&segment, "10.99.0.3/24");
        let host = TestHost::running_with(flags);
        host.join_segment(&segment, "wan0", "10.99.0.2/24");
        host.sh(&format!("ip -6 addr add fd99::2/64 dev wan0 nodad; {OPEN}")).ok();
        neighbour
            .sh(
                "ip -6 addr add fd99::3/64 dev wan0 nodad; ip route add 10.5.0.0/16 via 10.99.0.2; \
                 ip -6 route add fd05::/16 via fd99::2",
            )
            .ok();
        let street = Street { host, neighbour, _segment: segment };
        Place::host(&street.neighbour).reaches_all(&["icmp 10.99.0.2", "icmp fd99::2"]);
        Some(street)
    }

    pub fn client(&self) -> Client<'_> {
        self.host.docker()
    }

    /// Makes network `red` or `blue`, as number 1 or 2.
    pub fn network(&self, name: &str, options: &str) {
        let number = if name == "red" { 1 } else { 2 };
        self.client().ok(&format!(
            "network create --subnet 10.5.{number}.0/24 --ipv6 --subnet fd05:{number}::/64 {options} {name}"
        ));
    }

    /// Runs container `name` that does nothing by itself.
    pub fn run(&self, name: &str, options: &str) -> Place<'_> {
        self.client().ok(&format!("run -d --name {name} {options} busybox sleep 1000"));
        Place::container(&self.host, name)
    }

    pub fn outside(&self) -> Place<'_> {
        Place::host(&self.neighbour)
    }

    pub fn inside(&self) -> Place<'_> {
        Place::host(&self.host)
    }
}

/// Waits until a server has said `line`.
#[track_caller]
pub fn heard(server: &Running, line: &str) {
    eventually(line, || server.stdout().contains(line).then_some(()));
}

/// The host's end of the wire of a container that has one.
pub fn port_of(host: &TestHost, name: &str) -> String {
    let id = "{{range .NetworkSettings.Networks}}{{.EndpointID}}{{end}}";
    let endpoint = format!("alias hawser endpoint {}", host.docker().inspect(name, id));
    let links = host.sh("ip -o link").ok().stdout;
    let link = links.lines().find(|line| line.contains(&endpoint)).unwrap();
    link.split(": ").nth(1).unwrap().split('@').next().unwrap().to_owned()
}
