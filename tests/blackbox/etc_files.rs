//! Section 3: `/etc/resolv.conf`, `/etc/hosts` and `/etc/hostname` of every network mode, as Docker
//! writes them; and whose they are from then on.

use hawser_testkit::{Client, EngineKind, TestHost};

use crate::name_server::{hosts_lines, set_host_resolvers};

/// The host's: comments, resolvers here and there, lines of other kinds.
const RESOLV_CONF: &str = "# the host's\n\nnameserver 192.0.2.1\nnameserver 127.0.0.1\n\
    nameserver 2001:db8::1\nsearch host.example\noptions timeout:3\nsortlist 192.0.2.0\n";
const HOSTS: &str = "127.0.0.1 localhost\n192.0.2.50 neighbour\n";

fn host() -> TestHost {
    let host = TestHost::new();
    set_host_resolvers(&host, RESOLV_CONF);
    std::fs::write(host.path("/etc/hosts"), HOSTS).unwrap();
    host.start_daemon(&[]);
    host.load_busybox();
    host
}

fn cat(c: &Client<'_>, container: &str, file: &str) -> String {
    c.ok(&format!("exec {container} cat /etc/{file}"))
}

/// What a resolv.conf says, in whatever order, without comments.
fn said(text: &str) -> Vec<&str> {
    let says = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let mut lines: Vec<&str> = text.lines().filter(says).collect();
    lines.sort_unstable();
    lines
}

/// A way to start a container, and what it finds in its files; `ID` stands for its short id.
struct Case {
    flags: &'static str,
    resolv_conf: &'static [&'static str],
    hosts: &'static [&'static str],
    hostname: &'static str,
}

const OF_HOST: &[&str] =
    &["nameserver 192.0.2.1", "options timeout:3", "search host.example", "sortlist 192.0.2.0"];
const NAMED: &[&str] = &[
    "nameserver 127.0.0.11",
    "options timeout:3 ndots:0",
    "search host.example",
    "sortlist 192.0.2.0",
];

const CASES: &[Case] = &[
    Case { flags: "", resolv_conf: OF_HOST, hosts: &["172.17.0.3 ID"], hostname: "ID" },
    Case { flags: "--net net1", resolv_conf: NAMED, hosts: &["10.5.0.2 ID"], hostname: "ID" },
    Case {
        flags: "--net six",
        resolv_conf: NAMED,
        hosts: &["10.6.0.2 ID", "fd00:5::2 ID"],
        hostname: "ID",
    },
    Case { flags: "--net none", resolv_conf: OF_HOST, hosts: &[], hostname: "ID" },
    Case {
        flags: "--net container:base",
        resolv_conf: OF_HOST,
        hosts: &["172.17.0.2 base"],
        hostname: "base",
    },
    Case {
        flags: "--dns 192.0.2.9 --dns-search x.example --dns-opt ndots:2",
        resolv_conf: &["nameserver 192.0.2.9", "options ndots:2", "search x.example"],
        hosts: &["172.17.0.3 ID"],
        hostname: "ID",
    },
    Case {
        flags: "--net net1 --dns 192.0.2.9 --dns-search x.example --dns-opt ndots:2",
        resolv_conf: &["nameserver 127.0.0.11", "options ndots:2", "search x.example"],
        hosts: &["10.5.0.2 ID"],
        hostname: "ID",
    },
    Case {
        flags: "--net net1 --dns 192.0.2.9 --dns-search . --dns-opt edns0",
        resolv_conf: &["nameserver 127.0.0.11", "options edns0 ndots:0"],
        hosts: &["10.5.0.2 ID"],
        hostname: "ID",
    },
    Case {
        flags: "--net none --dns 192.0.2.7 --add-host a:192.0.2.8",
        resolv_conf: &["nameserver 192.0.2.7", "options timeout:3", "search host.example"],
        hosts: &["192.0.2.8 a"],
        hostname: "ID",
    },
    Case {
        flags: "--hostname h.example.org --add-host a:192.0.2.8",
        resolv_conf: OF_HOST,
        hosts: &["192.0.2.8 a", "172.17.0.3 h.example.org h"],
        hostname: "h.example.org",
    },
    Case {
        flags: "--net net1 --hostname h --domainname example.org",
        resolv_conf: NAMED,
        hosts: &["10.5.0.2 h.example.org h"],
        hostname: "h",
    },
];

#[test]
fn of_every_mode() {
    let host = host();
    let c = host.docker();
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("network create --ipv6 --subnet fd00:5::/64 --subnet 10.6.0.0/24 six");
    c.ok("run -itd --name base --hostname base busybox");
    for Case { flags, resolv_conf, hosts, hostname } in CASES {
        c.ok(&format!("run -itd --name c1 {flags} busybox"));
        let id = c.inspect("c1", "{{.Id}}")[..12].to_owned();
        let text = cat(&c, "c1", "resolv.conf");
        let mut found = said(&text);
        let mut wanted = resolv_conf.to_vec();
        if host.engine() == EngineKind::Docker {
            // 20.10 keeps lines of other kinds where it changes nothing, and IPv6 resolvers beside
            // its own name server, which later ones don't.
            found.retain(|line| *line != "nameserver 2001:db8::1");
            if !found.contains(&"sortlist 192.0.2.0") {
                wanted.retain(|line| *line != "sortlist 192.0.2.0");
            }
        } else if flags.contains("--dns ") {
            wanted.push("sortlist 192.0.2.0");
        }
        assert_eq!(found, wanted, "{flags}");
        let wanted: Vec<_> = hosts.iter().map(|line| line.replace("ID", &id)).collect();
        assert_eq!(hosts_lines(&c, "c1"), wanted, "{flags}");
        assert_eq!(cat(&c, "c1", "hostname"), hostname.replace("ID", &id), "{flags}");
        c.ok("rm -f c1");
    }
}

