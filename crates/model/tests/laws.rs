//! The laws of the model, over random sequences of operations: after each of them they hold, and
//! one that fails has changed nothing.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers outside of `#[test]` too")]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use hawser_model::{
    DefaultPool, Driver, EndpointId, EndpointSpec, Error, Mode, Model, NetworkId, NetworkSpec,
    PoolSpec, Publication, SandboxId, SandboxSpec, Surroundings, Touched, Transport,
};
use ipnet::IpNet;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Operation {
    CreateNetwork { number: u8, subnet: Option<u8>, ipv6: bool, internal: bool },
    RemoveNetwork(u8),
    CreateSandbox { number: u8, ports: Vec<(u8, u8)>, mode: u8 },
    RemoveSandbox(u8),
    RenameSandbox(u8),
    Connect { sandbox: u8, network: u8, host: Option<u8>, mac: Option<u8>, priority: i64 },
    Disconnect { sandbox: u8, network: u8 },
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let maybe = || prop::option::weighted(0.3, 0..9u8);
    prop_oneof![
        2 => (0..6u8, prop::option::of(0..5u8), any::<bool>(), any::<bool>()).prop_map(
            |(number, subnet, ipv6, internal)| CreateNetwork { number, subnet, ipv6, internal }
        ),
        1 => (0..6u8).prop_map(RemoveNetwork),
        3 => (0..8u8, prop::collection::vec((0..3u8, 0..4u8), 0..3), 0..9u8)
            .prop_map(|(number, ports, mode)| CreateSandbox { number, ports, mode }),
        1 => (0..8u8).prop_map(RemoveSandbox),
        1 => (0..8u8).prop_map(RenameSandbox),
        6 => (0..8u8, 0..6u8, maybe(), maybe(), 0..3i64).prop_map(
            |(sandbox, network, host, mac, priority)| Connect {
                sandbox, network, host, mac, priority
            }
        ),
        2 => (0..8u8, 0..6u8).prop_map(|(sandbox, network)| Disconnect { sandbox, network }),
    ]
}

/// Small pools, so that they run out.
fn around() -> Surroundings {
    let pool = |base: &str, size| DefaultPool { base: base.parse().unwrap(), size };
    Surroundings {
        pools: vec![pool("10.0.0.0/27", 29), pool("fd00::/62", 64)],
        taken: vec!["10.0.0.8/32".parse().unwrap(), "0.0.0.0/0".parse().unwrap()],
    }
}

fn network(number: u8) -> NetworkId {
    NetworkId::from_bytes([number; 32])
}

fn sandbox(number: u8) -> SandboxId {
    SandboxId::from_bytes([number; 32])
}

fn run(model: &mut Model, step: u8, operation: &Operation) -> Result<Touched, Error> {
    match operation {
        Operation::CreateNetwork { number, subnet, ipv6, internal } => {
            let name = format!("net{number}").parse().unwrap();
            let mut spec = NetworkSpec::new(network(*number), name, Driver::Bridge);
            (spec.ipv6, spec.internal) = (*ipv6, *internal);
            spec.pools = subnet.iter().map(|n| fixed_pool(*n)).collect();
            model.create_network(spec, &around())
        }
        Operation::RemoveNetwork(number) => model.remove_network(network(*number)),
        Operation::CreateSandbox { number, ports, mode } => {
            let mut spec = SandboxSpec::new(sandbox(*number), format!("c{number}"));
            spec.publications =
                ports.iter().map(|(host, port)| publication(*host, *port)).collect();
            spec.mode = match mode {
                0 => Mode::Host,
                1 => Mode::Shared(sandbox(0)),
                _ => Mode::Own,
            };
            model.create_sandbox(spec)
        }
        Operation::RemoveSandbox(number) => model.remove_sandbox(sandbox(*number)),
        Operation::RenameSandbox(number) => model.rename_sandbox(sandbox(*number), "renamed"),
        Operation::Connect { sandbox: s, network: n, host, mac, priority } => {
            let id = EndpointId::from_bytes([step; 32]);
            let mut spec = EndpointSpec::new(id, network(*n), sandbox(*s));
            spec.ipv4 = host.map(|host| Ipv4Addr::new(10, 1, *n, host));
            spec.mac = mac.map(|n| format!("02:00:00:00:00:{n:02x}").parse().unwrap());
            spec.gw_priority = *priority;
            model.connect(spec)
        }
        Operation::Disconnect { sandbox: s, network: n } => {
            model.disconnect(sandbox(*s), network(*n))
        }
    }
}

/// Subnets of which some overlap: 10.1.0.0/29, 10.1.1.0/29 …, and 10.1.0.0/16 for the last.
fn fixed_pool(number: u8) -> PoolSpec {
    let text = if number == 4 { "10.1.0.0/16".to_owned() } else { format!("10.1.{number}.0/29") };
    let router = IpAddr::from([10, 1, number % 4, 3]);
    PoolSpec {
        subnet: Some(text.parse().unwrap()),
        auxiliary: [("router".to_owned(), router)].into(),
        ..PoolSpec::default()
    }
}

