//! What an operation costs does not grow with what there is: thousands of networks, tens of
//! thousands of leases. Compared are the quickest of many runs, so that a busy machine does not
//! matter; copying or sorting all there is would make them hundreds of times slower.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers outside of `#[test]` too")]

use std::time::{Duration, Instant};

use hawser_model::{
    DefaultPool, Driver, EndpointId, EndpointSpec, Mode, Model, NetworkId, NetworkSpec, PoolSpec,
    SandboxId, SandboxSpec, Surroundings,
};

/// Times slower with thousands than with tens; the depth of the maps grows, and what is copied of
/// them with the square root.
const LIMIT: u32 = 40;

fn bytes(number: u32) -> [u8; 32] {
    let mut bytes = [0; 32];
    // Ids are random: neighbours in number lie apart.
    bytes[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes());
    bytes
}

fn around() -> Surroundings {
    let base = "10.0.0.0/8".parse().unwrap();
    Surroundings { pools: vec![DefaultPool { base, size: 24 }], ..Surroundings::default() }
}

fn network(number: u32) -> NetworkSpec {
    let name = format!("net{number}").parse().unwrap();
    NetworkSpec::new(NetworkId::from_bytes(bytes(number)), name, Driver::Bridge)
}

fn networks(count: u32) -> Model {
    let mut model = Model::default();
    for number in 0..count {
        model.create_network(network(number), &around()).unwrap();
    }
    model
}

/// A sandbox for each endpoint, on one /16.
fn leases(count: u32) -> Model {
    let mut model = Model::default();
    let pool = PoolSpec { subnet: Some("10.0.0.0/16".parse().unwrap()), ..PoolSpec::default() };
    let spec = NetworkSpec { pools: vec![pool], ..network(0) };
    model.create_network(spec, &around()).unwrap();
    (0..count).for_each(|number| connect(&mut model, number));
    model
}

fn connect(model: &mut Model, number: u32) {
    let id = SandboxId::from_bytes(bytes(number));
    let spec = SandboxSpec { mode: Mode::Own, ..SandboxSpec::new(id, format!("c{number}")) };
    model.create_sandbox(spec).unwrap();
    let (endpoint, network) =
        (EndpointId::from_bytes(bytes(number)), NetworkId::from_bytes(bytes(0)));
    model.connect(EndpointSpec::new(endpoint, network, id)).unwrap();
}

/// The quickest run on a clone, which is what an engine works on.
fn quickest(model: &Model, run: impl Fn(&mut Model)) -> Duration {
    let once = |_| {
        let mut copy = model.clone();
        let start = Instant::now();
        run(&mut copy);
        start.elapsed()
    };
    (0..200).map(once).min().unwrap()
}

fn compare(few: &Model, many: &Model, run: impl Fn(&mut Model)) {
    let (few, many) = (quickest(few, &run), quickest(many, &run));
    assert!(many < few * LIMIT, "{few:?} and {many:?}");
}

#[test]
fn among_thousands_of_networks() {
    let (few, many) = (networks(20), networks(5_000));
    compare(&few, &many, |model| {
        model.create_network(network(9_999), &around()).unwrap();
    });
    compare(&few, &many, |model| {
        model.remove_network(NetworkId::from_bytes(bytes(7))).unwrap();
    });
    compare(&few, &many, |model| connect(model, 0));
    compare(&few, &many, |model| {
        assert!(model.resolve_network(&NetworkId::from_bytes(bytes(7)).short()).is_ok());
    });
}

#[test]
fn among_thousands_of_leases() {
    let (few, many) = (leases(20), leases(20_000));
    compare(&few, &many, |model| connect(model, 99_999));
    compare(&few, &many, |model| {
        let (sandbox, network) = (SandboxId::from_bytes(bytes(7)), NetworkId::from_bytes(bytes(0)));
        model.disconnect(sandbox, network).unwrap();
    });
    compare(&few, &many, |model| {
        assert_eq!(model.usage(NetworkId::from_bytes(bytes(0))).len(), 1);
    });
}
