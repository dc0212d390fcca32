//! Networks that are there: what is refused of connecting, running, listing and removing, with its
//! message and its status, and a host that is as it was.

use hawser_testkit::{Cli, EngineKind, TestHost};

use crate::refused::{Row, Since, refused, refused_by_client};

with_both_clients!(connect_is_refused, run_is_refused, others_are_refused);

const SHARED: &str = "container sharing network namespace with another container or host cannot be \
                  connected to any other network";
const HOST_NETWORK: &str =
    "container cannot be disconnected from host network or connected to host network";
const NONE: &str = "container cannot be connected to multiple networks with one of the networks in \
                private (none) mode";
const CONFIGURED: &str = "user specified IP address is supported only when connecting to networks \
                      with user configured subnets";
const OWN_ONLY: &str = "user specified IP address is supported on user defined networks only";
const ALIAS_ONLY: &str =
    "network-scoped alias is supported only for containers in user defined networks";
const SYSCTL: &str = "unrecognised network interface sysctl";

const CONNECT: &[Row<'_>] = &[
    ("network connect nosuch c2", 404, "network nosuch not found"),
    ("network connect taken nosuch", 404, "No such container: nosuch"),
    ("network connect taken c1", 403, "endpoint with name c1 already exists in network taken"),
    ("network connect --ip 10.7.0.9 taken c2", 403, "Address already in use"),
    ("network connect --ip 10.7.0.1 taken c2", 403, "Address already in use"),
    ("network connect taken sharing", 400, SHARED),
    ("network connect taken hosted", 400, SHARED),
    ("network connect host c2", 400, HOST_NETWORK),
    ("network connect taken alone", 400, NONE),
    ("network connect none c2", 400, NONE),
    ("network connect host idle", 400, HOST_NETWORK),
    ("network connect none idle", 400, NONE),
    ("network disconnect host hosted", 400, HOST_NETWORK),
    ("network disconnect nosuch c1", 404, "network nosuch not found"),
    ("network disconnect taken nosuch", 404, "No such container: nosuch"),
];

const CONNECT_TODAY: &[Row<'_>] = &[
    ("network connect --ip 172.18.0.9 auto c2", 400, CONFIGURED),
    ("network connect --ip6 fd00::9 taken c2", 400, CONFIGURED),
    (
        "network connect --ip 10.1.1.1 taken c2",
        400,
        "no configured subnet or ip-range contain the IP address 10.1.1.1",
    ),
    ("network connect --ip abc taken c2", 400, "invalid IPv4 address: abc"),
    ("network connect --ip6 abc taken c2", 400, "invalid IPv6 address: abc"),
    ("network connect --ip6 10.7.0.8 taken c2", 400, "invalid IPv6 address: 10.7.0.8"),
    ("network connect --ip 0.0.0.0 taken c2", 400, "invalid IPv4 address: 0.0.0.0"),
    ("network connect --ip 10.7.0.0 taken c2", 403, "Address already in use"),
    ("network connect --ip 10.7.0.255 taken c2", 403, "Address already in use"),
    ("network connect --ip 172.17.0.99 bridge c1", 400, OWN_ONLY),
    ("network connect --alias web bridge c1", 400, ALIAS_ONLY),
    (
        "network connect --link-local-ip 10.1.1.1 taken c2",
        400,
        "invalid link local IP address: 10.1.1.1",
    ),
    ("network connect --link-local-ip abc taken c2", 400, "invalid link-local IP address: abc"),
    (
        "network connect --driver-opt com.docker.network.endpoint.sysctls=net.ipv4.conf.all.forwarding=1 taken c2",
        400,
        SYSCTL,
    ),
    (
        "network connect --driver-opt com.docker.network.endpoint.sysctls=nosuch taken c2",
        400,
        SYSCTL,
    ),
];

const CONNECT_CLIENT: &[(&str, &str)] = &[
    ("network connect", "requires"),
    ("network connect taken", "requires"),
    ("network disconnect taken", "requires"),
    ("network connect --gw-priority x taken c2", "x"),
];

