//! Goldens of the plan: a network in, `ip`/`nft` text out, for the options that matter.
//! `INSTA_UPDATE=always cargo test -p hawser-plan` writes them anew.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers outside of `#[test]` too")]

use std::net::IpAddr;
use std::path::PathBuf;

use hawser_hoststate::{Change, HostState, NamespaceName, commands, diff};
use hawser_model::{
    Driver, EndpointId, EndpointSpec, Mode, Model, NetworkId, NetworkSpec, PoolSpec, Publication,
    SandboxId, SandboxSpec, Surroundings, Touched, Transport, docker_pools,
};
use hawser_plan::{Settings, plan, plan_all};

/// A model that is built step by step, with ids that tell things apart.
struct Case {
    model: Model,
    around: Surroundings,
}

fn id(kind: u8, number: u8) -> [u8; 32] {
    let mut bytes = [number; 32];
    (bytes[0], bytes[31]) = (kind, kind);
    bytes
}

fn net(number: u8) -> NetworkId {
    NetworkId::from_bytes(id(0xa0, number))
}

fn sandbox(number: u8) -> SandboxId {
    SandboxId::from_bytes(id(0xb0, number))
}

impl Case {
    fn new() -> Self {
        let pools =
            vec![hawser_model::DefaultPool { base: "fd00:1::/48".parse().unwrap(), size: 64 }];
        let pools = docker_pools().into_iter().chain(pools).collect();
        Self { model: Model::default(), around: Surroundings { pools, taken: Vec::new() } }
    }