fn publication(host: u8, port: u8) -> Publication {
    let host = match host {
        0 => IpAddr::from([0, 0, 0, 0]),
        1 => IpAddr::from([127, 0, 0, 1]),
        _ => IpAddr::from([0u16; 8]),
    };
    let host_port = 8000 + u16::from(port);
    Publication { transport: Transport::Tcp, container_port: 80, host, host_port }
}

fn subnets(model: &Model) -> Vec<IpNet> {
    model.networks().flat_map(|n| n.pools.iter().map(|pool| pool.subnet)).collect()
}

fn check_pools(model: &Model) {
    let subnets = subnets(model);
    for (i, a) in subnets.iter().enumerate() {
        for b in &subnets[..i] {
            assert!(!a.contains(b) && !b.contains(a), "{a} and {b} overlap");
        }
    }
}

fn check_addresses(model: &Model) {
    for network in model.networks() {
        let endpoints = model.endpoints_of_network(network.id);
        let interfaces = endpoints.iter().filter_map(|endpoint| endpoint.interface.as_ref());
        let mut seen = BTreeSet::new();
        let mut macs = BTreeSet::from([network.gateway_mac()]);
        for interface in interfaces {
            assert!(macs.insert(interface.mac), "{} twice", interface.mac);
            let families: Vec<bool> = interface.addresses().map(|a| a.is_ipv6()).collect();
            let enabled = [(network.ipv4, false), (network.ipv6, true)];
            let wanted: Vec<bool> =
                enabled.iter().filter(|(on, _)| *on).map(|(_, v6)| *v6).collect();
            assert_eq!(families, wanted);
            for address in interface.addresses() {
                let pool = network.pool_of(address).unwrap();
                assert!(seen.insert(address), "{address} twice");
                assert_ne!(pool.gateway, Some(address));
                assert!(pool.auxiliary.values().all(|other| *other != address));
                assert_ne!(address, pool.subnet.network());
                assert!(address.is_ipv6() || address != pool.subnet.broadcast());
            }
        }
    }
}

fn check_sandboxes(model: &Model) {
    let mut links = BTreeSet::new();
    for sandbox in model.sandboxes() {
        let endpoints = model.endpoints_of_sandbox(sandbox.id);
        let networks: BTreeSet<_> = endpoints.iter().map(|endpoint| endpoint.network).collect();
        assert_eq!(networks.len(), endpoints.len(), "two endpoints on one network");
        assert!(sandbox.mode == Mode::Own || endpoints.is_empty());
        let interfaces = endpoints.iter().filter_map(|endpoint| endpoint.interface.as_ref());
        let mut names = BTreeSet::new();
        for interface in interfaces {
            assert!(names.insert(&interface.name), "{} twice", interface.name);
            assert!(links.insert(&interface.host_link), "{} twice", interface.host_link);
        }
        for p in &sandbox.publications {
            let holder = model.port_holder(p.host, p.transport, p.host_port);
            assert_eq!(holder, Some(sandbox.id));
        }
        let outside = model.gateway_endpoint(sandbox.id, false);
        let internal = |id| model.network(id).is_some_and(|network| network.internal);
        assert_eq!(outside.is_none(), endpoints.iter().all(|e| internal(e.network)));
        let best = endpoints.iter().filter(|e| !internal(e.network)).map(|e| e.gw_priority).max();
        assert_eq!(outside.map(|endpoint| endpoint.gw_priority), best);
    }
}

/// Only what is reported as touched has changed.
fn check_touched(before: &Model, after: &Model, touched: &Touched) {
    for id in (0..=255).map(|n| [n; 32]) {
        let (n, s) = (NetworkId::from_bytes(id), SandboxId::from_bytes(id));
        let e = EndpointId::from_bytes(id);
        assert!(touched.networks.contains(&n) || before.network(n) == after.network(n));
        assert!(touched.sandboxes.contains(&s) || before.sandbox(s) == after.sandbox(s));
        assert!(touched.endpoints.contains(&e) || before.endpoint(e) == after.endpoint(e));
    }
}

proptest! {
    #[test]
    fn laws_hold_after_every_operation(
        operations in prop::collection::vec(operation(), 0..80)
    ) {
        let mut model = Model::default();
        for (step, operation) in operations.iter().enumerate() {
            let before = model.clone();
            match run(&mut model, u8::try_from(step).unwrap(), operation) {
                Ok(touched) => check_touched(&before, &model, &touched),
                Err(_) => prop_assert_eq!(&model, &before),
            }
            check_pools(&model);
            check_addresses(&model);
            check_sandboxes(&model);
            prop_assert_eq!(&Model::from_records(model.records()).unwrap(), &model);
        }
    }

    #[test]
    fn what_is_undone_leaves_nothing(operations in prop::collection::vec(operation(), 0..40)) {
        let mut model = Model::default();
        for (step, operation) in operations.iter().enumerate() {
            let _ = run(&mut model, u8::try_from(step).unwrap(), operation);
        }
        for id in model.sandboxes().map(|s| s.id).collect::<Vec<_>>() {
            model.remove_sandbox(id).unwrap();
        }
        for id in model.networks().map(|n| n.id).collect::<Vec<_>>() {
            model.remove_network(id).unwrap();
        }
        prop_assert_eq!(model, Model::default());
    }
}
