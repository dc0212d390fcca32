//! The daemon's flags and configuration file: dockerd's names, seen in what containers get.

use hawser_testkit::{Cli, EngineKind, TestHost};

#[test]
fn addresses_and_dns() {
    let host = TestHost::running_with(&[
        "--bip",
        "10.200.0.1/24",
        "--fixed-cidr",
        "10.200.0.128/25",
        "--default-address-pool",
        "base=10.210.0.0/16,size=24",
        "--dns",
        "10.1.1.1",
        "--dns-search",
        "example.org",
        "--mtu",
        "1400",
        "--label",
        "rack=3",
    ]);
    let c = host.client(Cli::Docker);
    c.ok("run -d --name c1 busybox sleep 1000");
    let address = c.address("c1");
    let last: u8 = address.strip_prefix("10.200.0.").unwrap().parse().unwrap();
    assert!(last >= 128, "{address}");
    assert!(c.ok("exec c1 ip route").contains("default via 10.200.0.1"));
    let resolv = c.ok("exec c1 cat /etc/resolv.conf");
    assert!(resolv.contains("nameserver 10.1.1.1") && resolv.contains("search example.org"));
    assert_eq!(c.ok("exec c1 cat /sys/class/net/eth0/mtu"), "1400");
    c.ok("network create pooled");
    let subnet = "{{range .IPAM.Config}}{{.Subnet}}{{end}}";
    assert_eq!(c.ok(&format!("network inspect -f '{subnet}' pooled")), "10.210.0.0/24");
    assert_eq!(c.ok("info -f '{{.Labels}}'"), "[rack=3]");
}

#[test]
fn ipv6_on_the_default_bridge() {
    let host = TestHost::running_with(&["--ipv6", "--fixed-cidr-v6", "fd17::/64"]);
    let c = host.client(Cli::Docker);
    assert_eq!(c.ok("network inspect -f '{{.EnableIPv6}}' bridge"), "true");
    c.ok("run -d --name c1 busybox sleep 1000");
    let address = c.inspect("c1", "{{.NetworkSettings.Networks.bridge.GlobalIPv6Address}}");
    assert!(address.starts_with("fd17::"), "{address}");
    c.ok(&format!("run --rm busybox ping -c 1 -W 2 {address}"));
    if host.engine() == EngineKind::Docker {
        return; // it wants to be told a subnet
    }
    let host = TestHost::running_with(&["--ipv6"]);
    let c = host.client(Cli::Docker);
    let subnet = c.ok("network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' bridge");
    let six = subnet.split_whitespace().find(|net| net.contains(':')).unwrap().to_owned();
    assert!(six.starts_with("fd") && six.ends_with("/64"), "{six}");
    let gateway = six.replace("/64", "1");
    c.ok(&format!("run --rm busybox ping -c 1 -W 2 {gateway}"));
}