    /// The engine's own networks.
    fn predefined() -> Self {
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

    fn network(mut self, number: u8, change: impl FnOnce(&mut NetworkSpec)) -> Self {
        let name = format!("net{number}").parse().unwrap();
        let mut spec = NetworkSpec::new(net(number), name, Driver::Bridge);
        change(&mut spec);
        self.model.create_network(spec, &self.around).unwrap();
        self
    }

    fn sandbox(mut self, number: u8, change: impl FnOnce(&mut SandboxSpec)) -> Self {
        let mut spec = SandboxSpec::new(sandbox(number), format!("c{number}"));
        change(&mut spec);
        self.model.create_sandbox(spec).unwrap();
        self
    }

    fn connect(mut self, s: u8, n: u8, change: impl FnOnce(&mut EndpointSpec)) -> Self {
        let endpoint = EndpointId::from_bytes(id(0xc0 + n, s));
        let mut spec = EndpointSpec::new(endpoint, net(n), sandbox(s));
        change(&mut spec);
        self.model.connect(spec).unwrap();
        self
    }

    fn text(&self) -> String {
        let state = plan_all(&self.model, &Settings::default());
        lines(&diff(&HostState::default(), &state))
    }
}

fn options(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn publish(host: &str, host_port: u16, container_port: u16) -> Publication {
    let host: IpAddr = host.parse().unwrap();
    Publication { transport: Transport::Tcp, container_port, host, host_port }
}

fn nothing<T>(_: &mut T) {}

fn dual_stack(spec: &mut NetworkSpec) {
    spec.ipv6 = true;
}

#[test]
fn default_bridge() {
    let case = Case::predefined().sandbox(1, nothing).connect(1, 1, nothing);
    insta::assert_snapshot!(case.text());
}

#[test]
fn host_none_and_shared_sandboxes() {
    let case = Case::predefined()
        .sandbox(1, |s| s.mode = Mode::Host)
        .connect(1, 2, nothing)
        .sandbox(2, nothing)
        .connect(2, 3, nothing)
        .sandbox(3, |s| s.mode = Mode::Shared(sandbox(2)));
    insta::assert_snapshot!(case.text());
}

#[test]
fn user_bridge_with_options() {
    let case = Case::new().network(4, |spec| {
        spec.pools = vec![PoolSpec {
            subnet: Some("192.168.31.0/24".parse().unwrap()),
            ip_range: Some("192.168.31.128/25".parse().unwrap()),
            gateway: Some("192.168.31.254".parse().unwrap()),
            next_hop: Some("192.168.31.253".parse().unwrap()),
            ..PoolSpec::default()
        }];
        spec.options = options(&[
            ("com.docker.network.bridge.name", "lab0"),
            ("com.docker.network.bridge.enable_ip_masquerade", "false"),
            ("com.docker.network.container_iface_prefix", "lan"),
        ]);
    });
    let case =
        case.sandbox(1, nothing).connect(1, 4, nothing).sandbox(2, nothing).connect(2, 4, |spec| {
            spec.ipv4 = Some([192, 168, 31, 25].into());
            spec.mac = Some("02:42:c0:a8:1f:19".parse().unwrap());
        });
    insta::assert_snapshot!(case.text());
}

#[test]
fn internal() {
    let case = Case::new().network(4, |spec| spec.internal = true);
    let publishing = |s: &mut SandboxSpec| s.publications = vec![publish("0.0.0.0", 80, 80)];
    insta::assert_snapshot!(case.sandbox(1, publishing).connect(1, 4, nothing).text());
}

#[test]
fn without_icc_and_with_an_mtu() {
    let case = Case::new().network(4, |spec| {
        spec.options = options(&[
            ("com.docker.network.bridge.enable_icc", "false"),
            ("com.docker.network.driver.mtu", "1400"),
        ]);
    });
    insta::assert_snapshot!(case.sandbox(1, nothing).connect(1, 4, nothing).text());
}

#[test]
fn dual_stack_and_ipv6_only() {
    let case = Case::new().network(4, dual_stack).network(5, |spec| {
        (spec.ipv4, spec.ipv6) = (false, true);
    });
    let case = case.sandbox(1, nothing).connect(1, 4, nothing);
    insta::assert_snapshot!(case.sandbox(2, nothing).connect(2, 5, nothing).text());
}

#[test]
fn publications() {
    let case = Case::new().network(4, nothing).network(5, dual_stack);
    let all = |s: &mut SandboxSpec| {
        s.publications = vec![
            publish("0.0.0.0", 8088, 80),
            publish("::", 8088, 80),
            publish("127.0.0.1", 9000, 90),
            publish("fd00:9::1", 9000, 90),
        ];
    };
    let other = |s: &mut SandboxSpec| {
        let udp = Publication { transport: Transport::Udp, ..publish("0.0.0.0", 8088, 53) };
        s.publications = vec![udp, publish("::", 8089, 80)];
    };
    let case = case.sandbox(1, all).connect(1, 5, nothing);
    insta::assert_snapshot!(case.sandbox(2, other).connect(2, 4, nothing).text());
}

#[test]
fn two_networks_on_one_sandbox() {
    let case = Case::new().network(4, nothing).network(5, nothing);
    let publishing = |s: &mut SandboxSpec| s.publications = vec![publish("0.0.0.0", 80, 80)];
    let case = case.sandbox(1, publishing).connect(1, 4, nothing);
    insta::assert_snapshot!(case.connect(1, 5, |spec| spec.gw_priority = 1).text());
}

#[test]
fn sysctls_asked_for() {
    let case = Case::new().sandbox(1, |s| {
        s.sysctls = options(&[
            ("net.ipv4.ip_unprivileged_port_start", "1024"),
            ("net.ipv4.conf.eth0/1.forwarding", "1"),
        ]);
    });
    insta::assert_snapshot!(case.text());
}

/// Disconnecting the network that leads outside: route and ports move to the other one, and
/// nothing else is touched.
#[test]
fn disconnect_moves_the_way_out() {
    let case = Case::new().network(4, nothing).network(5, nothing);
    let publishing = |s: &mut SandboxSpec| s.publications = vec![publish("0.0.0.0", 80, 80)];
    let case = case.sandbox(1, publishing).connect(1, 4, nothing).connect(1, 5, nothing);
    let mut after = case.model.clone();
    let touched = after.disconnect(sandbox(1), net(4)).unwrap();
    insta::assert_snapshot!(steps(&case.model, &after, &touched));
}

/// A whole container goes: what the kernel takes along is not listed.
#[test]
fn removing_a_sandbox() {
    let case = Case::new().network(4, nothing);
    let publishing = |s: &mut SandboxSpec| s.publications = vec![publish("0.0.0.0", 80, 80)];
    let case = case.sandbox(1, publishing).connect(1, 4, nothing);
    let mut after = case.model.clone();
    let touched = after.remove_sandbox(sandbox(1)).unwrap();
    insta::assert_snapshot!(steps(&case.model, &after, &touched));
}

/// A bridge of somebody else's: no link, no address, and its own answer to "who has the gateway?".
#[test]
fn existing_bridge() {
    let case = Case::new().network(4, |spec| {
        spec.options = options(&[
            ("com.docker.network.bridge.name", "docker0"),
            ("hawser.bridge.existing", "true"),
        ]);
    });
    insta::assert_snapshot!(case.sandbox(1, nothing).connect(1, 4, nothing).text());
}

fn steps(old: &Model, new: &Model, touched: &Touched) -> String {
    let settings = Settings::default();
    lines(&diff(&plan(old, touched, &settings), &plan(new, touched, &settings)))
}

fn lines(changes: &[Change]) -> String {
    let pin = |ns: &NamespaceName| PathBuf::from(format!("/run/hawser/netns/{ns}"));
    commands(changes, &pin).iter().map(|line| format!("{line}\n")).collect()
}

/// Fragments add up: what an operation plans for what it touched is all that changes.
#[test]
fn fragments_add_up() {
    let case = Case::predefined().network(4, dual_stack).sandbox(1, |s| {
        s.publications = vec![publish("0.0.0.0", 80, 80)];
    });
    let settings = Settings::default();
    let mut model = case.model.clone();
    let endpoint = EndpointId::from_bytes([7; 32]);
    let spec = EndpointSpec::new(endpoint, net(4), sandbox(1));
    let touched = model.connect(spec).unwrap();
    let whole = diff(&plan_all(&case.model, &settings), &plan_all(&model, &settings));
    let part = diff(&plan(&case.model, &touched, &settings), &plan(&model, &touched, &settings));
    assert_eq!(whole, part);
    assert!(!part.is_empty());
}
