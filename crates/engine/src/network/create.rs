//! `network create`.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use hawser_model::{Driver, NetworkId, NetworkName, NetworkSpec, Surroundings};

use super::tell::tell;
use super::{NetworkCreated, Networks, existing, ipam, law};
use crate::container::to_the_end;
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::spec::NetworkCreate;

/// Docker's words to a client that asks for what only a swarm has.
const NO_SWARM: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker \
                        swarm join\" to connect this node to swarm and try again.";

impl Engine {
    /// Makes a network.
    ///
    /// # Errors
    /// Invalid, Conflict (name), Forbidden (subnet, predefined name, swarm's), NotFound (driver,
    /// template).
    pub async fn network_create(
        self: &Arc<Self>,
        request: NetworkCreate,
    ) -> Result<NetworkCreated> {
        let (spec, around) = self.networks.asked(request)?;
        let id = spec.id;
        let engine = Arc::clone(self);
        to_the_end(async move {
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

impl Networks {
    /// What a request asks of the model, checked as far as it can be without it, and what the new
    /// network must fit into.
    pub(super) fn asked(&self, request: NetworkCreate) -> Result<(NetworkSpec, Surroundings)> {
        let mut spec = spec(request)?;
        existing::adopt(&self.kernel, &mut spec)?;
        Ok((spec, self.surroundings()?))
    }
}

pub(super) fn spec(request: NetworkCreate) -> Result<NetworkSpec> {
    if request.name.trim().is_empty() {
        return Err(Error::invalid("invalid name: name is empty"));
    }
    let name: NetworkName = request.name.parse().map_err(law)?;
    let driver = driver(&name, &request)?;
    let mut spec = NetworkSpec::new(NetworkId::from_bytes(rand::random()), name, driver);
    spec.created = Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true);
    spec.options = request.options;
    spec.ipv4 = family(request.enable_ipv4, &mut spec.options, "enable_ipv4")?.unwrap_or(true);
    spec.ipv6 = family(request.enable_ipv6, &mut spec.options, "enable_ipv6")?.unwrap_or(false);
    spec.internal = request.internal;
    spec.attachable = request.attachable;
    spec.config_only = request.config_only;
    let from = request.config_from.and_then(|mut from| from.remove("Network"));
    spec.config_from = from.filter(|from| !from.is_empty());
    spec.labels = request.labels;
    let ipam = request.ipam.unwrap_or_default();
    spec.ipam_driver = ipam.driver.parse().map_err(law)?;
    spec.ipam_options = ipam.options.unwrap_or_default();
    spec.pools = ipam.config.into_iter().map(ipam::pool).collect::<Result<_>>()?;
    Ok(spec)
}

/// The driver, and Docker's answers to what needs a swarm. A template has none; it may name any.
fn driver(name: &NetworkName, request: &NetworkCreate) -> Result<Driver> {
    let forbidden = |text: &str| Err(Error::new(Kind::Forbidden, text));
    if name.is_reserved() {
        return Err(law(hawser_model::Error::PredefinedName(name.to_string())));
    }
    if request.driver == "overlay" {
        return forbidden(NO_SWARM);
    }
    if request.config_only {
        let operators = request.ingress || !request.scope.is_empty();
        return if operators { forbidden(OPERATORS) } else { Ok(Driver::Null) };
    }
    let driver = request.driver.parse().map_err(law)?;
    if request.ingress {
        return forbidden("Ingress network can only be global scope network");
    }
    match request.scope.as_str() {
        "" | "local" => Ok(driver),
        "swarm" => forbidden("cannot create a swarm scoped network when swarm is not active"),
        _ => forbidden(NO_SWARM),
    }
}

const OPERATORS: &str = "configuration network can only contain network specific fields. Network \
                         operator fields like [ ingress | internal | attachable | scope ] are not \
                         supported.";

/// Whether a family is asked for: the request's own field counts before the driver option, which
/// it takes the place of.
fn family(
    given: Option<bool>,
    options: &mut BTreeMap<String, String>,
    name: &str,
) -> Result<Option<bool>> {
    let key = format!("com.docker.network.{name}");
    if given.is_some() {
        options.remove(&key);
        return Ok(given);
    }
    let Some(text) = options.get(&key) else { return Ok(None) };
    match text.as_str() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Some(true)),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Some(false)),
        _ => Err(Error::invalid(format!("driver-opt {key:?} is not a valid bool"))),
    }
}