#[test]
fn configuration_file() {
    let host = TestHost::new();
    let file = host.files().join("daemon.json");
    std::fs::write(&file, r#"{ "bip": "10.201.0.1/24", "dns": ["10.2.2.2"], "debug": true }"#)
        .unwrap();
    let flag = format!("--config-file={}", file.display());
    host.start_daemon(&[&flag]);
    host.load_busybox();
    let c = host.client(Cli::Docker);
    assert!(c.ok("run --rm busybox cat /etc/resolv.conf").contains("10.2.2.2"));
    assert!(c.ok("run --rm busybox ip addr").contains("10.201.0.2/24"));
    host.stop_daemon();
    // Said twice, and differently: refused, and the key named.
    std::fs::write(&file, r#"{ "bip": "10.201.0.1/24" }"#).unwrap();
    let refused =
        host.try_start_daemon(&[&flag, "--bip", "10.202.0.1/24"]).unwrap_err().to_string();
    assert!(refused.contains("bip"), "{refused}");
    std::fs::write(&file, r#"{ "no-such-key": 1 }"#).unwrap();
    let refused = host.try_start_daemon(&[&flag]).unwrap_err().to_string();
    assert!(refused.contains("no-such-key"), "{refused}");
    std::fs::write(&file, "{ not json").unwrap();
    assert!(host.try_start_daemon(&[&flag]).is_err());
}

#[test]
fn icc_off_keeps_neighbours_apart() {
    let host = TestHost::running_with(&["--icc=false"]);
    let c = host.client(Cli::Docker);
    c.ok("run -d --name c1 busybox sleep 1000");
    c.ok("run -d --name c2 busybox sleep 1000");
    c.ok("exec c1 ping -c 1 -W 2 172.17.0.1");
    if host.engine() == EngineKind::Hawser {
        // dockerd's way needs br_netfilter, which this machine may not have.
        let neighbour = c.address("c2");
        assert_ne!(c.run(&format!("exec c1 ping -c 1 -W 1 {neighbour}")).status, 0);
    }
}

#[test]
fn sockets() {
    let host = TestHost::new();
    let socket = host.engine().socket();
    let flags = ["-H", &format!("unix://{socket}"), "-H", "tcp://127.0.0.1:2375"];
    host.start_daemon(&flags);
    let over_tcp = host.sh("docker -H tcp://127.0.0.1:2375 version -f '{{.Server.Os}}'");
    assert_eq!(over_tcp.ok().text(), "linux");
    host.stop_daemon();
    // Nobody is to reach the engine from outside by mistake.
    if host.engine() == EngineKind::Hawser {
        let refused = host.try_start_daemon(&["-H", "tcp://0.0.0.0:2375"]).unwrap_err().to_string();
        assert!(refused.to_lowercase().contains("tls"), "{refused}");
    }
}

#[test]
fn flags_without_meaning_here_are_accepted() {
    let host = TestHost::new();
    if host.engine() == EngineKind::Docker {
        return; // some came after 20.10
    }
    host.start_daemon(&[
        "--containerd=/run/containerd.sock",
        "--storage-driver=overlay2",
        "--firewall-backend=nftables",
        "--userland-proxy=false",
        "--iptables=true",
        "--ip6tables=true",
        "--ip-forward=true",
        "--ip-masq=true",
        "--live-restore",
        "--experimental",
        "--default-ipc-mode=private",
        "--feature=containerd-snapshotter=false",
    ]);
    host.load_busybox();
    assert_eq!(host.docker().ok("run --rm busybox echo yes"), "yes");
    assert!(host.daemon_log().contains("containerd"), "{}", host.daemon_log());
}

#[test]
fn what_containers_say_is_nobody_elses_business() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // its directories are elsewhere
    }
    host.docker().ok("run -d -e SECRET=1 busybox sleep 1000");
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    for directory in ["/var/lib/hawser", "/run/hawser/containers", "/run/hawser/runtime"] {
        assert!(host.sh(&format!("{nobody} ls {directory}/.")).status != 0, "{directory}");
        assert_eq!(host.sh(&format!("ls {directory}/.")).status, 0, "{directory}");
    }
}

#[test]
fn runtimes() {
    let host = TestHost::new();
    if host.engine() == EngineKind::Docker {
        return; // it knows runc alone
    }
    host.start_daemon(&["--add-runtime", "mine=/usr/bin/crun"]);
    host.load_busybox();
    let c = host.client(Cli::Docker);
    for runtime in ["crun", "runc", "mine"] {
        assert_eq!(c.ok(&format!("run --rm --runtime {runtime} busybox echo yes")), "yes");
    }
}

#[test]
fn an_existing_bridge_is_used_as_it_is() {
    let host = TestHost::new();
    let make =
        "ip link add br7 type bridge && ip addr add 10.77.0.1/24 dev br7 && ip link set br7 up";
    assert_eq!(host.sh(make).status, 0);
    host.start_daemon(&["--bridge", "br7"]);
    host.load_busybox();
    let c = host.client(Cli::Docker);
    assert!(c.ok("run --rm busybox ip route").contains("default via 10.77.0.1"));
    c.ok("run --rm busybox ping -c 1 10.77.0.1");
    host.stop_daemon();
    let bridge = host.sh("ip -o -4 addr show br7").stdout;
    assert!(bridge.contains("10.77.0.1/24"), "{bridge}");
    assert!(!host.sh("ip link").stdout.contains("hawser0"));
}

#[test]
fn completions_are_generated() {
    let host = TestHost::new();
    let c = host.client(Cli::Hawser);
    for (shell, word) in
        [("bash", "complete"), ("zsh", "#compdef hawser"), ("fish", "complete -c hawser")]
    {
        assert!(c.ok(&format!("completion {shell}")).contains(word), "{shell}");
    }
}
