//! Random operations, on few and small things, so that they meet.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use hawser_model::{
    DefaultPool, Driver, EndpointId, EndpointSpec, Error, IpamDriver, Mode, Model, NetworkChange,
    NetworkId, NetworkName, NetworkSpec, PoolSpec, Publication, SandboxId, SandboxSpec,
    Surroundings, Touched, Transport,
};
use ipnet::IpNet;
use proptest::prelude::*;

/// Where a network's pools come from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    Picked,
    Fixed(u8),
    Two(u8, u8),
    Sized(u8),
    Template(u8),
    Nobody,
}

#[derive(Clone, Debug)]
pub enum Operation {
    CreateNetwork { number: u8, source: Source, template: bool, ipv6: bool, internal: bool },
    UpdateNetwork { number: u8, what: u8 },
    RenameNetwork { number: u8, name: u8 },
    RemoveNetwork(u8),
    CreateSandbox { number: u8, ports: Vec<(u8, u8)>, mode: u8 },
    RemoveSandbox(u8),
    RenameSandbox(u8),
    Reserve { sandbox: u8, name: u8, hosts: BTreeSet<u8> },
    EndReservations(u8),
    Connect { sandbox: u8, network: u8, host: Option<u8>, mac: Option<u8>, local: Option<u8> },
    Disconnect { sandbox: u8, network: u8 },
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        3 => Just(Source::Picked),
        3 => (0..5u8).prop_map(Source::Fixed),
        1 => (0..5u8, 0..5u8).prop_map(|(a, b)| Source::Two(a, b)),
        1 => (26..32u8).prop_map(Source::Sized),
        1 => (0..6u8).prop_map(Source::Template),
        1 => Just(Source::Nobody),
    ]
}

pub fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let maybe = || prop::option::weighted(0.3, 0..9u8);
    let hosts = prop::collection::btree_set(0..9u8, 0..3);
    let template = prop::bool::weighted(0.2);
    prop_oneof![
        3 => (0..6u8, source(), template, any::<bool>(), any::<bool>()).prop_map(
            |(number, source, template, ipv6, internal)| CreateNetwork {
                number, source, template, ipv6, internal
            }
        ),
        2 => (0..6u8, 0..10u8).prop_map(|(number, what)| UpdateNetwork { number, what }),
        1 => (0..6u8, 0..6u8).prop_map(|(number, name)| RenameNetwork { number, name }),
        1 => (0..6u8).prop_map(RemoveNetwork),
        3 => (0..8u8, prop::collection::vec((0..3u8, 0..4u8), 0..3), 0..9u8)
            .prop_map(|(number, ports, mode)| CreateSandbox { number, ports, mode }),
        1 => (0..8u8).prop_map(RemoveSandbox),
        1 => (0..8u8).prop_map(RenameSandbox),
        2 => (0..8u8, 0..6u8, hosts)
            .prop_map(|(sandbox, name, hosts)| Reserve { sandbox, name, hosts }),
        1 => (0..8u8).prop_map(EndReservations),
        6 => (0..8u8, 0..6u8, maybe(), maybe(), maybe()).prop_map(
            |(sandbox, network, host, mac, local)| Connect { sandbox, network, host, mac, local }
        ),
        2 => (0..8u8, 0..6u8).prop_map(|(sandbox, network)| Disconnect { sandbox, network }),
    ]
}

/// Small pools, so that they run out.
pub fn around() -> Surroundings {
    let pool = |base: &str, size| DefaultPool { base: base.parse().unwrap(), size };
    Surroundings {
        pools: vec![pool("10.0.0.0/27", 29), pool("fd00::/62", 64)],
        taken: vec!["10.0.0.8/32".parse().unwrap(), "0.0.0.0/0".parse().unwrap()],
        ..Surroundings::default()
    }
}

pub fn network(number: u8) -> NetworkId {
    NetworkId::from_bytes([number; 32])
}

pub fn name(number: u8) -> NetworkName {
    format!("net{number}").parse().unwrap()
}

pub fn sandbox(number: u8) -> SandboxId {
    SandboxId::from_bytes([number; 32])
}

/// Addresses that a reservation of some network may be about.
pub fn reserved(hosts: &BTreeSet<u8>) -> BTreeSet<IpAddr> {
    let of =
        |host: &u8| [0, 1, 2, 3].map(|n| [10, 1, n, *host]).into_iter().chain([[10, 0, 0, *host]]);
    hosts.iter().flat_map(of).map(IpAddr::from).collect()
}

