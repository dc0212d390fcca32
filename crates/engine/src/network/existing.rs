//! Networks on a bridge that somebody else made.
//!
//! In: a network asked for with the name of a link. Out: the same, to be used as it is: the bridge
//! is never made, changed or removed, so the addresses of the network follow the bridge's own.

use std::net::IpAddr;

use hawser_kernel::{ForeignLink, Kernel};
use hawser_model::{Driver, IpamDriver, NetworkSpec, PoolSpec};
use ipnet::IpNet;

use crate::engine::system;
use crate::error::{Error, Result};
use crate::settings::DefaultBridge;

const NAME: &str = "com.docker.network.bridge.name";
const INHIBIT: &str = "com.docker.network.bridge.inhibit_ipv4";
const EXISTING: &str = "hawser.bridge.existing";

/// Makes a network use the bridge that it names, if there is one that is not the engine's.
///
/// # Errors
/// Invalid: the link is no bridge, or lacks the address that containers need as their gateway.
pub(super) fn adopt(kernel: &Kernel, spec: &mut NetworkSpec) -> Result<()> {
    // A name that is none is the model's to refuse.
    let name = spec.options.get(NAME).and_then(|name| name.parse().ok());
    let Some(name) = name.filter(|_| spec.driver == Driver::Bridge) else { return Ok(()) };
    let look = |e| system(&format!("look at the bridge {name}"), e);
    match kernel.foreign_link(&name).map_err(look)? {
        None if spec.options.get(EXISTING).is_some_and(|yes| yes == "true") => {
            Err(Error::invalid(format!("there is no bridge {name}: make it first")))
        }
        None => Ok(()),
        Some(ForeignLink::Other) => {
            Err(Error::invalid(format!("existing interface {name} is not a bridge")))
        }
        Some(ForeignLink::Bridge) => {
            let addresses = kernel.link_addresses(&name).map_err(look)?;
            spec.options.insert(EXISTING.to_owned(), "true".to_owned());
            follow(spec, name.as_str(), &addresses)
        }
    }
}

/// Takes subnets and gateways that were left out from the addresses of the bridge.
fn follow(spec: &mut NetworkSpec, bridge: &str, addresses: &[IpNet]) -> Result<()> {
    if spec.ipam_driver == IpamDriver::Null {
        return Ok(());
    }
    let inhibited = spec.options.contains_key(INHIBIT);
    for v6 in [false, true] {
        let wanted = if v6 { spec.ipv6 } else { spec.ipv4 && !inhibited };
        if !wanted {
            continue;
        }
        let own = || usable(addresses, v6);
        let asked = |pool: &PoolSpec| pool.subnet.as_ref().is_some_and(|net| is_v6(net) == v6);
        if !spec.pools.iter().any(asked) {
            let net = own().next().ok_or_else(|| lacking(bridge, v6))?;
            let (subnet, gateway) = (Some(net.trunc()), Some(net.addr()));
            spec.pools.push(PoolSpec { subnet, gateway, ..PoolSpec::default() });
        }
        for pool in spec.pools.iter_mut().filter(|pool| asked(pool) && pool.gateway.is_none()) {
            let inside = |net: &&IpNet| pool.subnet.is_some_and(|s| s.contains(&net.addr()));
            pool.gateway = own().find(inside).map(IpNet::addr);
            if pool.gateway.is_none() && !spec.internal {
                return Err(lacking(bridge, v6));
            }
        }
    }
    Ok(())
}

/// The same for the default network, which the daemon was told to have on such a bridge
/// (`--bridge`): its addresses become the settings of that network.
///
/// # Errors
/// Invalid: the bridge lacks an address of a family that the network has. System: it is not there.
pub(super) fn follow_default(kernel: &Kernel, settings: &mut DefaultBridge) -> Result<()> {
    let bridge = &settings.name;
    let name = bridge.parse().map_err(|e| system("read --bridge", e))?;
    let found = kernel.link_addresses(&name).map_err(|e| {
        let text = format!(
            "use the bridge {bridge} (make it first, or give --bridge-name for one of the engine's own)"
        );
        system(&text, e)
    })?;
    let lacking = |family: &str| {
        Error::invalid(format!(
            "the bridge {bridge} has no {family} address: give it the one that shall be the containers' gateway"
        ))
    };
    let v4 = usable(&found, false).find_map(|net| match net {
        IpNet::V4(net) => Some(*net),
        IpNet::V6(_) => None,
    });
    let v6 = usable(&found, true).find_map(|net| match net {
        IpNet::V6(net) => Some(*net),
        IpNet::V4(_) => None,
    });
    settings.bip = Some(v4.ok_or_else(|| lacking("IPv4"))?);
    if settings.ipv6 && settings.bip6.is_none() {
        settings.bip6 = Some(v6.ok_or_else(|| lacking("IPv6"))?);
    }
    Ok(())
}