fn connect_is_refused(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.7.0.0/24 taken");
    c.ok("network create --subnet 10.8.0.0/24 --ip-range 10.8.0.128/25 other");
    c.ok("network create auto");
    c.ok("run -d --name c1 --net taken --ip 10.7.0.9 busybox sleep 1000");
    c.ok("run -d --name c2 busybox sleep 1000");
    c.ok("run -d --name hosted --net host busybox sleep 1000");
    c.ok("run -d --name alone --net none busybox sleep 1000");
    c.ok("run -d --name sharing --net container:c1 busybox sleep 1000");
    c.ok("create --name idle busybox sleep 1000");
    let (id1, id2) = (c.inspect("c1", "{{.Id}}"), c.inspect("c2", "{{.Id}}"));
    let idle = c.inspect("idle", "{{.Id}}");
    refused(&host, cli, Since::Docker20, 1, CONNECT);
    let apart = |id: &str, network: &str| format!("container {id} is not connected to {network}");
    let not_connected: &[Row<'_>] = &[
        ("network disconnect taken c2", 500, &apart(&id2, "network taken")),
        ("network disconnect -f taken c2", 500, &apart(&id2, "network taken")),
        ("network disconnect bridge c1", 500, &apart(&id1, "network bridge")),
        ("network disconnect taken idle", 500, &apart(&idle, "the network taken")),
    ];
    refused(&host, cli, Since::Docker20, 1, not_connected);
    refused(&host, cli, Since::Today, 1, CONNECT_TODAY);
    refused_by_client(&host, cli, CONNECT_CLIENT);
}

const MODE: &str = "and the network mode";
const MODES: &str = "cannot attach both user-defined and non-user-defined network-modes";

const RUN: &[Row<'_>] = &[
    ("run --rm --net nosuch busybox true", 404, "network nosuch not found"),
    (
        "run --rm --net container:c1 -p 80:80 busybox true",
        400,
        "conflicting options: port publishing and the container type network mode",
    ),
    (
        "run --rm --net container:c1 --expose 80 busybox true",
        400,
        "conflicting options: port exposing and the container type network mode",
    ),
    ("run --rm --net container:c1 -h x busybox true", 400, MODE),
    ("run --rm --net container:c1 --dns 10.1.1.1 busybox true", 400, MODE),
    ("run --rm --net container:c1 --add-host a:10.1.1.1 busybox true", 400, MODE),
    (
        "run --rm --net container:c1 --link c1 busybox true",
        400,
        "conflicting options: container type network can't be used with links. This would \
                 result in undefined behavior",
    ),
    (
        "run --rm --net host --link c1 busybox true",
        400,
        "conflicting options: host type networking can't be used with links. This would \
                 result in undefined behavior",
    ),
    ("run --rm --net taken --ip 10.7.0.9 busybox true", 403, "Address already in use"),
    (
        "run --rm --ip 172.17.0.99 busybox true",
        400,
        "user specified IP address is supported on user defined networks only",
    ),
];

const MAC: &str = "conflicting options: mac-address and the network mode";

const RUN_TODAY: &[Row<'_>] = &[
    // Docker refuses it to clients of API 1.43 and before; later ones it lets pass, and does nothing.
    ("run --rm --net container:c1 --mac-address 02:42:ac:11:00:99 busybox true", 400, MAC),
    ("run --rm --net host --mac-address 02:42:ac:11:00:99 busybox true", 400, MAC),
    ("run --rm --net none --mac-address 02:42:ac:11:00:99 busybox true", 400, MAC),
    (
        "run --rm --network name=small,link-local-ip=fe80::9 busybox true",
        400,
        "no IPv6 address or setting can be had on network small: its packets have 1000 bytes",
    ),
    (
        "run --rm --network \"name=small,driver-opt=com.docker.network.endpoint.sysctls=net.ipv6.conf.IFNAME.accept_ra=2\" busybox true",
        400,
        "no IPv6 address or setting can be had on network small",
    ),
    // Docker makes such a container, and says 404 at its start; at create clients take that for the
    // image, and pull.
    ("run --rm --net container:nosuch busybox true", 400, "No such container: nosuch"),
    (
        "run --rm --net taken --ip 10.1.1.1 busybox true",
        400,
        "no configured subnet or ip-range contain the IP address 10.1.1.1",
    ),
    (
        "run --rm --network name=taken,ip=10.1.1.1 busybox true",
        400,
        "no configured subnet or ip-range contain the IP address 10.1.1.1",
    ),
    (
        "run --rm --network taken --network name=nosuch busybox true",
        404,
        "network nosuch not found",
    ),
];

