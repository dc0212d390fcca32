//! Which published ports the engine carries itself, and where to.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers outside of `#[test]` too")]

use hawser_hoststate::Transport;
use hawser_model::{
    DefaultPool, Driver, EndpointId, EndpointSpec, Model, NetworkId, NetworkSpec, Publication,
    SandboxId, SandboxSpec, Surroundings, Touched, docker_pools,
};
use hawser_plan::{relays, relays_all};

fn net(number: u8) -> NetworkId {
    NetworkId::from_bytes([number; 32])
}

fn sandbox() -> SandboxId {
    SandboxId::from_bytes([1; 32])
}

/// Networks with IPv4 (1), with both (2), with IPv6 (3), with both and no way out (4), with IPv4 and
/// no translation (5); and a sandbox on none, which publishes `hosts`, port 8080 to 80.
fn model(hosts: &[&str], transport: Transport) -> Model {
    let v6 = DefaultPool { base: "fd00:1::/48".parse().unwrap(), size: 64 };
    let pools = docker_pools().into_iter().chain([v6]).collect();
    let around = Surroundings { pools, ..Surroundings::default() };
    let mut model = Model::default();
    for number in 1..=5 {
        let name = format!("net{number}").parse().unwrap();
        let mut spec = NetworkSpec::new(net(number), name, Driver::Bridge);
        (spec.ipv4, spec.ipv6) = (number != 3, matches!(number, 2..=4));
        spec.internal = number == 4;
        if number == 5 {
            let key = "com.docker.network.bridge.gateway_mode_ipv4";
            spec.options = [(key.to_owned(), "routed".to_owned())].into();
        }
        model.create_network(spec, &around).unwrap();
    }
    let mut spec = SandboxSpec::new(sandbox(), "web");
    let publish = |host: &&str| {
        let host = host.parse().unwrap();
        Publication { transport, container_port: 80, host, host_port: 8080 }
    };
    spec.publications = hosts.iter().map(publish).collect();
    model.create_sandbox(spec).unwrap();
    model
}

fn connect(model: &mut Model, network: u8) -> Touched {
    let endpoint = EndpointId::from_bytes([network; 32]);
    model.connect(EndpointSpec::new(endpoint, net(network), sandbox())).unwrap()
}

/// What is relayed, as text.
fn shown(model: &Model) -> Vec<String> {
    let all = relays_all(model);
    let line = |(port, to): (&hawser_hoststate::HeldPort, _)| format!("{} > {to}", port.address);
    all.iter().map(line).collect()
}

/// The only network that the sandbox is on, and what is relayed there.
fn on(network: u8, hosts: &[&str], transport: Transport) -> Vec<String> {
    let mut model = model(hosts, transport);
    let touched = connect(&mut model, network);
    assert_eq!(relays(&model, &touched), relays_all(&model));
    assert!(relays(&model, &Touched::default()).is_empty());
    shown(&model)
}

#[test]
fn what_no_translation_can_do() {
    let everywhere = ["0.0.0.0", "::"];
    for transport in [Transport::Tcp, Transport::Udp] {
        assert_eq!(on(1, &everywhere, transport), [":: > 172.17.0.2:80"]);
        assert_eq!(on(1, &["fd00::7"], transport), ["fd00::7 > 172.17.0.2:80"]);
        assert!(on(1, &["127.0.0.1"], transport).is_empty());
        // Of both families: what comes over IPv6's loopback, on the same socket.
        assert_eq!(on(2, &everywhere, transport), [":: > [fd00:1::2]:80"]);
        assert_eq!(on(2, &["::1"], transport), ["::1 > [fd00:1::2]:80"]);
        assert!(on(2, &["fd00::7", "127.0.0.1"], transport).is_empty());
        assert_eq!(on(3, &["0.0.0.0"], transport), ["0.0.0.0 > [fd00:1:0:1::2]:80"]);
        assert!(on(4, &everywhere, transport).is_empty());
        assert!(on(5, &everywhere, transport).is_empty());
    }
    assert!(on(1, &everywhere, Transport::Sctp).is_empty());
    assert!(on(2, &["::1"], Transport::Sctp).is_empty());
}

#[test]
fn it_follows_connect_and_disconnect() {
    let mut model = model(&["::"], Transport::Tcp);
    assert!(shown(&model).is_empty());
    connect(&mut model, 1);
    assert_eq!(shown(&model), [":: > 172.17.0.2:80"]);
    connect(&mut model, 3);
    assert_eq!(shown(&model), [":: > [fd00:1:0:1::2]:80"]);
    model.disconnect(sandbox(), net(3)).unwrap();
    assert_eq!(shown(&model), [":: > 172.17.0.2:80"]);
    model.disconnect(sandbox(), net(1)).unwrap();
    connect(&mut model, 5);
    assert!(shown(&model).is_empty());
}
