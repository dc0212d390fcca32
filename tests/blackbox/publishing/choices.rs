//! Which port of the host a published one gets, how that is shown, and who keeps others from it.

use hawser_testkit::{EngineKind, TestHost, eventually};

/// Ranges, several addresses, SCTP, ports left open: what is chosen, and how it is shown.
#[test]
fn forms_and_choices() {
    let host = TestHost::running();
    let docker = host.engine() == EngineKind::Docker;
    let c = host.docker();
    let run =
        |name: &str, ports: &str| c.ok(&format!("run -d --name {name} {ports} busybox sleep 1000"));
    let shown = |name: &str| c.ok(&format!("ps -a --filter name={name} --format '{{{{.Ports}}}}'"));
    // One port of a range: the next that is free.
    run("r1", "-p 8000-8001:80");
    run("r2", "-p 8000-8001:80");
    assert!(shown("r1").starts_with("0.0.0.0:8000->80/tcp"), "{}", shown("r1"));
    assert!(shown("r2").starts_with("0.0.0.0:8001->80/tcp"), "{}", shown("r2"));
    let full = c.run("run -d --name r3 -p 8000-8001:80 busybox sleep 1000");
    assert_eq!(full.status, 125, "{full}");
    if !docker {
        assert!(full.stderr.contains("all ports are allocated: 8000-8001"), "{full}");
    }
    c.ok("rm -f r2");
    c.ok("start r3");
    assert!(shown("r3").starts_with("0.0.0.0:8001->80/tcp"), "{}", shown("r3"));
    // Ranges on both sides, shown as ranges; SCTP.
    run("both", "-p 127.0.0.1:9000-9002:9000-9002");
    assert_eq!(shown("both"), "127.0.0.1:9000-9002->9000-9002/tcp");
    assert_eq!(c.ok("port both 9001/tcp"), "127.0.0.1:9001");
    if !docker {
        // Debian's dockerd needs a kernel that has it.
        run("sctp", "-p 9100:91/sctp -p 9100:91/udp");
        assert!(shown("sctp").contains("0.0.0.0:9100->91/sctp"), "{}", shown("sctp"));
        assert!(c.ok("port sctp 91/sctp").starts_with("0.0.0.0:9100"));
    }
    if !docker {
        // Bindings that differ in the address alone have one port.
        run("two", "-p 127.0.0.1::80 -p 127.0.0.2::80 -p [::1]::80");
        let ports = c.ok("port two");
        let mut chosen: Vec<_> =
            ports.lines().map(|line| line.rsplit(':').next().unwrap()).collect();
        assert_eq!(chosen.len(), 3, "{ports}");
        chosen.dedup();
        assert_eq!(chosen.len(), 1, "{ports}");
    }
    // Exposed only; and nothing is shown of one that has ended.
    run("shy", "--expose 80 --expose 53/udp");
    assert_eq!(shown("shy"), "53/udp, 80/tcp");
    let map = |name: &str| c.inspect(name, "{{json .NetworkSettings.Ports}}");
    assert_eq!(map("shy"), r#"{"53/udp":null,"80/tcp":null}"#);
    c.ok("stop -t 0 r1");
    assert_eq!((shown("r1").as_str(), map("r1").as_str()), ("", "{}"));
}

/// Ports left open come from the kernel's range, less what is reserved there.
#[test]
fn ephemeral_ports_are_the_kernels() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // it reads neither after its start, and passes over reservations
    }
    let c = host.docker();
    host.sh("echo 40000 40004 > /proc/sys/net/ipv4/ip_local_port_range; \
             echo 40000,40002 > /proc/sys/net/ipv4/ip_local_reserved_ports")
        .ok();
    let _squatter = host.spawn(["busybox", "nc", "-l", "-p", "40003"]);
    eventually("the port is taken", || {
        (host.sh("ss -ltn | grep -q :40003").status == 0).then_some(())
    });
    c.ok("run -d --name c1 -p 80 -p 81 busybox sleep 1000");
    let mut ports: Vec<_> = ["80", "81"]
        .map(|port| c.ok(&format!("port c1 {port}")).lines().next().unwrap().to_owned())
        .into();
    ports.sort();
    assert_eq!(ports, ["0.0.0.0:40001", "0.0.0.0:40004"]);
    assert_eq!(c.run("run -d -p 80 busybox true").status, 125);
    // What is asked for by number is not a choice: reserved ports can be had so.
    c.ok("run -d --name c2 -p 40000:80 busybox sleep 1000");
    // Certain ports are taken before others are chosen, whatever comes first.
    c.ok("rm -f c1");
    c.ok("run -d --name c3 -p 80 -p 40001:81 busybox sleep 1000");
    assert!(c.ok("port c3 80").starts_with("0.0.0.0:40004"));
}

