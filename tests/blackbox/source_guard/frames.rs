//! Frames made by hand, sent from inside a container, and heard where they come out.
//!
//! In: addresses and what to say of them. Out: bytes, and which of many frames came out. Packet
//! sockets are opened by perl, which every Debian has.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hawser_testkit::TestHost;

pub type Mac = [u8; 6];
pub type Frame = Vec<u8>;

pub const ARP: u16 = 0x0806;
pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86dd;
/// For experiments (IEEE 802): nobody looks at it.
pub const OTHER: u16 = 0x88b5;

/// A packet socket on a link: frames in hexadecimal from its input are sent, and then frames that
/// come in are printed, until one is the last.
const SOCKET: &str = r#"
    $| = 1; my ($link, $last) = @ARGV;
    socket(my $s, 17, 3, 0x0300) or die "socket: $!";
    my $request = pack("a16 i x12", $link, 0);
    ioctl($s, 0x8933, $request) or die "$link: $!"; # SIOCGIFINDEX
    my $index = unpack("x16 i", $request);
    bind($s, pack("S n i S C C a8", 17, 3, $index, 0, 0, 0, "")) or die "bind: $!";
    print "ready\n";
    while (defined $last) {
        my $from = recv($s, my $data, 2000, 0) or die "recv: $!";
        next if unpack("x10 C", $from) == 4; # outgoing
        last if unpack("H*", $data) =~ /^$last/;
        print unpack("H*", $data), "\n";
    }
    while (my $frame = <STDIN>) { chomp $frame; defined send($s, pack("H*", $frame), 0) or die "send: $!" }
"#;

/// A link in a namespace: of a process, or the host's own.
pub struct Nic<'h> {
    pub host: &'h TestHost,
    pub pid: Option<String>,
    pub link: String,
}

impl Nic<'_> {
    fn words(&self, last: Option<&str>) -> Vec<String> {
        let pid = self.pid.iter().map(|pid| format!("-t{pid}"));
        let enter = pid.flat_map(|pid| ["nsenter".to_owned(), pid, "-n".to_owned()]);
        let perl = ["perl", "-e", SOCKET, "--", &self.link].map(str::to_owned);
        enter.chain(perl).chain(last.map(str::to_owned)).collect()
    }

    fn send(&self, frames: &[Frame]) {
        let lines: String = frames.iter().map(|frame| hex(frame) + "\n").collect();
        self.host.run_with_input(self.words(None), Some(lines.as_bytes())).ok();
    }
}

/// Sends frames at one place and says which of them came out at another; `last` sends a frame of
/// its own to there afterwards, which nothing stops.
pub fn arrivals(
    from: &Nic<'_>,
    to: &Nic<'_>,
    last: (&Nic<'_>, Frame),
    frames: &[Frame],
) -> Vec<bool> {
    let heard = to.host.spawn(to.words(Some(&hex(&last.1))));
    heard.expect("ready");
    from.send(frames);
    std::thread::sleep(Duration::from_millis(100));
    last.0.send(&[last.1]);
    let heard = heard.finish().ok().stdout;
    frames.iter().map(|frame| heard.lines().any(|line| line == hex(&untagged(frame)))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

/// As a packet socket shows it: tags are put aside.
fn untagged(frame: &[u8]) -> Frame {
    match frame[12..14] {
        [0x81, 0x00] | [0x88, 0xa8] => [&frame[..12], &frame[16..]].concat(),
        _ => frame.to_vec(),
    }
}

pub fn mac(text: &str) -> Mac {
    let bytes: Vec<u8> = text.split(':').map(|b| u8::from_str_radix(b, 16).unwrap()).collect();
    bytes.try_into().unwrap()
}

pub fn ethernet(to: Mac, from: Mac, kind: u16, payload: &[u8]) -> Frame {
    [&to[..], &from, &kind.to_be_bytes(), payload].concat()
}

/// With a tag of network 0, which everybody takes off.
pub fn tagged(frame: &[u8], kind: u16) -> Frame {
    [&frame[..12], &kind.to_be_bytes(), &[0, 0], &frame[12..]].concat()
}

/// RFC 826: 1 asks, 2 answers.
pub fn arp(operation: u8, sender: (Mac, Ipv4Addr), target: (Mac, Ipv4Addr)) -> Vec<u8> {
    let head = [0, 1, 8, 0, 6, 4, 0, operation];
    [&head[..], &sender.0, &sender.1.octets(), &target.0, &target.1.octets()].concat()
}

/// RFC 791, with the sum that bridges check.
pub fn ipv4(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (20 + payload.len() as u16).to_be_bytes();
    let mut head = [&[0x45, 0, high, low, 0, 1, 0, 0, 64, protocol, 0, 0][..]].concat();
    head.extend([from.octets(), to.octets()].concat());
    let words = head.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
    let sum: u32 = words.sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    head[10..12].copy_from_slice(&sum.to_be_bytes());
    [head, payload.to_vec()].concat()
}

/// RFC 8200.
pub fn ipv6(from: Ipv6Addr, to: Ipv6Addr, next: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    let head = [0x60, 0, 0, 0, high, low, next, 255];
    [&head[..], &from.octets(), &to.octets(), payload].concat()
}

/// RFC 768; receivers here don't check sums.
pub fn udp(from: u16, to: u16) -> Vec<u8> {
    [from.to_be_bytes(), to.to_be_bytes(), [0, 12], [0, 0], *b"ha", *b"ws"].concat()
}

/// The first packet of a connection to port `port`.
pub fn tcp(from: Ipv4Addr, to: Ipv4Addr, port: u16) -> Vec<u8> {
    ipv4(from, to, 6, &syn(&[from.octets(), to.octets()].concat(), port))
}

/// The same of IPv6.
pub fn tcp6(from: Ipv6Addr, to: Ipv6Addr, port: u16) -> Vec<u8> {
    ipv6(from, to, 6, &syn(&[from.octets(), to.octets()].concat(), port))
}

/// RFC 9293: its sum is right, since connection tracking looks at it.
fn syn(addresses: &[u8], port: u16) -> [u8; 20] {
    let mut header = [0; 20];
    header[..2].copy_from_slice(&1000_u16.to_be_bytes());
    header[2..4].copy_from_slice(&port.to_be_bytes());
    header[12..16].copy_from_slice(&[5 << 4, 2, 0xff, 0xff]);
    let words = addresses.chunks(2).chain(header.chunks(2));
    let sum: u32 = words.map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let sum = sum + 6 + header.len() as u32;
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    header[16..18].copy_from_slice(&sum.to_be_bytes());
    header
}

/// RFC 4443: a type, its four reserved bytes, the rest.
pub fn icmp(kind: u8, rest: &[u8]) -> Vec<u8> {
    [&[kind, 0, 0, 0, 0, 0, 0, 0], rest].concat()
}

/// RFC 4861: an advertisement (or solicitation) about a target, with a link-layer address.
pub fn neighbour(kind: u8, target: Ipv6Addr, option: u8, station: Mac) -> Vec<u8> {
    icmp(kind, &[&target.octets()[..], &[option, 1], &station].concat())
}
