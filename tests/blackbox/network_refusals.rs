//! Networks that are not made: every refusal with its message and its status, and a host that is as it
//! was. Where hawser's words are those of Docker after 20.10, only hawser is asked.

use hawser_testkit::{Cli, EngineKind, TestHost};
use serde_json::{Value, json};

use crate::refused::{Row, Since, changed, refused, refused_by_client};

with_both_clients!(create_is_refused, templates_are_refused);

const OVERLAP: &str = "Pool overlaps with other one on this address space";

const CREATE: &[Row<'_>] = &[
    ("network create bridge", 403, "not permitted on predefined bridge network"),
    ("network create host", 403, "not permitted on predefined host network"),
    ("network create none", 403, "not permitted on predefined none network"),
    ("network create default", 403, "not permitted on predefined default network"),
    ("network create -d host n", 403, "only one instance of \"host\" network is allowed"),
    ("network create -d null n", 403, "only one instance of \"null\" network is allowed"),
    ("network create -d nosuch n", 404, "nosuch"),
    ("network create --ingress n", 403, "Ingress network can only be global scope network"),
    (
        "network create --scope swarm n",
        403,
        "cannot create a swarm scoped network when swarm is not active",
    ),
    ("network create --subnet 10.7.0.0/24 n", 403, OVERLAP),
    ("network create --subnet 10.7.0.128/25 n", 403, OVERLAP),
    ("network create --subnet 10.0.0.0/8 n", 403, OVERLAP),
    ("network create --subnet 172.17.0.0/24 n", 403, OVERLAP),
    (
        "network create -o com.docker.network.bridge.name=br-taken n",
        403,
        "networks have same bridge name",
    ),
];

const CREATE_TODAY: &[Row<'_>] = &[
    ("network create taken", 409, "network with name taken already exists"),
    ("network create ' '", 400, "name"),
    (
        "network create -d overlay n",
        403,
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm \
                 join\" to connect this node to swarm and try again.",
    ),
    ("network create --ipam-driver nosuch n", 404, "nosuch"),
    (
        "network create --subnet 10.8.0.1/24 n",
        400,
        "invalid subnet 10.8.0.1/24: it should be 10.8.0.0/24",
    ),
    ("network create --subnet 127.0.0.0/8 n", 400, "loopback"),
    ("network create --subnet 224.0.0.0/8 n", 400, "multicast"),
    ("network create --ipv4=false n", 400, "IPv4 or IPv6 must be enabled"),
    ("network create -o com.docker.network.driver.mtu=abc n", 400, "mtu"),
    ("network create -o com.docker.network.driver.mtu=-1 n", 400, "mtu"),
    ("network create -o com.docker.network.bridge.enable_icc=abc n", 400, "enable_icc"),
    (
        "network create -o com.docker.network.bridge.enable_ip_masquerade=abc n",
        400,
        "enable_ip_masquerade",
    ),
    (
        "network create -o com.docker.network.bridge.host_binding_ipv4=abc n",
        400,
        "host_binding_ipv4",
    ),
    (
        "network create -o com.docker.network.bridge.gateway_mode_ipv4=abc n",
        400,
        "gateway_mode_ipv4",
    ),
    (
        "network create -o com.docker.network.bridge.gateway_mode_ipv6=abc n",
        400,
        "gateway_mode_ipv6",
    ),
    (
        "network create -o com.docker.network.bridge.gateway_mode_ipv4=isolated n",
        400,
        "gateway mode 'isolated' can only be used for an internal network",
    ),
    ("network create -o com.docker.network.bridge.inhibit_ipv4=abc n", 400, "inhibit_ipv4"),
    (
        "network create -o com.docker.network.bridge.trusted_host_interfaces=a/b n",
        400,
        "trusted_host_interfaces",
    ),
    ("network create -o com.docker.network.host_ipv4=abc n", 400, "host_ipv4"),
    ("network create -o com.docker.network.host_ipv6=10.1.1.1 n", 400, "host_ipv6"),
    ("network create -o com.docker.network.bridge.name=br%d n", 400, "br%d"),
    (
        "network create -o com.docker.network.bridge.name=much-longer-than-15 n",
        400,
        "much-longer-than-15",
    ),
    ("network create -o com.docker.network.bridge.nosuch=1 n", 400, "nosuch"),
    ("network create -o hawser.nosuch=1 n", 400, "hawser.nosuch"),
    ("network create -o hawser.dns=nowhere n", 400, "hawser.dns"),
    ("network create -o com.docker.network.bridge.default_bridge=true n", 400, "default_bridge"),
    ("network create --ipv6 --subnet fe80::/80 n", 400, "fe80::/64"),
    ("network create --ipv6 --subnet ff02::/64 n", 400, "multicast"),
];

