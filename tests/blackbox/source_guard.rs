//! What a container with CAP_NET_RAW can't send (`hawser.source_guard`): frame by frame from inside
//! of one, as heard by its neighbour. Docker has nothing like it.

mod frames;

use std::net::{Ipv4Addr, Ipv6Addr};

use hawser_testkit::{Cli, Client, EngineKind, TestHost};

use frames::{
    ARP, Frame, IPV4, IPV6, Mac, Nic, OTHER, arp, arrivals, ethernet, icmp, ipv4, ipv6, mac,
    neighbour, tagged, tcp, tcp6, udp,
};

const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// A container as the wire knows it.
struct Station {
    mac: Mac,
    ip: Ipv4Addr,
    ip6: Ipv6Addr,
    link_local: Ipv6Addr,
}

impl Station {
    fn of(c: &Client<'_>, name: &str) -> Self {
        let field = |field: &str| {
            c.inspect(
                name,
                &format!("{{{{range .NetworkSettings.Networks}}}}{{{{.{field}}}}}{{{{end}}}}"),
            )
        };
        let mac = mac(&field("MacAddress"));
        let [a, b, c, d, e, f] = mac;
        let link_local = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f].into();
        let ip = field("IPAddress").parse().unwrap_or(Ipv4Addr::UNSPECIFIED);
        let ip6 = field("GlobalIPv6Address").parse().unwrap_or(Ipv6Addr::UNSPECIFIED);
        Self { mac, ip, ip6, link_local }
    }
}

/// A host with a network `n` of both families on bridge `brn`, and containers c1, c2, c3 on it.
fn scene(host: &TestHost, options: &str) {
    let c = host.client(Cli::Docker);
    c.ok(&format!(
        "network create -o com.docker.network.bridge.name=brn {options} \
         --ipv6 --subnet 10.7.0.0/24 --subnet fd07::/64 n"
    ));
    let sysctl = "--sysctl net.ipv4.ip_forward=1";
    for name in ["c1", "c2", "c3"] {
        c.ok(&format!(
            "run -d --name {name} --net n --cap-add NET_ADMIN {sysctl} busybox sleep 999"
        ));
    }
}

/// Which of these frames of c1 come to c2.
fn from_c1_to_c2(host: &TestHost, frames: &[Frame]) -> Vec<bool> {
    let c = host.client(Cli::Docker);
    let nic = |name: &str| {
        let pid = Some(c.inspect(name, "{{.State.Pid}}"));
        Nic { host, pid, link: "eth0".to_owned() }
    };
    let bridge = Nic { host, pid: None, link: "brn".to_owned() };
    let address = host.sh("cat /sys/class/net/brn/address").ok().text();
    let last = ethernet(Station::of(&c, "c2").mac, mac(&address), OTHER, b"the last one");
    arrivals(&nic("c1"), &nic("c2"), (&bridge, last), frames)
}