/// The addresses of a family that a gateway can have.
fn usable(addresses: &[IpNet], v6: bool) -> impl Iterator<Item = &IpNet> {
    addresses.iter().filter(move |net| is_v6(net) == v6 && !link_local(net))
}

fn is_v6(net: &IpNet) -> bool {
    matches!(net, IpNet::V6(_))
}

fn link_local(net: &IpNet) -> bool {
    matches!(net.addr(), IpAddr::V6(address) if address.is_unicast_link_local())
}

fn lacking(bridge: &str, v6: bool) -> Error {
    let family = if v6 { "IPv6" } else { "IPv4" };
    Error::invalid(format!(
        "the bridge {bridge} has no {family} address that can be the gateway of containers, and a \
         bridge of somebody else's is not changed: give it one, or name a gateway"
    ))
}

#[cfg(test)]
mod tests {
    use hawser_model::NetworkId;

    use super::*;

    fn spec(change: impl FnOnce(&mut NetworkSpec)) -> NetworkSpec {
        let id = NetworkId::from_bytes([1; 32]);
        let mut spec = NetworkSpec::new(id, "n".parse().unwrap(), Driver::Bridge);
        change(&mut spec);
        spec
    }

    fn pools(mut spec: NetworkSpec, addresses: &[&str]) -> Result<Vec<(String, String)>> {
        let addresses: Vec<IpNet> = addresses.iter().map(|net| net.parse().unwrap()).collect();
        follow(&mut spec, "br0", &addresses)?;
        let text =
            |pool: PoolSpec| (pool.subnet.unwrap().to_string(), pool.gateway.unwrap().to_string());
        Ok(spec.pools.into_iter().map(text).collect())
    }

    fn pair(subnet: &str, gateway: &str) -> (String, String) {
        (subnet.to_owned(), gateway.to_owned())
    }

    fn asked(subnet: &str, gateway: Option<&str>) -> PoolSpec {
        let gateway = gateway.map(|g| g.parse().unwrap());
        PoolSpec { subnet: Some(subnet.parse().unwrap()), gateway, ..PoolSpec::default() }
    }

    #[test]
    fn addresses_are_the_bridges_own() {
        let plain = pools(spec(|_| {}), &["fe80::1/64", "10.44.0.1/24"]).unwrap();
        assert_eq!(plain, [pair("10.44.0.0/24", "10.44.0.1")]);
        let dual = pools(spec(|s| s.ipv6 = true), &["10.44.0.1/24", "fd00::5/64"]).unwrap();
        assert_eq!(dual, [pair("10.44.0.0/24", "10.44.0.1"), pair("fd00::/64", "fd00::5")]);
    }

    #[test]
    fn a_subnet_that_is_given_stays() {
        let inside = spec(|s| s.pools.push(asked("10.44.0.0/16", None)));
        let inside = pools(inside, &["10.45.0.1/24", "10.44.3.1/24"]).unwrap();
        assert_eq!(inside, [pair("10.44.0.0/16", "10.44.3.1")]);
        let router = spec(|s| s.pools.push(asked("10.50.0.0/24", Some("10.50.0.254"))));
        assert_eq!(pools(router, &[]).unwrap(), [pair("10.50.0.0/24", "10.50.0.254")]);
    }

    #[test]
    fn containers_need_a_gateway() {
        assert!(pools(spec(|_| {}), &["fd00::5/64"]).unwrap_err().to_string().contains("IPv4"));
        assert!(pools(spec(|s| s.pools.push(asked("10.50.0.0/24", None))), &[]).is_err());
        let inhibited = spec(|s| _ = s.options.insert(INHIBIT.into(), "true".into()));
        assert!(pools(inhibited, &[]).unwrap().is_empty());
    }
}
