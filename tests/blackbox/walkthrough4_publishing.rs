//! Section 4: published ports, in every form that `-p` has.

use hawser_testkit::{Cli, EngineKind, Segment, TestHost, eventually};

use crate::seen::{echo_datagrams, get, neighbour};

with_both_clients!(published, forms, ranges, ephemeral, conflicts, datagrams, two_behind_one);

const WEB: &str = "busybox httpd -f -p 80 -h /var/www";

fn published(cli: Cli) {
    let segment = Segment::new();
    let neighbour = neighbour(&segment, "10.99.0.3/24");
    let host = TestHost::running();
    host.join_segment(&segment, "wan0", "10.99.0.2/24");
    let c = host.client(cli);
    let before = host.inventory();
    c.ok(&format!("run -d --name web1 -p 8088:80 {WEB}"));
    c.ok(&format!("run -d --name web2 -p 8089:80 {WEB}"));
    c.ok(&format!("run -d --name local -p 127.0.0.1:8090:80 {WEB}"));
    eventually("web1 serves", || (get(&host, "127.0.0.1:8088").status == 0).then_some(()));
    for authority in ["127.0.0.1:8088", "127.0.0.1:8089", "10.99.0.2:8088", "172.17.0.1:8088"] {
        assert_eq!(get(&host, authority).ok().text(), "hello from busybox", "{authority}");
    }
    get(&neighbour, "10.99.0.2:8088").ok();
    get(&neighbour, "10.99.0.2:8089").ok();
    // Only on the loopback: not for others.
    get(&host, "127.0.0.1:8090").ok();
    assert_ne!(get(&neighbour, "10.99.0.2:8090").status, 0);
    // A container reaches another, and itself, by the host's address.
    c.ok("exec web2 wget -q -O - http://10.99.0.2:8088/");
    c.ok("exec web1 wget -q -O - http://10.99.0.2:8088/");
    let listed = c.ok("port web1");
    assert!(listed.contains("80/tcp -> 0.0.0.0:8088"), "{listed}");
    assert!(c.ok("port web1 80").contains("0.0.0.0:8088"));
    assert_eq!(c.ok("port local"), "80/tcp -> 127.0.0.1:8090");
    let ps = c.ok("ps --format '{{.Names}} {{.Ports}}'");
    assert!(ps.contains("web1 0.0.0.0:8088->80/tcp"), "{ps}");
    assert!(ps.contains("local 127.0.0.1:8090->80/tcp"), "{ps}");
    c.ok("rm -f web1 web2 local");
    assert_ne!(get(&host, "127.0.0.1:8088").status, 0);
    before.assert_restored(&host);
}

/// Every form, and what `port` says of it. The kernel here may have no SCTP: it is translated all
/// the same.
fn forms(cli: Cli) {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // of IPv6 it publishes less
    }
    host.sh("ip addr add 192.0.2.7/32 dev lo && ip -6 addr add fd99::7/128 dev lo nodad").ok();
    let c = host.client(cli);
    let before = host.inventory();
    let table = [
        ("8088:80", "80/tcp -> 0.0.0.0:8088\n80/tcp -> [::]:8088"),
        ("8088:80/tcp", "80/tcp -> 0.0.0.0:8088\n80/tcp -> [::]:8088"),
        ("8088:80/udp", "80/udp -> 0.0.0.0:8088\n80/udp -> [::]:8088"),
        ("8088:80/sctp", "80/sctp -> 0.0.0.0:8088\n80/sctp -> [::]:8088"),
        ("127.0.0.1:8088:80", "80/tcp -> 127.0.0.1:8088"),
        ("192.0.2.7:8088:80", "80/tcp -> 192.0.2.7:8088"),
        ("0.0.0.0:8088:80", "80/tcp -> 0.0.0.0:8088"),
        ("[::1]:8088:80", "80/tcp -> [::1]:8088"),
        ("[fd99::7]:8088:80", "80/tcp -> [fd99::7]:8088"),
        ("[::]:8088:80", "80/tcp -> [::]:8088"),
        ("published=8088,target=80,protocol=udp", "80/udp -> 0.0.0.0:8088\n80/udp -> [::]:8088"),
    ];
    for (form, shown) in table {
        c.ok(&format!("run -d --name c1 -p {form} busybox sleep 1000"));
        assert_eq!(c.ok("port c1"), shown, "{form}");
        // In use by who has it, also at another address if it is at all of them.
        let again = c.run(&format!("run --rm -p {form} busybox true"));
        again.fails(125, "port is already allocated");
        c.ok("rm -f c1");
    }
    before.assert_restored(&host);
    // One port at several addresses, and over several protocols.
    c.ok("run -d --name c1 -p 127.0.0.1:8088:80 -p 192.0.2.7:8088:81 -p 8088:80/udp busybox sleep 1000");
    let rules = host.sh("nft list map inet hawser publish4").ok().stdout;
    for element in
        ["127.0.0.1 . tcp . 8088 : 172.17.0.2 . 80", "192.0.2.7 . tcp . 8088 : 172.17.0.2 . 81"]
    {
        assert!(rules.contains(element), "{rules}");
    }
    c.ok("run -d --name c2 -p 8088:80/sctp busybox sleep 1000");
    let rules = host.sh("nft list map inet hawser publish_any4").ok().stdout;
    for element in ["udp . 8088 : 172.17.0.2 . 80", "sctp . 8088 : 172.17.0.3 . 80"] {
        assert!(rules.contains(element), "{rules}");
    }
    c.ok("rm -f c1 c2");
    before.assert_restored(&host);
}

