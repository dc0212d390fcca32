//! Section 1: the network modes of a single host.

use hawser_testkit::{Cli, TestHost};

use crate::seen::{by_engine, get, link_names, ports, wait_for_ports};

with_both_clients!(bridge, host, none, container);

fn bridge(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    c.ok("run -itd --name c1 busybox");
    assert_eq!(link_names(&c.ok("exec c1 ip -o link")), ["lo", "eth0"]);
    let address = c.ok("exec c1 ip -4 -o addr show eth0");
    assert!(address.contains("inet 172.17.0.2/16"), "{address}");
    let routes = c.ok("exec c1 ip route");
    assert!(routes.contains("default via 172.17.0.1 dev eth0"), "{routes}");
    assert!(routes.contains("172.17.0.0/16 dev eth0"), "{routes}");
    assert_eq!(ports(&host, host.engine().bridge()).len(), 1);
    let gateway = host.sh(&format!("ip -4 -o addr show {}", host.engine().bridge())).ok();
    assert!(gateway.stdout.contains("inet 172.17.0.1/16"), "{gateway}");
    // Docker before 25 says what the client said: nothing.
    let mode = c.inspect("c1", "{{.HostConfig.NetworkMode}}");
    assert_eq!(mode, by_engine(&host, "bridge", "default"));
    c.ok("exec c1 ping -c 1 -W 2 172.17.0.1");
    // The same, asked for by name.
    c.ok("run -itd --name c2 --net bridge busybox");
    assert_eq!(c.address("c2"), "172.17.0.3");
    c.ok("exec c2 ping -c 1 -W 2 172.17.0.2");
    c.ok("rm -f c1 c2");
    wait_for_ports(&host, host.engine().bridge(), 0);
    before.assert_restored(&host);
}

fn host(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    let outside = host.run(["ip", "-o", "addr"]).ok();
    let inside = c.ok("run --rm --net host busybox ip -o link");
    assert_eq!(link_names(&inside), link_names(&host.run(["ip", "-o", "link"]).ok().stdout));
    assert!(outside.stdout.contains("172.17.0.1/16"));
    let inside = c.ok("run --rm --network host busybox ip -4 -o addr");
    assert!(inside.contains("172.17.0.1/16"), "{inside}");
    assert_eq!(c.ok("run --rm --net host busybox hostname"), "testhost");
    // Same ports: the container's server is the host's.
    c.ok("run -d --name web --net host busybox httpd -f -p 7001 -h /var/www");
    hawser_testkit::eventually("served", || {
        (get(&host, "127.0.0.1:7001").status == 0).then_some(())
    });
    assert!(ports(&host, host.engine().bridge()).is_empty());
    // Publishing means nothing there, and is said to.
    let published = c.run("run --rm --net host -p 8088:80 busybox true").ok();
    let warning = "Published ports are discarded when using host network mode";
    assert!(published.stderr.contains(warning), "{published}");
    assert_eq!(c.ok("port web"), "");
    let networks =
        c.inspect("web", "{{range $name, $n := .NetworkSettings.Networks}}{{$name}}{{end}}");
    assert_eq!(networks, "host");
    assert_eq!(c.inspect("web", "{{.NetworkSettings.IPAddress}}"), "");
    c.ok("rm -f web");
    before.assert_restored(&host);
}

fn none(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    c.ok("run -itd --name c1 --net none busybox");
    assert_eq!(link_names(&c.ok("exec c1 ip -o link")), ["lo"]);
    assert_eq!(c.ok("exec c1 ip route"), "");
    let lo = c.ok("exec c1 ip -4 -o addr show lo");
    assert!(lo.contains("inet 127.0.0.1/8"), "{lo}");
    c.ok("exec c1 ping -c 1 -W 2 127.0.0.1");
    assert_eq!(c.address("c1"), "");
    assert!(ports(&host, host.engine().bridge()).is_empty());
    c.ok("rm -f c1");
    before.assert_restored(&host);
}

fn container(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    let before = host.inventory();
    c.ok("run -itd --name c1 busybox");
    c.ok("run -itd --name c2 --net container:c1 busybox");
    let eth0 = "ip -o addr show eth0";
    assert_eq!(c.ok(&format!("exec c1 {eth0}")), c.ok(&format!("exec c2 {eth0}")));
    let mac = "cat /sys/class/net/eth0/address";
    assert_eq!(c.ok(&format!("exec c1 {mac}")), c.ok(&format!("exec c2 {mac}")));
    // They meet on localhost; files and processes are their own.
    c.ok("exec -d c2 httpd -f -p 80 -h /var/www");
    hawser_testkit::eventually("served", || {
        (c.run("exec c1 wget -q -O - http://localhost/").status == 0).then_some(())
    });
    c.ok("exec c1 touch /only-in-c1");
    c.fails("exec c2 ls /only-in-c1", 1, "No such file");
    assert!(!c.ok("exec c1 ps").contains("httpd"));
    // Host name and hosts file go with the network.
    assert_eq!(c.ok("exec c1 hostname"), c.ok("exec c2 hostname"));
    assert_eq!(c.ok("exec c1 cat /etc/hosts"), c.ok("exec c2 cat /etc/hosts"));
    assert_eq!(c.inspect("c2", "{{json .NetworkSettings.Networks}}"), "{}");
    // By id as well.
    let id = c.inspect("c1", "{{.Id}}");
    let same = c.ok(&format!("run --rm --network container:{id} busybox {eth0}"));
    assert!(same.contains("172.17.0.2/16"), "{same}");
    assert_eq!(ports(&host, host.engine().bridge()).len(), 1);
    c.ok("rm -f c2 c1");
    before.assert_restored(&host);
}
