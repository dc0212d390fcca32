//! The pools of a network: those asked for, and the ones that are picked.

use ipnet::IpNet;

use super::check::{check_special, family, is_size_request, pool_faults};
use super::{
    GatewayMode, IpamDriver, Network, NetworkSpec, Pool, PoolSpec, Surroundings, options, pool,
};
use crate::endpoint::address;
use crate::error::Error;
use crate::model::Model;
use crate::spans::{Spans, span};

/// Auxiliary addresses of these names are the next hop of the default route, as in Docker.
const NEXT_HOPS: [&str; 2] = ["DefaultGatewayIPv4", "DefaultGatewayIPv6"];

impl Model {
    /// Pools of the enabled families, those asked for first (Docker passes over the others too).
    pub(super) fn pools_of(
        &self,
        spec: &NetworkSpec,
        bridge: &options::BridgeOptions,
        around: &Surroundings,
    ) -> Result<Vec<Pool>, Error> {
        let asked = asked_for(spec)?;
        let mut pools = self.pick_subnets(&asked, spec.predefined, around)?;
        for v6 in [false, true] {
            let wanted = if v6 { spec.ipv6 } else { spec.ipv4 };
            if wanted && !pools.iter().any(|pool| span(pool.subnet).v6 == v6) {
                let busy = [&self.subnets, &around.spans(), &spans(&pools)];
                let subnet = pool::pick(busy, around, v6, None)?;
                pools.push(pool_of(&PoolSpec::default(), subnet, false));
            }
        }
        with_gateways(pools, spec.internal, bridge)
    }

    /// Pools to add to a network that is there.
    pub(super) fn further_pools(
        &self,
        network: &Network,
        asked: &[PoolSpec],
        around: &Surroundings,
    ) -> Result<Vec<Pool>, Error> {
        if network.ipam_driver == IpamDriver::Null && !asked.is_empty() {
            return Err(Error::NullIpam);
        }
        let mut faults: Vec<_> = asked.iter().flat_map(faults).collect();
        let subnets = asked.iter().filter_map(|asked| asked.subnet);
        let off = { subnets }.filter(|s| !if span(*s).v6 { network.ipv6 } else { network.ipv4 });
        faults.extend(off.map(|subnet| {
            let family = family(subnet);
            format!("invalid subnet {subnet}: {family} is not enabled on network {}", network.name)
        }));
        if !faults.is_empty() {
            return Err(Error::InvalidConfig(faults));
        }
        if network.config_only {
            return Ok(raw_pools(asked));
        }
        let pools = self.pick_subnets(asked, network.predefined, around)?;
        with_gateways(pools, network.internal, &network.bridge)
    }

    /// Subnets for what has none: after the ones asked for are known.
    fn pick_subnets(
        &self,
        asked: &[PoolSpec],
        predefined: bool,
        around: &Surroundings,
    ) -> Result<Vec<Pool>, Error> {
        let fixed = asked.iter().filter_map(|asked| asked.subnet);
        let mut busy = Spans::default();
        fixed.filter(|s| !is_size_request(*s)).for_each(|s| busy.insert(span(s)));
        let taken = around.spans();
        let mut pools = Vec::new();
        for asked in asked {
            let pool = match asked.subnet {
                Some(subnet) if is_size_request(subnet) => {
                    let size = Some(subnet.prefix_len()).filter(|size| *size > 0);
                    let busy = [&self.subnets, &taken, &busy];
                    let subnet = pool::pick(busy, around, span(subnet).v6, size)?;
                    pool_of(asked, subnet, false)
                }
                Some(subnet) => pool_of(asked, subnet, !predefined),
                None => self.predefined_pool(asked, around)?,
            };
            busy.insert(span(pool.subnet));
            pools.push(pool);
        }
        Ok(pools)
    }

    /// The default bridge with `--fixed-cidr` alone: that range of the next subnet, or by itself.
    fn predefined_pool(&self, asked: &PoolSpec, around: &Surroundings) -> Result<Pool, Error> {
        let v6 = asked.ip_range.is_some_and(|range| span(range).v6);
        let pick = || pool::pick([&self.subnets, &around.spans()], around, v6, None);
        let picked = match asked.ip_range {
            Some(range) => {
                { pick().ok() }.filter(|subnet| subnet.contains(&range)).unwrap_or(range.trunc())
            }
            None => pick()?,
        };
        Ok(pool_of(asked, picked, false))
    }
}

/// What of the request counts: pools of enabled families that say something.
fn asked_for(spec: &NetworkSpec) -> Result<Vec<PoolSpec>, Error> {
    let counts = |asked: &&PoolSpec| match asked.subnet {
        Some(subnet) if span(subnet).v6 => spec.ipv6,
        Some(_) => spec.ipv4,
        None => spec.predefined || **asked != PoolSpec::default(),
    };
    let asked: Vec<PoolSpec> = spec.pools.iter().filter(counts).cloned().collect();
    let found: Vec<String> = match spec.predefined {
        true => asked.iter().filter(|asked| asked.subnet.is_some()).flat_map(faults).collect(),
        false => asked.iter().flat_map(faults).collect(),
    };
    if found.is_empty() { Ok(asked) } else { Err(Error::InvalidConfig(found)) }
}

fn faults(asked: &PoolSpec) -> Vec<String> {
    match asked.subnet {
        Some(subnet) => pool_faults(asked, subnet),
        None => vec!["invalid subnet : invalid CIDR block notation".to_owned()],
    }
}

/// A template keeps what was asked for as it is.
pub(super) fn template_pools(spec: &NetworkSpec) -> Result<Vec<Pool>, Error> {
    Ok(raw_pools(&asked_for(spec)?))
}

fn raw_pools(asked: &[PoolSpec]) -> Vec<Pool> {
    let given = |asked: &PoolSpec| asked.subnet.map(|subnet| pool_of(asked, subnet, true));
    asked.iter().filter_map(given).collect()
}

fn pool_of(asked: &PoolSpec, subnet: IpNet, configured: bool) -> Pool {
    let named = NEXT_HOPS[usize::from(span(subnet).v6)];
    Pool {
        subnet,
        ip_range: asked.ip_range,
        gateway: asked.gateway,
        next_hop: asked.next_hop.or_else(|| asked.auxiliary.get(named).copied()),
        auxiliary: asked.auxiliary.clone(),
        configured,
    }
}

/// What pools take, together.
pub(super) fn spans(pools: &[Pool]) -> Spans {
    let mut spans = Spans::default();
    pools.iter().for_each(|pool| spans.insert(span(pool.subnet)));
    spans
}

/// The pools with the gateways that were left out, if what is special in them goes together.
fn with_gateways(
    mut pools: Vec<Pool>,
    internal: bool,
    bridge: &options::BridgeOptions,
) -> Result<Vec<Pool>, Error> {
    for pool in &mut pools {
        if !goes_without_gateway(internal, bridge, span(pool.subnet).v6) {
            add_gateway(pool);
        }
        check_special(pool)?;
    }
    Ok(pools)
}

/// Isolated networks have no gateway; nor have those that would not use it (as in Docker).
fn goes_without_gateway(internal: bool, bridge: &options::BridgeOptions, v6: bool) -> bool {
    bridge.gateway_mode(v6) == GatewayMode::Isolated || (!v6 && internal && bridge.inhibit_ipv4)
}

/// The gateway is the first address that dynamic ones are taken from, as in Docker.
fn add_gateway(pool: &mut Pool) {
    if pool.gateway.is_none() {
        let mut taken = Spans::default();
        address::special(pool).for_each(|special| taken.insert(special));
        pool.gateway = address::first_free(pool, &taken);
    }
}
