//! The laws themselves, written as plainly as can be.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hawser_model::{
    EndpointId, IpamDriver, Mode, Model, Network, NetworkId, Pool, SandboxId, Touched, Way,
};
use ipnet::IpNet;

use crate::operations::{self, Operation, Source};
use crate::reserved::Reserved;

/// Everything that holds at any time.
pub fn laws(model: &Model, reserved: &Reserved) {
    pools(model);
    addresses(model);
    usage(model, reserved);
    sandboxes(model);
}

fn subnets(model: &Model) -> Vec<IpNet> {
    let real = model.networks().filter(|network| !network.config_only);
    real.flat_map(|n| n.pools.iter().map(|pool| pool.subnet)).collect()
}

fn pools(model: &Model) {
    let subnets = subnets(model);
    for (i, a) in subnets.iter().enumerate() {
        for b in &subnets[..i] {
            assert!(!a.contains(b) && !b.contains(a), "{a} and {b} overlap");
        }
    }
    for network in model.networks() {
        let template = network.config_from.and_then(|id| model.network(id));
        assert!(network.config_from.is_none() || template.is_some_and(|t| t.config_only));
        assert!(!network.config_only || network.config_from.is_none());
    }
}

fn addresses(model: &Model) {
    for network in model.networks() {
        let endpoints = model.endpoints_of_network(network.id);
        assert!(endpoints.is_empty() || !network.config_only);
        let interfaces = endpoints.iter().filter_map(|endpoint| endpoint.interface.as_ref());
        let mut seen = BTreeSet::new();
        let mut macs = BTreeSet::from([network.gateway_mac()]);
        for interface in interfaces {
            assert!(macs.insert(interface.mac), "{} twice", interface.mac);
            let families: Vec<bool> = interface.addresses().map(|a| a.is_ipv6()).collect();
            let managed = network.ipam_driver != IpamDriver::Null;
            let enabled = [(network.ipv4, false), (network.ipv6, true)];
            let wanted: Vec<bool> =
                enabled.iter().filter(|(on, _)| *on && managed).map(|(_, v6)| *v6).collect();
            assert_eq!(families, wanted);
            for address in interface.addresses() {
                assert!(seen.insert(address), "{address} twice");
                assert!(!is_special(network.pool_of(address).unwrap(), address), "{address}");
            }
            let local = interface.link_local.iter().map(IpNet::addr);
            local.for_each(|address| assert!(seen.insert(address), "{address} twice"));
        }
    }
}

fn is_special(pool: &Pool, address: IpAddr) -> bool {
    let ends = pool.subnet.max_prefix_len() - pool.subnet.prefix_len() > 1;
    (ends && address == pool.subnet.network())
        || (ends && address.is_ipv4() && address == pool.subnet.broadcast())
        || [pool.gateway, pool.next_hop].contains(&Some(address))
        || pool.auxiliary.values().any(|other| *other == address)
}

fn is_free(model: &Model, network: &Network, reserved: &Reserved, address: IpAddr) -> bool {
    let pool = network.pool_of(address).unwrap();
    !is_special(pool, address)
        && model.lease(network.id, address).is_none()
        && !reserved.holds(&network.name, address)
}

/// Dynamic addresses of a pool in order: as many as the small pools have.
fn dynamic(pool: &Pool) -> Vec<IpAddr> {
    let subnet = pool.ip_range.unwrap_or(pool.subnet);
    let v4 = |net: ipnet::Ipv4Net| (0..64).map(move |n| net.network().to_bits() + n);
    let all: Vec<IpAddr> = match subnet {
        IpNet::V4(net) => v4(net).map(|n| IpAddr::V4(n.into())).collect(),
        IpNet::V6(net) => {
            (0..64).map(|n| IpAddr::V6((net.network().to_bits() + n).into())).collect()
        }
    };
    all.into_iter().filter(|address| subnet.contains(address)).collect()
}

