//! The networks that are always there: `bridge`, `host` and `none`.
//!
//! In: the daemon's settings. Out: what the model is asked to make at the first start, and again
//! for the default bridge when the settings have changed and nobody is on it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hawser_model::{
    Driver, Model, NetworkId, NetworkName, NetworkSpec, PoolSpec, Surroundings, Touched,
};
use ipnet::IpNet;

use super::law;
use crate::engine::system;
use crate::error::Result;
use crate::settings::Settings;

const BRIDGE: &str = "com.docker.network.bridge.";

/// Makes what is missing; answers what was touched.
pub(super) fn ensure(
    model: &mut Model,
    settings: &Settings,
    around: &Surroundings,
    now: &str,
) -> Result<Touched> {
    let mut touched = Touched::default();
    for (name, driver) in [("host", Driver::Host), ("none", Driver::Null)] {
        if model.resolve_network(name).is_err() {
            touched.merge(make(model, plain(name, driver, now)?, around)?);
        }
    }
    touched.merge(ensure_bridge(model, settings, around, now)?);
    Ok(touched)
}

fn ensure_bridge(
    model: &mut Model,
    settings: &Settings,
    around: &Surroundings,
    now: &str,
) -> Result<Touched> {
    let mut touched = Touched::default();
    let present = model.resolve_network("bridge").ok().cloned();
    let wanted = default_bridge(settings, now)?;
    if let Some(present) = present {
        let kept = !settings.bridge.disabled
            && present.ipv6 == wanted.ipv6
            && present.options == wanted.options
            && same_pools(&present.pools, &wanted);
        let used = !model.endpoints_of_network(present.id).is_empty();
        if kept || used {
            if !kept {
                tracing::warn!(
                    "the default bridge keeps its old settings until no container uses it"
                );
            }
            return Ok(touched);
        }
        touched.merge(drop_unused(model, present.id)?);
    }
    if !settings.bridge.disabled {
        touched.merge(make(model, wanted, around)?);
    }
    Ok(touched)
}

/// Takes a predefined network out: users can't, so the model has no verb for it.
fn drop_unused(model: &mut Model, id: NetworkId) -> Result<Touched> {
    let mut records = model.records();
    records.networks.retain(|network| network.id != id);
    *model = Model::from_records(records).map_err(law)?;
    Ok(Touched { networks: BTreeSet::from([id]), ..Touched::default() })
}

fn same_pools(present: &[hawser_model::Pool], wanted: &NetworkSpec) -> bool {
    wanted.pools.iter().all(|w| {
        w.subnet.is_none_or(|subnet| {
            present.iter().any(|p| {
                p.subnet == subnet
                    && p.ip_range == w.ip_range
                    && w.gateway.is_none_or(|g| p.gateway == Some(g))
                    && p.next_hop == w.next_hop
            })
        })
    })
}

fn make(model: &mut Model, spec: NetworkSpec, around: &Surroundings) -> Result<Touched> {
    let name = spec.name.to_string();
    model.create_network(spec, around).map_err(|e| system(&format!("make the network {name}"), e))
}

fn plain(name: &str, driver: Driver, now: &str) -> Result<NetworkSpec> {
    let name: NetworkName = name.parse().map_err(law)?;
    let mut spec = NetworkSpec::new(NetworkId::from_bytes(rand::random()), name, driver);
    spec.predefined = true;
    spec.created = now.to_owned();
    Ok(spec)
}

/// The default bridge as `--bridge-name`, `--bip`, `--fixed-cidr`, `--default-gateway`, their IPv6
/// sisters, `--icc`, `--ip-masq` and `--mtu` say.
fn default_bridge(settings: &Settings, now: &str) -> Result<NetworkSpec> {
    let bridge = &settings.bridge;
    let mut spec = plain("bridge", Driver::Bridge, now)?;
    let mtu = if settings.mtu == 0 { 1500 } else { settings.mtu };
    let host = settings.publish_address.map_or("0.0.0.0".to_owned(), |a| a.to_string());
    for (key, value) in [
        ("default_bridge", "true".to_owned()),
        ("enable_icc", bridge.icc.to_string()),
        ("enable_ip_masquerade", bridge.masquerade.to_string()),
        ("host_binding_ipv4", host),
        ("name", bridge.name.clone()),
    ] {
        spec.options.insert(format!("{BRIDGE}{key}"), value);
    }
    spec.options.insert("com.docker.network.driver.mtu".to_owned(), mtu.to_string());
    if bridge.existing {
        spec.options.insert("hawser.bridge.existing".to_owned(), "true".to_owned());
    }
    spec.pools.push(pool(
        bridge.bip.map(IpNet::V4),
        bridge.fixed_cidr.map(IpNet::V4),
        bridge.gateway,
    ));
    spec.ipv6 = bridge.ipv6;
    let six =
        pool(bridge.bip6.map(IpNet::V6), bridge.fixed_cidr_v6.map(IpNet::V6), bridge.gateway_v6);
    if spec.ipv6 && six.subnet.is_some() {
        spec.pools.push(six);
    }
    Ok(spec)
}