type Named = Vec<(&'static str, Frame)>;

fn gateway(host: &TestHost) -> Mac {
    mac(&host.sh("cat /sys/class/net/brn/address").ok().text())
}

const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 1);
const GATEWAY6: Ipv6Addr = Ipv6Addr::new(0xfd07, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// What pretends to be somebody else, or tells others where to send.
fn forged(host: &TestHost) -> Named {
    let c = host.client(Cli::Docker);
    let [me, you, other] = ["c1", "c2", "c3"].map(|name| Station::of(&c, name));
    let gateway = gateway(host);
    let to_you = |kind: u16, payload: &[u8]| ethernet(you.mac, me.mac, kind, payload);
    let says = |operation, mac, ip| to_you(ARP, &arp(operation, (mac, ip), (you.mac, you.ip)));
    let four =
        |from, protocol, payload: &[u8]| to_you(IPV4, &ipv4(from, you.ip, protocol, payload));
    let six = |from, next, payload: &[u8]| to_you(IPV6, &ipv6(from, you.ip6, next, payload));
    let answer = |target| neighbour(136, target, 2, me.mac);
    let advertised = icmp(134, &[0; 8]);
    // Behind options for the destination (RFC 7113 is about these).
    let hidden = [&[ICMPV6, 0, 1, 4, 0, 0, 0, 0][..], &advertised].concat();
    let (own, own6) = (tcp(me.ip, you.ip, 1005), tcp6(me.ip6, you.ip6, 1006));
    let unicast = [
        ("a neighbour's station", ethernet(you.mac, other.mac, OTHER, b"neighbour")),
        ("the gateway's station", ethernet(you.mac, gateway, OTHER, b"gateway")),
        ("a station that is not there", ethernet(you.mac, [2, 0, 0, 0, 0, 9], OTHER, b"flood")),
        ("ARP answer for the gateway", says(2, me.mac, GATEWAY)),
        ("ARP answer for a neighbour", says(2, me.mac, other.ip)),
        ("ARP question as the gateway", says(1, me.mac, GATEWAY)),
        ("ARP answer with a neighbour's station", says(2, other.mac, me.ip)),
        ("the same with a tag", tagged(&says(2, me.mac, GATEWAY), 0x8100)),
        ("with a provider's tag", tagged(&says(2, me.mac, other.ip), 0x88a8)),
        ("a neighbour's address", four(other.ip, UDP, &udp(1000, 1001))),
        ("the gateway's address", four(GATEWAY, UDP, &udp(1000, 1002))),
        ("an address of elsewhere", four([192, 0, 2, 9].into(), UDP, &udp(1000, 1003))),
        ("no address", four(Ipv4Addr::UNSPECIFIED, UDP, &udp(1000, 1004))),
        ("ICMP redirect", four(me.ip, ICMP, &icmp(5, &[10, 7, 0, 2, 0, 0, 0, 0]))),
        ("DHCP answer", four(me.ip, UDP, &udp(67, 68))),
        ("a neighbour's IPv6 address", six(other.ip6, UDP, &udp(1000, 1005))),
        ("a neighbour's link-local one", six(other.link_local, UDP, &udp(1000, 1006))),
        ("an IPv6 address of elsewhere", six("2001:db8::9".parse().unwrap(), UDP, &udp(1, 2))),
        ("advertisement for the gateway", six(me.ip6, ICMPV6, &answer(GATEWAY6))),
        ("for a neighbour", six(me.link_local, ICMPV6, &answer(other.ip6))),
        ("question as a neighbour", six(other.ip6, ICMPV6, &neighbour(135, you.ip6, 1, me.mac))),
        ("router advertisement", six(me.link_local, ICMPV6, &advertised)),
        ("the same behind options", six(me.link_local, 60, &hidden)),
        ("ICMPv6 redirect", six(me.link_local, ICMPV6, &icmp(137, &[0; 32]))),
        ("TCP under a neighbour's address", to_you(IPV4, &tcp(other.ip, you.ip, 1001))),
        ("under the gateway's", to_you(IPV4, &tcp(GATEWAY, you.ip, 1002))),
        ("under a neighbour's station", ethernet(you.mac, other.mac, IPV4, &own)),
        ("TCP with a tag", tagged(&to_you(IPV4, &own), 0x8100)),
        ("TCP under a neighbour's IPv6 address", to_you(IPV6, &tcp6(other.ip6, you.ip6, 1003))),
        ("under its link-local one", to_you(IPV6, &tcp6(other.link_local, you.ip6, 1004))),
        ("under its station", ethernet(you.mac, other.mac, IPV6, &own6)),
        ("DHCPv6 answer", six(me.link_local, UDP, &udp(547, 546))),
    ];
    let nobody = ipv6(Ipv6Addr::UNSPECIFIED, ALL_NODES, ICMPV6, &answer(GATEWAY6));
    let everybody = arp(1, (me.mac, GATEWAY), ([0; 6], GATEWAY));
    let to_all = [
        ("advertisement of nobody", ethernet([0x33, 0x33, 0, 0, 0, 1], me.mac, IPV6, &nobody)),
        ("ARP for all", ethernet([0xff; 6], me.mac, ARP, &everybody)),
    ];
    unicast.into_iter().chain(to_all).collect()
}

/// What everybody may say.
fn honest(host: &TestHost) -> Named {
    let c = host.client(Cli::Docker);
    let [me, you] = ["c1", "c2"].map(|name| Station::of(&c, name));
    let to_you = |kind: u16, payload: &[u8]| ethernet(you.mac, me.mac, kind, payload);
    let to_all = |kind: u16, payload: &[u8]| ethernet([0xff; 6], me.mac, kind, payload);
    // For whom it knows, the bridge answers itself.
    let says = |operation, ip| arp(operation, (me.mac, ip), ([0; 6], [10, 7, 0, 77].into()));
    let six = |from, payload: &[u8]| to_you(IPV6, &ipv6(from, you.ip6, ICMPV6, payload));
    let group: Ipv6Addr = "ff02::1:ff00:77".parse().unwrap();
    let probe = icmp(135, &"fd07::77".parse::<Ipv6Addr>().unwrap().octets());
    let asked = ipv6(Ipv6Addr::UNSPECIFIED, group, ICMPV6, &probe);
    let mdns = ipv4(me.ip, [224, 0, 0, 251].into(), UDP, &udp(5353, 5353));
    let shout = ipv4(me.ip, [255, 255, 255, 255].into(), UDP, &udp(1000, 1001));
    let four = ipv4(me.ip, you.ip, UDP, &udp(1000, 1001));
    vec![
        ("own station", to_you(OTHER, b"honest")),
        ("ARP question", to_all(ARP, &says(1, me.ip))),
        ("ARP answer", to_you(ARP, &says(2, me.ip))),
        ("ARP probe", to_all(ARP, &says(1, Ipv4Addr::UNSPECIFIED))),
        ("own address", to_you(IPV4, &four)),
        ("to a group", ethernet([1, 0, 0x5e, 0, 0, 251], me.mac, IPV4, &mdns)),
        ("to all", to_all(IPV4, &shout)),
        ("own IPv6 address", six(me.ip6, &icmp(128, b"ping"))),
        ("TCP", to_you(IPV4, &tcp(me.ip, you.ip, 1001))),
        ("TCP over IPv6", to_you(IPV6, &tcp6(me.ip6, you.ip6, 1002))),
        ("own link-local one", six(me.link_local, &icmp(128, b"pong"))),
        ("advertisement", six(me.ip6, &neighbour(136, me.ip6, 2, me.mac))),
        ("of the link-local one", six(me.link_local, &neighbour(136, me.link_local, 2, me.mac))),
        ("question", six(me.link_local, &neighbour(135, you.ip6, 1, me.mac))),
        ("is it in use?", ethernet([0x33, 0x33, 0xff, 0, 0, 0x77], me.mac, IPV6, &asked)),
    ]
}

/// Names of those that arrive.
fn arriving(host: &TestHost, named: &Named) -> Vec<&'static str> {
    let frames: Vec<Frame> = named.iter().map(|(_, frame)| frame.clone()).collect();
    let arrived = from_c1_to_c2(host, &frames);
    named.iter().zip(arrived).filter(|(_, came)| *came).map(|((name, _), _)| *name).collect()
}

