//! The law of published ports: no packet can be meant for two containers, and whatever does not
//! break that is allowed.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers outside of `#[test]` too")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use hawser_model::{
    DefaultPool, Driver, EndpointId, EndpointSpec, Error, Mode, Model, NetworkId, NetworkSpec,
    Publication, SandboxId, SandboxSpec, Surroundings, Touched, Transport, docker_pools,
};
use proptest::prelude::*;

/// A packet to the host: which address, protocol and port it is for.
type Packet = (IpAddr, Transport, u16);

/// Addresses that the host has. Packets are for these.
const ADDRESSES: [&str; 6] = ["127.0.0.1", "10.0.0.1", "10.0.0.2", "::1", "fd00::1", "fd00::2"];

/// All packets that a publication takes, found out the long way.
fn packets(publication: &Publication) -> BTreeSet<Packet> {
    let addresses = ADDRESSES.iter().map(|text| text.parse::<IpAddr>().unwrap());
    let its = addresses.filter(|address| match publication.host {
        IpAddr::V4(host) if host.is_unspecified() => address.is_ipv4(),
        IpAddr::V6(host) if host.is_unspecified() => address.is_ipv6(),
        host => host == *address,
    });
    its.map(|address| (address, publication.transport, publication.host_port)).collect()
}

/// Who takes which packet.
type Taken = BTreeMap<Packet, SandboxId>;

/// Gives a sandbox all that these publications take, unless some of it is taken.
fn take(taken: &mut Taken, id: SandboxId, publications: &[Publication]) -> Result<(), SandboxId> {
    let mut next = taken.clone();
    for publication in publications.iter().collect::<BTreeSet<_>>() {
        for packet in packets(publication) {
            if let Some(holder) = next.insert(packet, id) {
                return Err(holder);
            }
        }
    }
    *taken = next;
    Ok(())
}

fn publications() -> impl Strategy<Value = Vec<Publication>> {
    let host = prop::sample::select([&ADDRESSES[..], &["0.0.0.0", "::"]].concat());
    let transport = prop::sample::select(vec![Transport::Tcp, Transport::Udp, Transport::Sctp]);
    let one = (host, transport, 8000..8003_u16, 80..82_u16);
    let one = one.prop_map(|(host, transport, host_port, container_port)| {
        let host = host.parse().unwrap();
        Publication { transport, container_port, host, host_port }
    });
    prop::collection::vec(one, 0..4)
}

#[derive(Clone, Debug)]
enum Step {
    Start(u8, Vec<Publication>),
    Publish(u8, Vec<Publication>),
    Stop(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_u8, publications()).prop_map(|(n, p)| Step::Start(n, p)),
        2 => (0..4_u8, publications()).prop_map(|(n, p)| Step::Publish(n, p)),
        1 => (0..4_u8).prop_map(Step::Stop),
    ]
}

/// A model with a network of both families.
fn dual_stack() -> Model {
    let v6 = DefaultPool { base: "fd00:1::/48".parse().unwrap(), size: 64 };
    let pools = docker_pools().into_iter().chain([v6]).collect();
    let mut spec = NetworkSpec::new(network(), "net".parse().unwrap(), Driver::Bridge);
    spec.ipv6 = true;
    let mut model = Model::default();
    model.create_network(spec, &Surroundings { pools, ..Surroundings::default() }).unwrap();
    model
}

fn network() -> NetworkId {
    NetworkId::from_bytes([9; 32])
}

/// A container starts, or does not.
fn start(model: &mut Model, number: u8, publications: Vec<Publication>) -> Result<Touched, Error> {
    let id = sandbox(number);
    let endpoint = EndpointId::from_bytes([number + 1; 32]);
    let before = model.clone();
    let mut spec = SandboxSpec::new(id, format!("c{number}"));
    // Either way it is published: before there is an endpoint, or when there is one.
    let later = if number.is_multiple_of(2) {
        publications
    } else {
        spec.publications = publications;
        Vec::new()
    };
    model.create_sandbox(spec)?;
    let mut done = model.connect(EndpointSpec::new(endpoint, network(), id));
    if number.is_multiple_of(2) && done.is_ok() {
        done = model.publish(id, later);
    }
    if done.is_err() {
        *model = before;
    }
    done
}

fn sandbox(number: u8) -> SandboxId {
    SandboxId::from_bytes([number + 1; 32])
}

/// What the model did is what the law says; whoever is named does hold a port that is wanted.
fn agree(done: Result<Touched, Error>, law: Result<(), SandboxId>, taken: &Taken, own: SandboxId) {
    match (done, law) {
        (Ok(_), Ok(())) => {}
        (Err(Error::PortInUse { address, transport, port, holder }), Err(_)) => {
            let wanted =
                Publication { transport, container_port: 1, host: address, host_port: port };
            let of_holder = |packet: &Packet| taken.get(packet) == Some(&holder);
            assert!(holder == own || packets(&wanted).iter().any(of_holder), "{wanted:?} {holder}");
        }
        (done, law) => panic!("the model says {done:?}, the law {law:?}"),
    }
}

proptest! {
    #[test]
    fn a_packet_is_for_one_container(steps in prop::collection::vec(step(), 1..30)) {
        let mut model = dual_stack();
        let mut taken = Taken::new();
        for step in steps {
            let before = model.clone();
            match step {
                Step::Start(number, publications) if model.sandbox(sandbox(number)).is_none() => {
                    let law = take(&mut taken, sandbox(number), &publications);
                    agree(start(&mut model, number, publications), law, &taken, sandbox(number));
                }
                Step::Start(number, publications) | Step::Publish(number, publications) => {
                    let id = sandbox(number);
                    if model.sandbox(id).is_none() {
                        prop_assert!(model.publish(id, publications).is_err());
                        continue;
                    }
                    let mut without = taken.clone();
                    without.retain(|_, holder| *holder != id);
                    let law = take(&mut without, id, &publications);
                    let done = model.publish(id, publications);
                    if done.is_err() {
                        prop_assert_eq!(&model, &before);
                    } else {
                        taken = without;
                    }
                    agree(done, law, &taken, id);
                }
                Step::Stop(number) => {
                    if model.remove_sandbox(sandbox(number)).is_ok() {
                        taken.retain(|_, holder| *holder != sandbox(number));
                    }
                }
            }
            for ((address, transport, port), holder) in &taken {
                prop_assert_eq!(model.port_holder(*address, *transport, *port), Some(*holder));
            }
            let again = Model::from_records(model.records()).unwrap();
            prop_assert_eq!(again, model.clone());
        }
    }
}

#[test]
fn only_a_namespace_of_its_own_publishes() {
    let mut model = Model::default();
    let mut spec = SandboxSpec::new(sandbox(1), "c");
    spec.mode = Mode::Host;
    model.create_sandbox(spec).unwrap();
    let host = "0.0.0.0".parse().unwrap();
    let wanted = Publication { transport: Transport::Tcp, container_port: 80, host, host_port: 80 };
    assert!(matches!(model.publish(sandbox(1), vec![wanted]), Err(Error::PublishWithoutNetwork)));
}