#[cfg(test)]
mod tests {
    use hawser_model::IpamDriver;

    use super::*;
    use crate::spec::Ipam;

    fn request(change: impl FnOnce(&mut NetworkCreate)) -> NetworkCreate {
        let mut request = NetworkCreate { name: "n".into(), ..NetworkCreate::default() };
        change(&mut request);
        request
    }

    fn refused(change: impl FnOnce(&mut NetworkCreate)) -> (Kind, String) {
        let error = spec(request(change)).unwrap_err();
        (error.kind(), error.to_string())
    }

    #[test]
    fn what_needs_a_swarm_is_refused_as_docker_does() {
        let no_swarm = (Kind::Forbidden, NO_SWARM.to_owned());
        assert_eq!(refused(|r| r.driver = "overlay".into()), no_swarm);
        assert_eq!(refused(|r| r.scope = "global".into()), no_swarm);
        let (kind, text) = refused(|r| r.scope = "swarm".into());
        assert_eq!(kind, Kind::Forbidden);
        assert_eq!(text, "cannot create a swarm scoped network when swarm is not active");
        let (_, text) = refused(|r| r.ingress = true);
        assert_eq!(text, "Ingress network can only be global scope network");
        assert!(spec(request(|r| r.scope = "local".into())).is_ok());
    }

    #[test]
    fn names_and_drivers_are_checked() {
        assert_eq!(
            refused(|r| r.name = " ".into()),
            (Kind::Invalid, "invalid name: name is empty".to_owned())
        );
        assert_eq!(
            refused(|r| r.driver = "nosuch".into()),
            (Kind::NotFound, "plugin \"nosuch\" not found".to_owned())
        );
        assert_eq!(refused(|r| r.name = "host".into()).0, Kind::Forbidden);
        let manager = |name: &str| Some(Ipam { driver: name.into(), ..Ipam::default() });
        assert_eq!(
            refused(|r| r.ipam = manager("nosuch")),
            (Kind::NotFound, "plugin \"nosuch\" not found".to_owned())
        );
        let null = spec(request(|r| r.ipam = manager("null"))).unwrap();
        assert_eq!(null.ipam_driver, IpamDriver::Null);
    }

    #[test]
    fn a_template_needs_no_driver() {
        let template = spec(request(|r| {
            r.config_only = true;
            r.driver = "nosuch".into();
        }));
        assert_eq!(template.unwrap().driver, Driver::Null);
        let (kind, text) = refused(|r| {
            r.config_only = true;
            r.scope = "local".into();
        });
        assert_eq!((kind, text.as_str()), (Kind::Forbidden, OPERATORS));
    }

    #[test]
    fn families_can_be_asked_for_with_options() {
        let key = "com.docker.network.enable_ipv6";
        let six = spec(request(|r| _ = r.options.insert(key.into(), "true".into()))).unwrap();
        assert!(six.ipv6 && six.options.contains_key(key));
        let four = spec(request(|r| {
            r.options.insert(key.into(), "true".into());
            r.enable_ipv6 = Some(false);
        }));
        let four = four.unwrap();
        assert!(!four.ipv6 && !four.options.contains_key(key));
        let (kind, text) = refused(|r| _ = r.options.insert(key.into(), "perhaps".into()));
        assert_eq!(kind, Kind::Invalid);
        assert_eq!(text, format!("driver-opt {key:?} is not a valid bool"));
    }
}