fn names(named: &Named) -> Vec<&'static str> {
    named.iter().map(|(name, _)| *name).collect()
}

#[test]
fn nobody_takes_anothers_traffic() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return;
    }
    scene(&host, "");
    let (forged, honest) = (forged(&host), honest(&host));
    for bridge_netfilter in ["0", "1"] {
        bridge_nf_call(&host, bridge_netfilter);
        assert_eq!(arriving(&host, &honest), names(&honest));
        assert_eq!(arriving(&host, &forged), Vec::<&str>::new());
    }
    // Nothing was learnt, by the bridge or by a neighbour.
    assert!(!host.sh("bridge fdb show br brn").ok().text().contains("02:00:00:00:00:09"));
    // Turned off while they run, all of it arrives; and on again.
    let h = host.client(Cli::Hawser);
    h.ok("network update --opt hawser.source_guard=false n");
    assert_eq!(arriving(&host, &forged), names(&forged));
    h.ok("network update --opt-rm hawser.source_guard n");
    assert_eq!(arriving(&host, &forged), Vec::<&str>::new());
    host.restart_daemon();
    assert_eq!(arriving(&host, &forged), Vec::<&str>::new());
    assert_eq!(arriving(&host, &honest), names(&honest));
}

fn bridge_nf_call(host: &TestHost, value: &str) {
    for family in ["iptables", "ip6tables"] {
        let name = format!("/proc/sys/net/bridge/bridge-nf-call-{family}");
        // Not there without br_netfilter, and then it is off.
        if value == "1" || host.sh(&format!("test -e {name}")).status == 0 {
            host.sh(&format!("echo {value} > {name}")).ok();
        }
    }
}

