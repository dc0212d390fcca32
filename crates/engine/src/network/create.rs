//! `network create`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use chrono::Utc;
use hawser_model::{NetworkId, NetworkName, NetworkSpec, PoolSpec};
use ipnet::IpNet;

use super::tell::tell;
use super::{NetworkCreated, law};
use crate::container::to_the_end;
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::spec::{Ipam, IpamConfig, NetworkCreate};

impl Engine {
    /// Makes a network.
    ///
    /// # Errors
    /// Invalid, Conflict (name), Forbidden (subnet, predefined name), NotFound (driver),
    /// NotImplemented (swarm's, templates).
    pub async fn network_create(
        self: &Arc<Self>,
        request: NetworkCreate,
    ) -> Result<NetworkCreated> {
        let spec = spec(request)?;
        let id = spec.id;
        let engine = Arc::clone(self);
        to_the_end(async move {
            let around = engine.networks.surroundings()?;
            let change = engine.networks.writer.change(move |model, _| {
                let touched = model.create_network(spec, &around).map_err(law)?;
                Ok((model.network(id).cloned(), touched))
            });
            if let Some(network) = change.await? {
                tell(&engine, &network, "create", None);
            }
            Ok(NetworkCreated { id: id.to_string(), warning: String::new() })
        })
        .await
    }
}

/// What a request asks of the model, checked as far as it can be without it.
pub(super) fn spec(request: NetworkCreate) -> Result<NetworkSpec> {
    unsupported(&request)?;
    let name: NetworkName = request.name.parse().map_err(law)?;
    let driver = request.driver.parse().map_err(law)?;
    let mut spec = NetworkSpec::new(NetworkId::from_bytes(rand::random()), name, driver);
    spec.created = Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true);
    spec.ipv4 = request.enable_ipv4.unwrap_or(true);
    spec.ipv6 = request.enable_ipv6.unwrap_or(false);
    spec.internal = request.internal;
    spec.attachable = request.attachable;
    spec.labels = request.labels;
    spec.options = request.options;
    spec.pools = pools(request.ipam.unwrap_or_default())?;
    Ok(spec)
}

fn unsupported(request: &NetworkCreate) -> Result<()> {
    let no = |what: &str| Err(Error::new(Kind::NotImplemented, what.to_owned()));
    if request.config_only || request.config_from.as_ref().is_some_and(|from| !from.is_empty()) {
        return no(
            "configuration-only networks are not supported yet: give the options themselves",
        );
    }
    if request.ingress {
        return no("an ingress network needs a swarm, which this engine is not part of");
    }
    match request.scope.as_str() {
        "" | "local" => Ok(()),
        other => Err(Error::invalid(format!(
            "invalid network scope {other:?}: only local networks can be made"
        ))),
    }
}

fn pools(ipam: Ipam) -> Result<Vec<PoolSpec>> {
    if !matches!(ipam.driver.as_str(), "" | "default") {
        let text = format!("could not find an IPAM driver {:?}: use \"default\"", ipam.driver);
        return Err(Error::invalid(text));
    }
    ipam.config.into_iter().map(pool).collect()
}

/// One address pool asked for.
pub(super) fn pool(config: IpamConfig) -> Result<PoolSpec> {
    let aux = config.auxiliary_addresses.into_iter();
    let auxiliary: Result<BTreeMap<String, IpAddr>> =
        aux.map(|(name, text)| Ok((name, required(&text, "auxiliary address")?))).collect();
    Ok(PoolSpec {
        subnet: net(&config.subnet, "subnet")?,
        ip_range: net(&config.ip_range, "ip-range")?,
        gateway: match config.gateway.as_str() {
            "" => None,
            text => Some(required(text, "gateway address")?),
        },
        next_hop: None,
        auxiliary: auxiliary?,
    })
}

fn net(text: &str, what: &str) -> Result<Option<IpNet>> {
    if text.is_empty() {
        return Ok(None);
    }
    let bad = |_| {
        Error::invalid(format!(
            "invalid network config:\n* invalid {what} {text}: invalid CIDR block notation"
        ))
    };
    text.parse().map(Some).map_err(bad)
}

fn required(text: &str, what: &str) -> Result<IpAddr> {
    // Docker's clients give addresses with a prefix length too.
    let address = text.split('/').next().unwrap_or_default();
    address.parse().map_err(|_| {
        Error::invalid(format!("invalid network config:\n* invalid {what} {text}: invalid address"))
    })
}
