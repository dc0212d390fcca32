//! Section 4, the simple cases: published ports.

use hawser_testkit::{Cli, EngineKind, Segment, TestHost, eventually};

use crate::seen::{echo_datagrams, get, neighbour};

with_both_clients!(published, ephemeral, conflicts, datagrams);

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