/// Ranges on both sides, one of the host's for one port, and what makes no sense.
fn ranges(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    let serve = "busybox httpd -f -p 83 -h /var/www";
    c.ok(&format!("run -d --name all -p 127.0.0.1:8000-8010:80-90 {serve}"));
    let shown = c.ok("port all");
    assert_eq!(shown.lines().count(), 11, "{shown}");
    for port in 0..=10 {
        let line = format!("{}/tcp -> 127.0.0.1:{}", 80 + port, 8000 + port);
        assert!(shown.lines().any(|shown| shown == line), "{line} in {shown}");
    }
    eventually("it serves", || (get(&host, "127.0.0.1:8003").status == 0).then_some(()));
    assert_ne!(get(&host, "127.0.0.1:8004").status, 0);
    let ps = c.ok("ps --format '{{.Ports}}'");
    assert_eq!(ps.matches("->").count(), 11, "{ps}");
    // With the same numbers on both sides it is shown as one.
    c.ok("run -d --name same -p 127.0.0.1:9000-9002:9000-9002 busybox sleep 1000");
    let ps = c.ok("ps --filter name=same --format '{{.Ports}}'");
    assert_eq!(ps, "127.0.0.1:9000-9002->9000-9002/tcp");
    // The first that is free of a range is taken for one port.
    for (name, port) in [("first", 8011), ("second", 8012)] {
        c.ok(&format!("run -d --name {name} -p 127.0.0.1:8010-8012:83 {serve}"));
        assert_eq!(c.ok(&format!("port {name} 83")), format!("127.0.0.1:{port}"));
    }
    let third = c.run(&format!("run --rm -p 127.0.0.1:8010-8012:83 {serve}"));
    assert_eq!(third.status, 125, "{third}");
    // One of a range that is taken: none is published.
    let part = c.run(&format!("run --rm -p 127.0.0.1:7998-8001:80-83 {serve}"));
    part.fails(125, "port is already allocated");
    assert_ne!(get(&host, "127.0.0.1:7999").status, 0);
    for wrong in ["8000-8002:80-81", "8002-8000:80", "70000:80", "1.2.3:80:80", "80:80/icmp"] {
        assert_eq!(c.run(&format!("run --rm -p {wrong} busybox true")).status, 125, "{wrong}");
    }
    c.ok("rm -f all same first second");
    before.assert_restored(&host);
}

/// Two containers that both listen on 80, and one that takes the other's port over.
fn two_behind_one(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let says = |name: &str, port: u16| {
        let page =
            format!("mkdir /srv; echo {name} > /srv/index.html; exec httpd -f -p 80 -h /srv");
        c.ok(&format!("run -d --name {name} -p {port}:80 busybox sh -c '{page}'"));
    };
    let hears = |port: u16, name: &str| {
        eventually(name, || {
            (get(&host, &format!("127.0.0.1:{port}")).text() == name).then_some(())
        });
    };
    says("one", 8088);
    says("two", 8089);
    hears(8088, "one");
    hears(8089, "two");
    c.ok("rm -f one");
    assert_ne!(get(&host, "127.0.0.1:8088").status, 0);
    says("three", 8088);
    hears(8088, "three");
    // A port stays with its container when that gets another name, is stopped and comes back.
    c.ok("rename three four");
    c.ok("restart -t 0 four");
    hears(8088, "three");
    c.ok("stop -t 0 four");
    assert_eq!(c.ok("port four"), "");
    assert_ne!(get(&host, "127.0.0.1:8088").status, 0);
    c.ok("start four");
    hears(8088, "three");
    hears(8089, "two");
}

