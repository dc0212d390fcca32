//! Models that are worth to be looked at, made step by step, and changes of them.
//!
//! In: nothing. Out: named models, and named pairs of models with what was touched between them.
//! The goldens print them; the kernel's tests build them, once by `apply` and once by hand.

mod changes;
mod states;

use std::collections::BTreeMap;
use std::net::IpAddr;

use hawser_model::{
    DefaultPool, Driver, EndpointId, EndpointSpec, Model, NetworkId, NetworkSpec, PoolSpec,
    Publication, SandboxId, SandboxSpec, Surroundings, Transport, docker_pools,
};

pub use changes::{Step, changes};
pub use states::states;

/// A model that is built step by step, with ids that tell things apart.
pub struct Case {
    pub model: Model,
    pub around: Surroundings,
}

fn id(kind: u8, number: u8) -> [u8; 32] {
    let mut bytes = [number; 32];
    (bytes[0], bytes[31]) = (kind, kind);
    bytes
}

/// Id of a network.
pub fn net(number: u8) -> NetworkId {
    NetworkId::from_bytes(id(0xa0, number))
}

/// Id of a sandbox.
pub fn sandbox(number: u8) -> SandboxId {
    SandboxId::from_bytes(id(0xb0, number))
}

impl Case {
    fn new() -> Self {
        let fd00 = DefaultPool { base: "fd00:1::/48".parse().unwrap(), size: 64 };
        let pools = docker_pools().into_iter().chain([fd00]).collect();
        Self { model: Model::default(), around: Surroundings { pools, ..Surroundings::default() } }
    }

    /// The engine's own networks.
    pub fn predefined() -> Self {
        let mut case = Self::new();
        let networks =
            [(1, "bridge", Driver::Bridge), (2, "host", Driver::Host), (3, "none", Driver::Null)];
        for (number, name, driver) in networks {
            let mut spec = NetworkSpec::new(net(number), name.parse().unwrap(), driver);
            spec.predefined = true;
            if driver == Driver::Bridge {
                spec.options = options(&[("com.docker.network.bridge.name", "hawser0")]);
            }
            case.model.create_network(spec, &case.around).unwrap();
        }
        case
    }

    pub fn network(mut self, number: u8, change: impl FnOnce(&mut NetworkSpec)) -> Self {
        let name = format!("net{number}").parse().unwrap();
        let mut spec = NetworkSpec::new(net(number), name, Driver::Bridge);
        change(&mut spec);
        self.model.create_network(spec, &self.around).unwrap();
        self
    }

    pub fn sandbox(mut self, number: u8, change: impl FnOnce(&mut SandboxSpec)) -> Self {
        let mut spec = SandboxSpec::new(sandbox(number), format!("c{number}"));
        change(&mut spec);
        self.model.create_sandbox(spec).unwrap();
        self
    }

    pub fn connect(mut self, s: u8, n: u8, change: impl FnOnce(&mut EndpointSpec)) -> Self {
        let endpoint = EndpointId::from_bytes(id(0xc0 + n, s));
        let mut spec = EndpointSpec::new(endpoint, net(n), sandbox(s));
        change(&mut spec);
        self.model.connect(spec).unwrap();
        self
    }

    /// A sandbox that publishes 8080:80 for all addresses of both families, and another one, on
    /// network 4.
    fn two_on_it(self) -> Self {
        let all = [publish("0.0.0.0", 8080, 80), publish("::", 8080, 80)];
        let case = self.sandbox(1, |s| s.publications = all.to_vec()).connect(1, 4, nothing);
        case.sandbox(2, nothing).connect(2, 4, nothing)
    }
}

fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn publish(host: &str, host_port: u16, container_port: u16) -> Publication {
    let host: IpAddr = host.parse().unwrap();
    Publication { transport: Transport::Tcp, container_port, host, host_port }
}

fn pool(subnet: &str) -> PoolSpec {
    PoolSpec { subnet: Some(subnet.parse().unwrap()), ..PoolSpec::default() }
}

fn nothing<T>(_: &mut T) {}

fn dual_stack(spec: &mut NetworkSpec) {
    spec.ipv6 = true;
}