/// Who has a port is told; the container stays, and starts when the port is free.
#[test]
fn a_conflict_names_the_holder() {
    let host = TestHost::running();
    let docker = host.engine() == EngineKind::Docker;
    let c = host.docker();
    c.ok("run -d --name first -p 127.0.0.1:8088:80 busybox sleep 1000");
    let taken = c.run("run -d --name second -p 8088:80 busybox sleep 1000");
    assert_eq!(taken.status, 125, "{taken}");
    let words = "driver failed programming external connectivity on endpoint second (";
    assert!(taken.stderr.contains(words), "{taken}");
    if !docker {
        let words =
            "Bind for 0.0.0.0:8088 failed: port is already allocated (container first has it)";
        assert!(taken.stderr.contains(words), "{taken}");
    }
    assert_eq!(c.inspect("second", "{{.State.Status}} {{.State.ExitCode}}"), "created 128");
    assert_eq!(c.inspect("second", "{{json .NetworkSettings.Ports}}"), "{}");
    // Other protocols and other addresses are nobody's.
    c.ok("run -d --name third -p 8088:80/udp -p 127.0.0.2:8088:80 busybox sleep 1000");
    let again = c.run("start second");
    assert_ne!(again.status, 0, "{again}");
    c.ok("rm -f first third");
    c.ok("start second");
    c.ok("rename second other");
    if !docker {
        let taken = c.run("run --rm -p 127.0.0.3:8088:80 busybox true");
        assert!(taken.stderr.contains("(container other has it)"), "{taken}");
        let twice = c.run("run --rm -p 8090:80 -p 8090:81 busybox true");
        assert!(twice.stderr.contains("(it is published twice)"), "{twice}");
    }
}

/// Containers that are reached at their own addresses don't take the host's ports from one another.
#[test]
fn routed_containers_hold_no_ports() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // since Docker 27
    }
    let c = host.docker();
    let mode = "com.docker.network.bridge.gateway_mode_ipv4=routed";
    c.ok(&format!("network create --subnet 10.7.0.0/24 -o {mode} n"));
    for name in ["c1", "c2"] {
        c.ok(&format!("run -d --name {name} --net n -p 8088:80 busybox sleep 1000"));
        let ports = c.inspect(name, "{{json .NetworkSettings.Ports}}");
        assert_eq!(ports, r#"{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":""}]}"#);
    }
    c.ok("run -d --name c3 -p 8088:80 busybox sleep 1000");
    // A way in by the host would need the port: who is told has it.
    let taken = c.run("network connect --gw-priority 1 bridge c1");
    assert_ne!(taken.status, 0, "{taken}");
    assert!(
        taken.stderr.contains(
            "Bind for 0.0.0.0:8088 failed: port is already allocated (container c3 has it)"
        ),
        "{taken}"
    );
    c.ok("rm -f c3");
    c.ok("network connect --gw-priority 1 bridge c1");
    assert!(c.ok("port c1").starts_with("80/tcp -> 0.0.0.0:8088"));
}
