//! Templates (`--config-only`) and networks made from one (`--config-from`).

use super::{IpamDriver, Network, NetworkSpec, Pool, PoolSpec};
use crate::error::Error;
use crate::id::NetworkId;
use crate::model::Model;

impl Model {
    /// The spec with what comes from its template filled in, and the template.
    pub(super) fn fill_from_template(
        &self,
        spec: NetworkSpec,
    ) -> Result<(NetworkSpec, Option<NetworkId>), Error> {
        check(&spec)?;
        let Some(term) = &spec.config_from else { return Ok((spec, None)) };
        let found = self.resolve_network(term).ok().filter(|found| found.config_only);
        let template = found.ok_or_else(|| Error::NoSuchTemplate(term.clone()))?;
        let filled = NetworkSpec {
            ipv4: template.ipv4,
            ipv6: template.ipv6,
            ipam_driver: template.ipam_driver,
            ipam_options: template.ipam_options.clone(),
            pools: template.pools.iter().map(asked).collect(),
            labels: template.labels.clone(),
            options: template.options.clone(),
            ..spec.clone()
        };
        Ok((filled, Some(template.id)))
    }

    /// Refuses to take away a template that a network was made from.
    pub(super) fn check_unused_template(&self, network: &Network) -> Result<(), Error> {
        let used = |other: &Network| other.config_from == Some(network.id);
        match network.config_only && self.networks().any(|other| used(other)) {
            true => Err(Error::TemplateInUse(network.name.to_string())),
            false => Ok(()),
        }
    }
}

/// What a template, and a network made from one, can't have of their own. In Docker's order.
fn check(spec: &NetworkSpec) -> Result<(), Error> {
    if spec.config_only && (spec.ingress || spec.internal || spec.attachable) {
        return Err(Error::TemplateOperator);
    }
    if spec.config_from.is_none() {
        return Ok(());
    }
    let family = !spec.ipv4 || spec.ipv6;
    let ipam = spec.ipam_driver != IpamDriver::Default || !spec.ipam_options.is_empty();
    let pools = spec.pools.iter().any(|pool| *pool != PoolSpec::default());
    match spec {
        _ if spec.config_only => Err(Error::TemplateOfTemplate),
        _ if family || ipam || pools || !spec.labels.is_empty() => Err(Error::OwnSettings),
        _ if !spec.options.is_empty() => Err(Error::OwnOptions),
        _ => Ok(()),
    }
}

fn asked(pool: &Pool) -> PoolSpec {
    PoolSpec {
        subnet: Some(pool.subnet),
        ip_range: pool.ip_range,
        gateway: pool.gateway,
        next_hop: pool.next_hop,
        auxiliary: pool.auxiliary.clone(),
    }
}
