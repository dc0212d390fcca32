//! Making a network.

use hawser_hoststate::IPV6_MIN_MTU;

use super::options::{MTU, invalid};
use super::pools::{spans, template_pools};
use super::{
    BridgeOptions, Driver, GatewayMode, IpamDriver, Network, NetworkSpec, ResolverOptions, Scope,
    Surroundings, pool,
};
use crate::error::Error;
use crate::id::NetworkId;
use crate::model::{Model, Touched};
use crate::spans::span;

impl Model {
    /// Makes a network: picks the subnets and gateways that were left out.
    pub fn create_network(
        &mut self,
        spec: NetworkSpec,
        around: &Surroundings,
    ) -> Result<Touched, Error> {
        check_reserved(&spec)?;
        if self.names.contains_key(&spec.name) {
            return Err(Error::NameTaken(spec.name.to_string()));
        }
        let (spec, template) = self.fill_from_template(spec)?;
        let network = self.network_of(spec, template, around)?;
        self.check_new_network(&network)?;
        let touched = Touched::network(network.id);
        self.add_network(network);
        Ok(touched)
    }

    fn network_of(
        &self,
        spec: NetworkSpec,
        template: Option<NetworkId>,
        around: &Surroundings,
    ) -> Result<Network, Error> {
        let bridge = BridgeOptions::parse(&spec.options)?;
        let resolver = ResolverOptions::parse(&spec.options)?;
        check_options(&spec, &bridge)?;
        let pools = match spec.driver {
            _ if spec.ipam_driver == IpamDriver::Null => Vec::new(),
            _ if spec.config_only => template_pools(&spec)?,
            Driver::Bridge => self.pools_of(&spec, &bridge, around)?,
            Driver::Host | Driver::Null => Vec::new(),
        };
        Ok(Network {
            id: spec.id,
            name: spec.name,
            created: spec.created,
            driver: if spec.config_only { Driver::Null } else { spec.driver },
            scope: Scope::Local,
            predefined: spec.predefined,
            ipv4: spec.ipv4,
            ipv6: spec.ipv6,
            internal: spec.internal,
            attachable: spec.attachable,
            ingress: spec.ingress,
            config_only: spec.config_only,
            config_from: template,
            ipam_driver: spec.ipam_driver,
            ipam_options: spec.ipam_options,
            pools,
            labels: spec.labels,
            options: spec.options,
            bridge,
            resolver,
        })
    }

    /// What a network may have in common with another.
    pub(crate) fn check_new_network(&self, network: &Network) -> Result<(), Error> {
        if self.names.contains_key(&network.name) || self.networks.contains_key(&network.id) {
            return Err(Error::NameTaken(network.name.to_string()));
        }
        if let Some(id) = network.config_from {
            let template = self.network(id).filter(|template| template.config_only);
            template.ok_or_else(|| Error::NoSuchTemplate(id.to_string()))?;
        }
        if network.config_only {
            return Ok(());
        }
        if !network.has_bridge() {
            let other = self.networks().find(|n| n.driver == network.driver && !n.config_only);
            return other.map_or(Ok(()), |_| Err(Error::OnlyOne(network.driver.as_str())));
        }
        let name = network.bridge_name();
        if let Some(other) = self.bridges.get(&name) {
            let (id, other_id) = (network.id, *other);
            return Err(Error::BridgeTaken { id, other_name: name.clone(), name, other_id });
        }
        self.check_pools(network, 0)
    }

    /// The pools from a number on overlap neither those before them nor other networks'.
    pub(super) fn check_pools(&self, network: &Network, new: usize) -> Result<(), Error> {
        let mut before = spans(&network.pools[..new]);
        for (i, pool) in network.pools.iter().enumerate().skip(new) {
            let wanted = span(pool.subnet);
            let sibling = || {
                let mut siblings = network.pools[..i].iter().map(|sibling| sibling.subnet);
                siblings.find(|other| pool::overlaps(*other, pool.subnet))
            };
            // Which one it is needs a walk over all of them: only to say it.
            let sibling = before.overlapping(wanted).next().and_then(|_| sibling());
            let other = || self.subnets.overlapping(wanted).next();
            let other = || other().and_then(|_| pool::overlap(self, pool.subnet));
            if let Some(other) = sibling.or_else(other) {
                return Err(Error::PoolOverlap { wanted: pool.subnet, other });
            }
            before.insert(wanted);
        }
        Ok(())
    }
}

/// Docker's words for what only the engine itself may make.
fn check_reserved(spec: &NetworkSpec) -> Result<(), Error> {
    match spec.driver {
        _ if spec.predefined => Ok(()),
        _ if spec.name.is_reserved() => Err(Error::PredefinedName(spec.name.to_string())),
        _ if spec.config_only => Ok(()),
        Driver::Bridge => Ok(()),
        Driver::Host | Driver::Null => Err(Error::OnlyOne(spec.driver.as_str())),
    }
}

/// Options that make sense only together with others.
fn check_options(spec: &NetworkSpec, bridge: &BridgeOptions) -> Result<(), Error> {
    if bridge.default_bridge && !spec.predefined {
        let option = "com.docker.network.bridge.default_bridge";
        return Err(invalid(option, "true", "it is the engine's own"));
    }
    let named = |pool: &super::PoolSpec| pool.subnet.is_some() || pool.ip_range.is_some();
    if spec.ipam_driver == IpamDriver::Null && spec.pools.iter().any(named) {
        return Err(Error::NullIpam);
    }
    if spec.config_only || spec.driver != Driver::Bridge {
        return Ok(());
    }
    let isolated = [false, true].map(|v6| bridge.gateway_mode(v6) == GatewayMode::Isolated);
    if isolated.contains(&true) && !spec.internal {
        return Err(Error::IsolatedNotInternal);
    }
    if !spec.ipv4 && !spec.ipv6 {
        return Err(Error::NoFamily);
    }
    check_mtu(spec.ipv6, bridge)
}

/// The kernel takes IPv6 away from links with smaller packets (RFC 8200, section 5).
pub(super) fn check_mtu(ipv6: bool, bridge: &BridgeOptions) -> Result<(), Error> {
    match bridge.mtu {
        Some(mtu @ ..IPV6_MIN_MTU) if ipv6 => {
            Err(invalid(MTU, &mtu.to_string(), "a packet of IPv6 has at least 1280 bytes"))
        }
        _ => Ok(()),
    }
}
