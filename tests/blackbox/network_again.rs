//! What was taken away is had again by the very next request: a bridge's name and subnet, an
//! address by the same container and by another one.

use hawser_testkit::{Cli, TestHost};

const ROUNDS: usize = 5;

#[test]
fn a_network_is_made_again_at_once() {
    let host = TestHost::running();
    let c = host.client(Cli::Docker);
    let http = host.http();
    let network = serde_json::json!({
        "Name": "again",
        "IPAM": { "Config": [{ "Subnet": "10.5.0.0/24" }] },
        "Options": { "com.docker.network.bridge.name": "bragain" },
    });
    for round in 0..ROUNDS {
        let made = http.post("/networks/create", &network);
        assert_eq!(made.status, 201, "round {round}: {}", made.text());
        if round % 2 == 0 {
            c.ok("run --rm --net again busybox ping -c 1 -W 2 10.5.0.1");
        }
        let removed = http.delete("/networks/again");
        assert_eq!(removed.status, 204, "round {round}: {}", removed.text());
    }
}

#[test]
fn a_container_is_connected_again_at_once() {
    let host = TestHost::running();
    let c = host.client(Cli::Docker);
    let http = host.http();
    c.ok("network create --subnet 10.5.0.0/24 net1");
    c.ok("run -d --name c1 busybox sleep 1000");
    c.ok("run -d --name c2 busybox sleep 1000");
    c.ok("run -d --name watcher --net net1 --ip 10.5.0.9 busybox sleep 1000");
    let connect = |name: &str| {
        let body = serde_json::json!({
            "Container": name,
            "EndpointConfig": { "IPAMConfig": { "IPv4Address": "10.5.0.77" } },
        });
        let connected = http.post("/networks/net1/connect", &body);
        assert_eq!(connected.status, 200, "{}", connected.text());
    };
    let disconnect = |name: &str| {
        let body = serde_json::json!({ "Container": name });
        let disconnected = http.post("/networks/net1/disconnect", &body);
        assert_eq!(disconnected.status, 200, "{}", disconnected.text());
    };
    for _ in 0..ROUNDS {
        connect("c1");
        assert!(c.ok("exec c1 ip address").contains("10.5.0.77/24"));
        c.ok("exec watcher ping -c 1 -W 1 10.5.0.77");
        disconnect("c1");
        connect("c1");
        disconnect("c1");
        // The same address in another one, to which the watcher turns at once.
        connect("c2");
        c.ok("exec watcher ping -c 1 -W 1 10.5.0.77");
        c.ok("exec c2 ping -c 1 -W 1 10.5.0.9");
        disconnect("c2");
    }
}