const CREATE_CLIENT: &[(&str, &str)] = &[
    ("network create", "requires"),
    ("network create a b", "requires"),
    ("network create --nosuch n", "unknown flag: --nosuch"),
    ("network create --subnet nosuch n", "nosuch"),
    ("network create --gateway 10.8.0.1 n", "subnet"),
    ("network create --subnet 10.8.0.0/24 --gateway 10.9.0.1 n", "10.9.0.1"),
    ("network create --subnet 10.8.0.0/24 --ip-range 10.9.0.0/28 n", "10.9.0.0"),
    ("network create --subnet 10.8.0.0/24 --aux-address a=10.9.0.1 n", "10.9.0.1"),
];

fn create_is_refused(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.7.0.0/24 -o com.docker.network.bridge.name=br-taken taken");
    refused(&host, cli, Since::Docker20, 1, CREATE);
    refused(&host, cli, Since::Today, 1, CREATE_TODAY);
    // The client looks at these itself.
    refused_by_client(&host, cli, CREATE_CLIENT);
}

const OPERATOR: &str = "configuration network can only contain network specific fields. Network \
                    operator fields like [ ingress | internal | attachable | scope ] are not \
                    supported.";
const OWN: &str = "user specified configurations are not supported if the network depends on a \
               configuration network";

const TEMPLATES: &[Row<'_>] = &[
    ("network create --config-only --internal n", 403, OPERATOR),
    ("network create --config-only --attachable n", 403, OPERATOR),
    ("network create --config-only --ingress n", 403, OPERATOR),
    ("network create --config-only --scope local n", 403, OPERATOR),
    (
        "network create --config-only --config-from template n",
        403,
        "a configuration network cannot depend on another configuration network",
    ),
    (
        "network create --config-from nosuch n",
        404,
        "configuration network \"nosuch\" does not exist",
    ),
    ("network create --config-from plain n", 404, "configuration network \"plain\" does not exist"),
    ("network create --config-from template --subnet 10.5.0.0/24 n", 403, OWN),
    ("network create --config-from template --ipv6 n", 403, OWN),
    ("network create --config-from template --label a=b n", 403, OWN),
    (
        "network create --config-from template -o com.docker.network.driver.mtu=1400 n",
        403,
        "network driver options are not supported if the network depends on a \
                 configuration network",
    ),
    ("network rm template", 403, "configuration network \"template\" is in use"),
    ("network connect template c1", 403, "cannot create endpoint on configuration-only network"),
    (
        "network create --config-from template again",
        403,
        "Pool overlaps with other one on this address space",
    ),
];

fn templates_are_refused(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --config-only --subnet 10.6.0.0/24 template");
    c.ok("network create plain");
    c.ok("run -d --name c1 busybox sleep 1000");
    c.ok("network create --config-from template made");
    refused(&host, cli, Since::Docker20, 1, TEMPLATES);
}