fn ephemeral(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok(&format!("run -d --name all -P --expose 80 --expose 53/udp {WEB}"));
    let port =
        |line: &str| c.ok(line).lines().next().unwrap().rsplit(':').next().unwrap().to_owned();
    let chosen: u16 = port("port all 80/tcp").parse().unwrap();
    assert!(chosen >= 32768, "{chosen}");
    let shown = c.ok("ps --format '{{.Ports}}'");
    assert!(shown.contains(&format!("0.0.0.0:{chosen}->80/tcp")), "{shown}");
    assert!(shown.contains("->53/udp"), "{shown}");
    eventually("served", || (get(&host, &format!("127.0.0.1:{chosen}")).status == 0).then_some(()));
    // The host's port left out; a range on both sides.
    c.ok(&format!("run -d --name one -p 80 {WEB}"));
    assert_ne!(port("port one 80"), chosen.to_string());
    c.ok(&format!("run -d --name range -p 8000-8002:80-82 {WEB}"));
    assert!(c.ok("port range 81").contains("0.0.0.0:8001"));
    get(&host, "127.0.0.1:8000").ok();
    // EXPOSE alone publishes nothing.
    c.ok(&format!("run -d --name shy --expose 80 {WEB}"));
    assert_eq!(c.inspect("shy", r#"{{json (index .NetworkSettings.Ports "80/tcp")}}"#), "null");
}

fn conflicts(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok(&format!("run -d --name first -p 8088:80 {WEB}"));
    let before = host.inventory();
    let second = c.run(&format!("run --rm -p 8088:80 {WEB}"));
    second.fails(125, "port is already allocated");
    before.assert_restored(&host);
    // Without --rm it stays, created, and can be started when the port is free.
    c.fails(&format!("run -d --name second -p 8088:80 {WEB}"), 125, "port is already allocated");
    assert_eq!(c.inspect("second", "{{.State.Status}} {{.State.ExitCode}}"), "created 128");
    c.ok("rm -f first");
    c.ok("start second");
    eventually("second serves", || (get(&host, "127.0.0.1:8088").status == 0).then_some(()));
    // A port that another process of the host has.
    let _squatter = host.spawn(["busybox", "nc", "-l", "-p", "8099"]);
    eventually("the port is taken", || {
        host.sh("ss -ltn | grep -q :8099").status.eq(&0).then_some(())
    });
    let taken = c.run(&format!("run --rm -p 8099:80 {WEB}"));
    assert_eq!(taken.status, 125, "{taken}");
    assert!(taken.stderr.contains("address already in use"), "{taken}");
    // It is named, also when it listens with one socket for both families.
    let _both = host.spawn(["busybox", "httpd", "-f", "-p", "[::]:8098"]);
    eventually("the port is taken", || {
        host.sh("ss -ltn | grep -q :8098").status.eq(&0).then_some(())
    });
    let taken = c.run(&format!("run --rm -p 8098:80 {WEB}"));
    assert_eq!(taken.status, 125, "{taken}");
    if host.engine() == EngineKind::Hawser {
        assert!(taken.stderr.contains("held by busybox (pid "), "{taken}");
    }
}

fn datagrams(cli: Cli) {
    let segment = Segment::new();
    let neighbour = neighbour(&segment, "10.99.0.3/24");
    let host = TestHost::running();
    host.join_segment(&segment, "wan0", "10.99.0.2/24");
    let c = host.client(cli);
    c.ok("run -d --name echo -p 5514:514/udp busybox sleep 1000");
    assert!(c.ok("port echo").starts_with("514/udp -> 0.0.0.0:5514"));
    let pid = c.inspect("echo", "{{.State.Pid}}");
    let _server = echo_datagrams(&host, &pid, 514);
    for (client, address) in [(&neighbour, "10.99.0.2"), (&host, "127.0.0.1"), (&host, "10.99.0.2")]
    {
        let ask =
            format!("exec 3<>/dev/udp/{address}/5514; printf ping-me >&3; timeout 3 head -c 7 <&3");
        assert_eq!(client.run(["bash", "-c", &ask]).ok().text(), "ping-me", "{address}");
    }
}