/// As users see it: addresses, other hardware addresses, and routers of their own.
#[test]
fn without_it_containers_are_routers_and_more() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return;
    }
    let c = host.client(Cli::Docker);
    c.fails("network create -o hawser.source_guard=perhaps n", 1, "hawser.source_guard");
    scene(&host, "-o hawser.source_guard=false");
    let h = host.client(Cli::Hawser);
    c.ok("exec c1 ip addr add 10.7.0.99/24 dev eth0");
    c.ok("exec c1 ip addr add fd07::99/64 dev eth0");
    let reaches = || {
        ["-I 10.7.0.99 10.7.0.3", "-I fd07::99 fd07::3"]
            .map(|target| c.run(&format!("exec c1 ping -c 1 -W 1 {target}")).status == 0)
    };
    // A neighbour's neighbour, behind a router that runs inside.
    c.ok("network create --subnet 10.8.0.0/24 --internal back");
    c.ok("network connect back c1");
    c.ok("run -d --name behind --net back --cap-add NET_ADMIN busybox sleep 1000");
    c.ok("exec c3 ip route add 10.8.0.0/24 via 10.7.0.2");
    c.ok("exec behind ip route add 10.7.0.0/24 via 10.8.0.2");
    h.ok("network update --opt hawser.source_guard=false back");
    let routes = || c.run("exec behind ping -c 1 -W 1 10.7.0.4").status == 0;
    assert_eq!((reaches(), routes()), ([true, true], true));
    h.ok("network update --opt hawser.source_guard=true n");
    assert_eq!((reaches(), routes()), ([false, false], false));
    c.ok("exec c1 ping -c 1 -W 2 10.7.0.3");
    c.ok("exec c1 ping -I fd07::2 -c 1 -W 2 fd07::3");
}

/// Where nobody gives addresses: anybody may, and each has one station.
#[test]
fn with_addresses_of_others_it_is_the_station_alone() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return;
    }
    let c = host.client(Cli::Docker);
    c.ok("network create --ipam-driver null -o com.docker.network.bridge.name=brn n");
    for name in ["c1", "c2"] {
        c.ok(&format!("run -d --name {name} --net n busybox sleep 1000"));
    }
    let [me, you] = ["c1", "c2"].map(|name| Station::of(&c, name));
    let offered = ipv4([10, 9, 0, 1].into(), [255; 4].into(), UDP, &udp(67, 68));
    let told = arp(1, (me.mac, [10, 9, 0, 1].into()), ([0; 6], [10, 9, 0, 2].into()));
    let frames = [
        ethernet([0xff; 6], me.mac, IPV4, &offered),
        ethernet([0xff; 6], me.mac, ARP, &told),
        ethernet(you.mac, [2, 0, 0, 0, 0, 9], OTHER, b"another"),
    ];
    assert_eq!(from_c1_to_c2(&host, &frames), [true, true, false]);
}

/// Neighbours of a network without icc: nothing passes, whatever bridges do with packets, but to
/// published ports.
#[test]
fn without_icc_neighbours_meet_at_published_ports_alone() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // It needs br_netfilter, and lets through what is no IP packet.
    }
    // The guard off, to see that this is something of its own.
    scene(&host, "-o com.docker.network.bridge.enable_icc=false -o hawser.source_guard=false");
    let c = host.client(Cli::Docker);
    c.ok("run -d --name web --net n -p 8088:80 busybox httpd -f -p 80 -h /var/www");
    host.sh("ip addr add 192.0.2.1/32 dev lo").ok();
    let all: Named = honest(&host).into_iter().chain(forged(&host)).collect();
    let unknown = ethernet([2, 0, 0, 0, 0, 9], Station::of(&c, "c1").mac, OTHER, b"to nobody");
    let all: Named = all.into_iter().chain([("to nobody", unknown)]).collect();
    for bridge_netfilter in ["0", "1"] {
        bridge_nf_call(&host, bridge_netfilter);
        assert_eq!(arriving(&host, &all), Vec::<&str>::new(), "nf-call {bridge_netfilter}");
        for neighbour in ["10.7.0.3", "fd07::3"] {
            assert_ne!(c.run(&format!("exec c1 ping -c 1 -W 1 {neighbour}")).status, 0);
        }
        for gateway in ["10.7.0.1", "fd07::1"] {
            c.ok(&format!("exec c1 ping -c 1 -W 2 {gateway}"));
        }
        for (who, authority) in [
            ("c1", "10.7.0.1:8088"),
            ("c1", "192.0.2.1:8088"),
            ("c1", "[fd07::1]:8088"),
            ("web", "10.7.0.1:8088"),
            ("web", "[fd07::1]:8088"),
        ] {
            let got = c.run(&format!("exec {who} timeout 3 wget -q -O - http://{authority}/"));
            assert_eq!(got.status, 0, "nf-call {bridge_netfilter}: {authority} from {who}");
        }
        assert_ne!(c.run("exec c1 timeout 1 wget -q -O - http://10.7.0.5/").status, 0);
        assert_ne!(c.run("exec c1 timeout 1 wget -q -O - http://[fd07::5]/").status, 0);
    }
}