/// Bodies of `create` with subnets that the clients would not send.
fn subnets_that_make_no_sense() -> Vec<(&'static str, Value, &'static str)> {
    let create = "/networks/create";
    let ipam = |config: Value| json!({ "Name": "n", "IPAM": { "Config": [config] } });
    vec![
        (create, ipam(json!({ "Subnet": "nosuch" })), "invalid subnet nosuch: invalid CIDR block"),
        (create, ipam(json!({ "Subnet": "10.8.0.0/33" })), "10.8.0.0/33"),
        (
            create,
            ipam(json!({ "Subnet": "10.8.0.0/24", "IPRange": "10.8.0.0/16" })),
            "invalid ip-range 10.8.0.0/16: CIDR block is bigger than its parent subnet 10.8.0.0/24",
        ),
        (
            create,
            ipam(json!({ "Subnet": "10.8.0.0/24", "IPRange": "10.8.0.1/28" })),
            "invalid ip-range 10.8.0.1/28: it should be 10.8.0.0/28",
        ),
        (
            create,
            ipam(json!({ "Subnet": "10.8.0.0/24", "IPRange": "10.9.0.0/28" })),
            "invalid ip-range 10.9.0.0/28: parent subnet 10.8.0.0/24 doesn't contain ip-range",
        ),
        (
            create,
            ipam(json!({ "Subnet": "10.8.0.0/24", "IPRange": "fd00::/64" })),
            "invalid ip-range fd00::/64: parent subnet is an IPv4 block",
        ),
        (
            create,
            ipam(json!({ "Subnet": "10.8.0.0/24", "Gateway": "10.9.0.1" })),
            "invalid gateway 10.9.0.1: parent subnet 10.8.0.0/24 doesn't contain this address",
        ),
        (
            create,
            ipam(json!({ "Subnet": "10.8.0.0/24", "Gateway": "nosuch" })),
            "invalid gateway nosuch: invalid address",
        ),
        (
            create,
            ipam(json!({ "Subnet": "10.8.0.0/24", "AuxiliaryAddresses": { "a": "10.9.0.1" } })),
            "invalid auxiliary address a: parent subnet 10.8.0.0/24 doesn't contain this address",
        ),
    ]
}

/// What no client sends.
#[test]
fn bodies_are_refused() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // it takes much of it, or for a fault of its own
    }
    let http = host.http();
    let c = host.docker();
    c.ok("network create --subnet 10.7.0.0/24 --ipv6 --subnet fd07::/64 taken");
    c.ok("run -d --name c1 busybox sleep 1000");
    let mut before = host.inventory();
    let create = "/networks/create";
    let connect = "/networks/taken/connect";
    let endpoint = |settings: Value| json!({ "Container": "c1", "EndpointConfig": settings });
    let aliased = json!({ "bridge": { "Aliases": ["web"] } });
    let mut rows = subnets_that_make_no_sense();
    rows.extend([
        (create, json!({}), "name"),
        (create, json!({ "Name": 7 }), ""),
        (create, json!({ "Name": "n", "Labels": [] }), ""),
        (create, json!({ "Name": "n", "Options": { "a": 1 } }), ""),
        (create, json!({ "Name": "n", "IPAM": { "Config": {} } }), ""),
        (create, json!({ "Name": "x".repeat(5000) }), "name"),
        (connect, json!({}), ""),
        (connect, json!({ "Container": 7 }), ""),
        (connect, endpoint(json!({ "MacAddress": "zz" })), "invalid MAC address zz"),
        (connect, endpoint(json!({ "IPAMConfig": { "IPv4Address": "fd07::9" } })), "fd07::9"),
        (connect, endpoint(json!({ "GwPriority": "x" })), ""),
        ("/networks/taken/disconnect", json!({ "Force": "x" }), ""),
        (
            "/containers/create",
            json!({ "Image": "busybox", "NetworkingConfig": { "EndpointsConfig": aliased } }),
            "network-scoped alias is supported only for containers in user defined networks",
        ),
        ("/networks/prune?filters=nosuch", json!(null), ""),
    ]);
    for (path, body, message) in rows {
        let answer = http.post(path, &body);
        let said = format!("{path} {body}: {}", answer.text());
        assert!((400..500).contains(&answer.status), "{} {said}", answer.status);
        assert!(!answer.message().is_empty() && answer.message().contains(message), "{said}");
        assert_eq!(changed(&mut before, &host, &said), "");
    }
    for path in ["/networks?filters=nosuch", "/networks/taken?verbose=perhaps"] {
        assert_eq!(http.get(path).status, 400, "{path}");
    }
    before.assert_restored(&host);
}

#[test]
fn several_faults_are_told_at_once() {
    let host = TestHost::running();
    if host.engine() == EngineKind::Docker {
        return; // it tells the first
    }
    let config = json!({ "Subnet": "10.8.0.1/24", "Gateway": "10.9.0.1", "IPRange": "fd00::/64" });
    let body = json!({ "Name": "n", "IPAM": { "Config": [config] } });
    let faults = host.http().post("/networks/create", &body);
    assert_eq!(faults.status, 400);
    for part in ["it should be 10.8.0.0/24", "invalid gateway 10.9.0.1", "invalid ip-range"] {
        assert!(faults.message().contains(part), "{}", faults.text());
    }
}