/// With the host's network the files are the host's, word for word, as long as nothing is asked for.
#[test]
fn of_the_hosts_network() {
    let host = host();
    let c = host.docker();
    let run = |flags: &str, file: &str| {
        c.run(&format!("run --rm --net host {flags} busybox cat /etc/{file}")).ok().stdout
    };
    assert_eq!(run("", "resolv.conf"), RESOLV_CONF);
    assert_eq!(run("", "hosts"), HOSTS);
    assert_eq!(run("", "hostname"), "testhost\n");
    assert_eq!(run("--hostname other", "hostname"), "other\n");
    let told = run("--dns 192.0.2.7", "resolv.conf");
    let servers: Vec<_> = told.lines().filter(|l| l.starts_with("nameserver")).collect();
    assert_eq!(servers, ["nameserver 192.0.2.7"]);
    // Behind systemd's stub are others; whoever has the host's network reaches the stub.
    let stub = "nameserver 127.0.0.53\noptions edns0 trust-ad\n";
    set_host_resolvers(&host, stub);
    host.sh("mkdir -p /run/systemd/resolve && \
             echo nameserver 192.0.2.33 > /run/systemd/resolve/resolv.conf")
        .ok();
    host.restart_daemon();
    assert_eq!(run("", "resolv.conf"), stub);
    let own = c.ok("run --rm busybox cat /etc/resolv.conf");
    assert_eq!(said(&own), ["nameserver 192.0.2.33"]);
}

#[test]
fn the_first_lines_of_a_hosts_file() {
    let host = host();
    let c = host.docker();
    let local = "127.0.0.1\tlocalhost\n";
    let six = "::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n\
               ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";
    let hosts = |flags: &str| {
        c.run(&format!("run --rm --hostname h {flags} busybox cat /etc/hosts")).ok().stdout
    };
    // 20.10 wrote zeros that mean nothing, and wrote them where there is no IPv6, too.
    let (six, without) = match host.engine() {
        EngineKind::Hawser => (six.to_owned(), ""),
        EngineKind::Docker => (six.replace("00::\t", "00::0\t"), "not this"),
    };
    assert_eq!(hosts(""), format!("{local}{six}172.17.0.2\th\n"));
    if without.is_empty() {
        let off = hosts("--sysctl net.ipv6.conf.all.disable_ipv6=1");
        assert_eq!(off, format!("{local}172.17.0.2\th\n"));
    }
}

/// Files that the user has mounted are his own, on the host as well; what he has edited stays.
#[test]
fn a_users_files_stay() {
    let host = host();
    let c = host.docker();
    let mine = |name: &str| {
        let path = host.files().join(name);
        std::fs::write(&path, format!("# my {name}\n")).unwrap();
        format!("-v {}:/etc/{name}", path.display())
    };
    let mounts = ["resolv.conf", "hosts", "hostname"].map(mine).join(" ");
    let whole = |container: &str| {
        for name in ["resolv.conf", "hosts", "hostname"] {
            assert_eq!(cat(&c, container, name), format!("# my {name}"));
            let text = std::fs::read_to_string(host.files().join(name)).unwrap();
            assert_eq!(text, format!("# my {name}\n"));
        }
    };
    c.ok("network create net1");
    c.ok("network create net2");
    c.ok(&format!("run -itd --name mounts --net net1 {mounts} busybox"));
    whole("mounts");
    c.ok("network connect net2 mounts");
    c.ok("restart -t 0 mounts");
    host.restart_daemon();
    whole("mounts");
    // A new network, a new start, a new daemon and other resolvers of the host.
    c.ok("run -itd --name edits busybox");
    c.ok("run -itd --name leaves busybox");
    c.ok("exec edits sh -c 'echo nameserver 192.0.2.66 > /etc/resolv.conf'");
    set_host_resolvers(&host, "nameserver 192.0.2.2\n");
    c.ok("restart -t 0 edits leaves");
    assert_eq!(said(&cat(&c, "leaves", "resolv.conf")), ["nameserver 192.0.2.2"]);
    if host.engine() == EngineKind::Hawser {
        // Docker writes the file anew at each start.
        assert_eq!(cat(&c, "edits", "resolv.conf"), "nameserver 192.0.2.66");
        host.restart_daemon();
        c.ok("restart -t 0 edits");
        assert_eq!(cat(&c, "edits", "resolv.conf"), "nameserver 192.0.2.66");
        c.ok("network connect net1 edits");
        assert_eq!(cat(&c, "edits", "resolv.conf"), "nameserver 192.0.2.66");
    }
}