/// What the settings say of one family: the bridge's address, a range, another gateway.
fn pool(address: Option<IpNet>, range: Option<IpNet>, next_hop: Option<IpAddr>) -> PoolSpec {
    let subnet = address.map(|net| net.trunc()).or(range);
    PoolSpec {
        subnet,
        ip_range: range.filter(|r| Some(*r) != subnet),
        gateway: address.map(|net| net.addr()),
        next_hop,
        ..PoolSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use hawser_model::{EndpointId, EndpointSpec, SandboxId, SandboxSpec, docker_pools};

    use super::*;
    use crate::settings::DefaultBridge;

    fn settings(change: impl FnOnce(&mut DefaultBridge)) -> Settings {
        let mut bridge = DefaultBridge {
            name: "hawser0".to_owned(),
            icc: true,
            masquerade: true,
            ..DefaultBridge::default()
        };
        change(&mut bridge);
        Settings {
            data_root: PathBuf::new(),
            exec_root: PathBuf::new(),
            bridge,
            address_pools: Vec::new(),
            publish_address: None,
            publish_policy: Default::default(),
            mtu: 0,
            dns: Vec::new(),
            dns_search: Vec::new(),
            dns_options: Vec::new(),
            runtimes: BTreeMap::new(),
            default_runtime: String::new(),
            labels: Vec::new(),
            default_shm_size: 0,
            default_ipc_mode: String::new(),
            init: false,
            debug: false,
            host_gateway: None,
            registries: crate::settings::RegistryPolicy::default(),
            firewall_lock: true,
            dns_cache: true,
        }
    }

    fn start(model: &mut Model, settings: &Settings, taken: &[&str]) -> Touched {
        let taken = taken.iter().map(|net| net.parse().unwrap()).collect();
        ensure(
            model,
            settings,
            &Surroundings { pools: docker_pools(), taken, ..Surroundings::default() },
            "",
        )
        .unwrap()
    }

    fn subnet(model: &Model) -> (String, IpAddr) {
        let pool = &model.resolve_network("bridge").unwrap().pools[0];
        (pool.subnet.to_string(), pool.gateway.unwrap())
    }

    #[test]
    fn the_first_start_makes_three_networks_and_the_next_none() {
        let mut model = Model::default();
        let plain = settings(|_| {});
        assert_eq!(start(&mut model, &plain, &[]).networks.len(), 3);
        assert_eq!(subnet(&model), ("172.17.0.0/16".to_owned(), [172, 17, 0, 1].into()));
        assert_eq!(start(&mut model, &plain, &["10.0.0.0/8"]), Touched::default());
    }

    #[test]
    fn a_pool_in_use_on_the_host_is_passed_over() {
        let mut model = Model::default();
        start(&mut model, &settings(|_| {}), &["172.17.0.0/16", "172.18.4.0/24"]);
        assert_eq!(subnet(&model), ("172.19.0.0/16".to_owned(), [172, 19, 0, 1].into()));
    }

    #[test]
    fn bip_and_fixed_cidr_say_what_the_subnet_is() {
        let mut model = Model::default();
        let own = settings(|b| {
            b.bip = Some("172.17.42.1/16".parse().unwrap());
            b.fixed_cidr = Some("172.17.7.0/24".parse().unwrap());
        });
        start(&mut model, &own, &["172.17.0.0/16"]);
        assert_eq!(subnet(&model), ("172.17.0.0/16".to_owned(), [172, 17, 42, 1].into()));
        let range = model.resolve_network("bridge").unwrap().pools[0].ip_range;
        assert_eq!(range, Some("172.17.7.0/24".parse().unwrap()));
    }

    #[test]
    fn ipv6_is_the_engines_block_unless_told_otherwise() {
        let pools = |change: fn(&mut DefaultBridge)| {
            let mut around = Surroundings { pools: docker_pools(), ..Surroundings::default() };
            let base = "fd12:3456:789a::/48".parse().unwrap();
            around.pools.push(hawser_model::DefaultPool { base, size: 64 });
            let mut model = Model::default();
            ensure(&mut model, &settings(change), &around, "").unwrap();
            let bridge = model.resolve_network("bridge").unwrap().clone();
            let text = |p: &hawser_model::Pool| format!("{} {}", p.subnet, p.gateway.unwrap());
            (bridge.ipv6, bridge.pools.iter().map(text).collect::<Vec<_>>())
        };
        let four = "172.17.0.0/16 172.17.0.1".to_owned();
        assert_eq!(pools(|_| {}), (false, vec![four.clone()]));
        let own = "fd12:3456:789a::/64 fd12:3456:789a::1".to_owned();
        assert_eq!(pools(|b| b.ipv6 = true), (true, vec![four.clone(), own]));
        let told = "fd17::/64 fd17::5".to_owned();
        let bip6 = |b: &mut DefaultBridge| {
            b.ipv6 = true;
            b.bip6 = Some("fd17::5/64".parse().unwrap());
        };
        assert_eq!(pools(bip6), (true, vec![four, told]));
    }

    #[test]
    fn new_settings_make_a_new_bridge_once_nobody_is_on_it() {
        let mut model = Model::default();
        start(&mut model, &settings(|_| {}), &[]);
        let other = settings(|b| b.name = "docker0".to_owned());
        let bridge = model.resolve_network("bridge").unwrap().id;
        let sandbox = SandboxId::from_bytes([1; 32]);
        model.create_sandbox(SandboxSpec::new(sandbox, "c1")).unwrap();
        let endpoint = EndpointId::from_bytes([2; 32]);
        model.connect(EndpointSpec::new(endpoint, bridge, sandbox)).unwrap();
        assert_eq!(start(&mut model, &other, &[]), Touched::default());
        model.remove_sandbox(sandbox).unwrap();
        assert_eq!(start(&mut model, &other, &[]).networks.len(), 2);
        assert_eq!(model.resolve_network("bridge").unwrap().bridge_name().as_str(), "docker0");
    }

    #[test]
    fn the_default_bridge_can_be_absent() {
        let mut model = Model::default();
        start(&mut model, &settings(|b| b.disabled = true), &[]);
        assert!(model.resolve_network("bridge").is_err());
        assert!(model.resolve_network("none").is_ok());
    }
}