pub fn run(model: &mut Model, step: u8, operation: &Operation) -> Result<Touched, Error> {
    match operation {
        Operation::CreateNetwork { number, source, template, ipv6, internal } => {
            let mut spec = NetworkSpec::new(network(*number), name(*number), Driver::Bridge);
            (spec.ipv6, spec.internal, spec.config_only) = (*ipv6, *internal, *template);
            set_source(&mut spec, *source);
            model.create_network(spec, &around())
        }
        Operation::UpdateNetwork { number, what } => {
            model.update_network(network(*number), change(*what), &around())
        }
        Operation::RenameNetwork { number, name: to } => {
            model.rename_network(network(*number), name(*to))
        }
        Operation::RemoveNetwork(number) => model.remove_network(network(*number)),
        Operation::CreateSandbox { number, ports, mode } => {
            model.create_sandbox(sandbox_spec(*number, ports, *mode))
        }
        Operation::RemoveSandbox(number) => model.remove_sandbox(sandbox(*number)),
        Operation::RenameSandbox(number) => model.rename_sandbox(sandbox(*number), "renamed"),
        Operation::Reserve { sandbox: s, name: n, hosts } => {
            model.reserve(sandbox(*s), &name(*n), reserved(hosts));
            Ok(Touched::default())
        }
        Operation::EndReservations(s) => {
            model.end_reservations(sandbox(*s));
            Ok(Touched::default())
        }
        Operation::Connect { sandbox: s, network: n, host, mac, local } => {
            let id = EndpointId::from_bytes([step; 32]);
            let mut spec = EndpointSpec::new(id, network(*n), sandbox(*s));
            spec.ipv4 = host.and_then(|host| address(model, network(*n), host));
            spec.mac = mac.map(|n| format!("02:00:00:00:00:{n:02x}").parse().unwrap());
            spec.link_local = local.iter().map(|n| IpAddr::from([169, 254, 0, *n])).collect();
            spec.gw_priority = i64::from(step % 3);
            model.connect(spec)
        }
        Operation::Disconnect { sandbox: s, network: n } => {
            model.disconnect(sandbox(*s), network(*n))
        }
    }
}

fn set_source(spec: &mut NetworkSpec, source: Source) {
    match source {
        Source::Picked => {}
        Source::Fixed(n) => spec.pools = vec![fixed_pool(n)],
        Source::Two(a, b) => spec.pools = vec![fixed_pool(a), fixed_pool(b)],
        Source::Sized(n) => {
            let subnet = Some(IpNet::new(Ipv4Addr::UNSPECIFIED.into(), n).unwrap());
            spec.pools = vec![PoolSpec { subnet, ..PoolSpec::default() }];
        }
        Source::Template(n) => spec.config_from = Some(format!("net{n}")),
        Source::Nobody => spec.ipam_driver = IpamDriver::Null,
    }
}

fn change(what: u8) -> NetworkChange {
    let set = |key: &str, value: &str| [(key.to_owned(), Some(value.to_owned()))].into();
    let option =
        |key, value| NetworkChange { options: set(key, value), ..NetworkChange::default() };
    match what {
        0 => NetworkChange { labels: set("a", "b"), ..NetworkChange::default() },
        1 => NetworkChange {
            labels: [("a".to_owned(), None)].into(),
            options: [("hawser.dns".to_owned(), None)].into(),
            ..NetworkChange::default()
        },
        2 => option("com.docker.network.bridge.enable_icc", "false"),
        3 => option("com.docker.network.driver.mtu", "1000"),
        4 => option("hawser.dns", "10.9.9.9"),
        5 => option("com.docker.network.bridge.name", "other"),
        _ => NetworkChange { pools: vec![fixed_pool(what - 6)], ..NetworkChange::default() },
    }
}

fn sandbox_spec(number: u8, ports: &[(u8, u8)], mode: u8) -> SandboxSpec {
    let mut spec = SandboxSpec::new(sandbox(number), format!("c{number}"));
    spec.publications = ports.iter().map(|(host, port)| publication(*host, *port)).collect();
    spec.mode = match mode {
        0 => Mode::Host,
        1 => Mode::Shared(sandbox(0)),
        _ => Mode::Own,
    };
    spec
}

/// An address of the network's last pool, or one that it does not have.
fn address(model: &Model, network: NetworkId, host: u8) -> Option<Ipv4Addr> {
    let pools = model.network(network).map(|network| network.pools.clone()).unwrap_or_default();
    match pools.last().map(|pool| pool.subnet) {
        Some(IpNet::V4(subnet)) => {
            Some(Ipv4Addr::from_bits(subnet.network().to_bits() + u32::from(host)))
        }
        _ => Some(Ipv4Addr::new(10, 1, 0, host)),
    }
}

/// Subnets of which some overlap: 10.1.0.0/29, 10.1.1.0/29 …, and 10.1.0.0/16 for the last.
fn fixed_pool(number: u8) -> PoolSpec {
    let text = if number == 4 { "10.1.0.0/16".to_owned() } else { format!("10.1.{number}.0/29") };
    let router = IpAddr::from([10, 1, number % 4, 3]);
    PoolSpec {
        subnet: Some(text.parse().unwrap()),
        ip_range: (number == 1).then(|| "10.1.1.4/30".parse().unwrap()),
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