const RUN_CLIENT: &[(&str, &str)] = &[
    ("run --rm --network-alias web busybox true", "network-scoped alias"),
    ("run --rm --network taken --network taken busybox true", "taken"),
    ("run --rm --network taken --network host busybox true", MODES),
    ("run --rm --network taken --network container:c1 busybox true", MODES),
    ("run --rm --network name=taken,nosuch=1 busybox true", "nosuch"),
    ("run --rm --network name=taken,ip=abc busybox true", "abc"),
    ("run --rm --network name=taken,gw-priority=x busybox true", "gw-priority"),
    ("run --rm --network name=taken,ip=10.7.0.8 --ip 10.7.0.8 busybox true", "conflicting"),
    ("run --rm --network name=taken,alias=a --network-alias a busybox true", "conflicting"),
    ("run --rm --net taken --ip 300.1.1.1 busybox true", "300.1.1.1"),
    ("run --rm --net taken --mac-address zz busybox true", "zz"),
];

fn run_is_refused(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create --subnet 10.7.0.0/24 taken");
    c.ok("run -d --name c1 --net taken --ip 10.7.0.9 busybox sleep 1000");
    c.ok("network create -o com.docker.network.driver.mtu=1000 small");
    refused(&host, cli, Since::Docker20, 125, RUN);
    refused(&host, cli, Since::Today, 125, RUN_TODAY);
    refused_by_client(&host, cli, RUN_CLIENT);
}

const OTHERS: &[Row<'_>] = &[
    ("network rm bridge", 403, "bridge is a pre-defined network and cannot be removed"),
    ("network rm host", 403, "host is a pre-defined network and cannot be removed"),
    ("network rm none", 403, "none is a pre-defined network and cannot be removed"),
    ("network rm nosuch", 404, "network nosuch not found"),
    ("network rm taken", 403, "has active endpoints"),
    ("network inspect nosuch", 404, "network nosuch not found"),
];

const OTHERS_TODAY: &[Row<'_>] = &[
    ("network ls -f nosuch=1", 400, "invalid filter 'nosuch'"),
    ("network ls -f dangling=perhaps", 400, "dangling"),
    ("network ls -f type=nosuch", 400, "nosuch"),
    ("network prune -f --filter nosuch=1", 400, "invalid filter 'nosuch'"),
    ("network prune -f --filter until=nosuch", 400, "nosuch"),
    ("network prune -f --filter name=taken", 400, "invalid filter 'name'"),
];

const OTHERS_CLIENT: &[(&str, &str)] = &[
    ("network nosuch", "nosuch"),
    ("network rm", "requires"),
    ("network inspect", "requires"),
    ("network inspect -f '{{.NoSuch}}' taken", "NoSuch"),
    ("network ls --format '{{.NoSuch}}'", "NoSuch"),
    ("network ls -f wrong", "wrong"),
];

fn others_are_refused(cli: Cli) {
    let host = TestHost::running();
    let c = host.client(cli);
    c.ok("network create taken");
    c.ok("run -d --name user --net taken busybox sleep 1000");
    refused(&host, cli, Since::Docker20, 1, OTHERS);
    let endpoint = c.inspect("user", "{{.NetworkSettings.Networks.taken.EndpointID}}");
    let who = format!(
        "error while removing network: network taken has active endpoints (name:\"user\" id:\"{}\")",
        &endpoint[..12]
    );
    let in_use: &[Row<'_>] = &[("network rm taken", 403, &who), ("network rm -f taken", 403, &who)];
    refused(&host, cli, Since::Today, 1, in_use);
    refused(&host, cli, Since::Today, 1, OTHERS_TODAY);
    // What does not exist need not be removed.
    if host.engine() == EngineKind::Hawser {
        assert_eq!(c.ok("network rm -f nosuch"), "");
    }
    refused_by_client(&host, cli, OTHERS_CLIENT);
}