fn usage(model: &Model, reserved: &Reserved) {
    for network in model.networks() {
        let usage = model.usage(network.id);
        let pools: Vec<&Pool> = network.pools.iter().filter(|_| !network.config_only).collect();
        assert_eq!(usage.len(), pools.len());
        for (usage, pool) in usage.iter().zip(pools) {
            assert_eq!(usage.subnet, pool.subnet);
            if pool.subnet.max_prefix_len() - pool.subnet.prefix_len() > 6 {
                continue;
            }
            let whole = dynamic(&Pool { ip_range: None, ..pool.clone() });
            let free = |all: Vec<IpAddr>| {
                all.iter().filter(|a| is_free(model, network, reserved, **a)).count() as u64
            };
            assert_eq!(usage.dynamic_free, free(dynamic(pool)));
            assert_eq!(usage.in_use, whole.len() as u64 - free(whole));
        }
    }
}

/// What was not asked for is the lowest that is free.
pub fn next_free(before: &Model, after: &Model, reserved: &Reserved, operation: &Operation) {
    match operation {
        Operation::CreateNetwork { number, source: Source::Picked, template: false, .. } => {
            let network = after.network(operations::network(*number)).unwrap();
            for pool in &network.pools {
                assert_eq!(Some(pool.subnet), lowest_subnet(before, pool.subnet));
            }
        }
        Operation::Connect { sandbox, network, host, .. } => {
            let network = operations::network(*network);
            let endpoint = after.endpoint_between(operations::sandbox(*sandbox), network).unwrap();
            let network = before.network(network).unwrap();
            let interface = endpoint.interface.as_ref().unwrap();
            for address in interface.addresses().filter(|a| a.is_ipv6() || host.is_none()) {
                let same = |pool: &&Pool| pool.subnet.network().is_ipv6() == address.is_ipv6();
                let all = network.pools.iter().filter(same).flat_map(dynamic);
                let lowest = { all }.find(|a| is_free(before, network, reserved, *a));
                assert_eq!(Some(address), lowest);
            }
        }
        _ => {}
    }
}

/// The first subnet of the default pools, of the other's size, that meets nothing in use.
fn lowest_subnet(model: &Model, like: IpNet) -> Option<IpNet> {
    let around = operations::around();
    let mut used = subnets(model);
    used.extend(around.taken.iter().filter(|net| net.prefix_len() > 0));
    let same = |base: &IpNet| base.max_prefix_len() == like.max_prefix_len();
    let bases = around.pools.iter().map(|pool| pool.base).filter(same);
    let cut = bases.flat_map(|base| base.subnets(like.prefix_len()).unwrap());
    { cut }.find(|net| !used.iter().any(|other| other.contains(net) || net.contains(other)))
}

fn sandboxes(model: &Model) {
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
            let held = model.reach(sandbox.id).way(p.host) == Way::Host;
            assert!(!held || holder == Some(sandbox.id), "{p:?}");
        }
        gateway(model, sandbox.id);
    }
}

fn gateway(model: &Model, sandbox: SandboxId) {
    let leads = |id: NetworkId| {
        model.network(id).is_some_and(|network| !network.internal && !network.pools.is_empty())
    };
    let endpoints = model.endpoints_of_sandbox(sandbox);
    let outside = model.gateway_endpoint(sandbox, false);
    let best = endpoints.iter().filter(|e| leads(e.network)).map(|e| e.gw_priority).max();
    assert_eq!(outside.map(|endpoint| endpoint.gw_priority), best);
}

/// Only what is reported as touched has changed.
pub fn touched(before: &Model, after: &Model, touched: &Touched) {
    for id in (0..=255).map(|n| [n; 32]) {
        let (n, s) = (NetworkId::from_bytes(id), SandboxId::from_bytes(id));
        let e = EndpointId::from_bytes(id);
        assert!(touched.networks.contains(&n) || before.network(n) == after.network(n));
        assert!(touched.sandboxes.contains(&s) || before.sandbox(s) == after.sandbox(s));
        assert!(touched.endpoints.contains(&e) || before.endpoint(e) == after.endpoint(e));
    }
}
