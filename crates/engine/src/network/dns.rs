//! How a name is answered for a container, and why.
//!
//! In: a container, a name and a type. Out: the name service's own explanation, with networks by
//! their names, beside what the container's resolv.conf says. The question is asked as the container
//! would ask it. Containers without a name service ask others themselves: these are told.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

pub use hawser_dns::{Answer, Attempt, Candidate, End, Explanation, Forwarding, Reason, kind_name};
use hawser_dns::{Unexplained, kind_of};
use hawser_model::{Mode, SandboxId};

use super::check::{NetworkMode, joined};
use super::resolv_conf::Resolver;
pub use super::resolver::Whose;
use super::resolver::{Asking, Service};
use super::{Networks, sandbox_id};
use crate::engine::{Engine, system};
use crate::error::{Error, Result};
use crate::record::Container;
use crate::settings::Settings;

/// How a name is answered for a container.
#[derive(Clone, Debug)]
pub struct NameExplained {
    /// The container's name.
    pub container: String,
    /// Whose network it uses, where that is another container's.
    pub network_of: Option<String>,
    /// What its resolv.conf says.
    pub file: ResolvConf,
    /// What its name service says, or why it has none.
    pub service: std::result::Result<NameAnswered, NoService>,
}

/// What a container's resolv.conf says.
#[derive(Clone, Debug, Default)]
pub struct ResolvConf {
    /// Who is asked.
    pub servers: Vec<String>,
    /// Where names without a dot are looked for.
    pub search: Vec<String>,
    /// Options.
    pub options: Vec<String>,
    /// Who wrote it.
    pub by: Author,
}

/// Who wrote a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Author {
    /// The engine.
    #[default]
    Engine,
    /// Somebody has edited what the engine wrote.
    User,
    /// It is a mount that the user asked for; what it says is not looked at.
    Mount,
}

/// What the name service of a container says.
#[derive(Clone, Debug)]
pub struct NameAnswered {
    /// The answer, and why it is what it is.
    pub explanation: Explanation,
    /// Names of the networks whose keys are in it.
    pub networks: BTreeMap<String, String>,
    /// Who named the servers that are asked what no neighbour has.
    pub whose: Whose,
    /// Whether the container has a way out, so that the host's servers may be asked.
    pub outside: bool,
}

/// Why a container has no name service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoService {
    /// It uses the host's network.
    Host,
    /// It is on no network.
    None,
    /// It is on networks without names alone.
    Nameless,
}

impl Engine {
    /// How a name is answered for a running container now. Without a type it is that of addresses,
    /// or of names where the name is an address.
    ///
    /// # Errors
    /// NotFound; Conflict: it does not run; Invalid: no name, no type.
    pub async fn explain_name(
        self: &Arc<Self>,
        container: &str,
        name: &str,
        kind: Option<&str>,
    ) -> Result<NameExplained> {
        let record = self.containers.find(container)?.record();
        if !record.state.is_running() {
            return Err(Error::conflict(format!("container {} is not running", record.id)));
        }
        let (name, kind) = question(name, kind)?;
        let owner = joined(self, &record)?;
        let network_of = owner.as_ref().map(|owner| owner.name.clone());
        let owner = owner.unwrap_or_else(|| Arc::clone(&record));
        Ok(NameExplained {
            container: record.name.clone(),
            network_of,
            file: self.resolv_conf(&record)?,
            service: self.networks.explain_name(&self.settings, &owner, &name, kind).await?,
        })
    }

    fn resolv_conf(&self, record: &Container) -> Result<ResolvConf> {
        let mounted = |at: &str| record.mounts.iter().any(|mount| mount.destination == at);
        if mounted("/etc/resolv.conf") {
            return Ok(ResolvConf { by: Author::Mount, ..ResolvConf::default() });
        }
        let path = self.networks.etc_of(self, record)?.resolv_conf;
        let (now, edited) =
            super::etc::read(&path).map_err(|e| system("read the resolv.conf", e))?;
        let Resolver { servers, search, options, .. } = Resolver::parse(&now);
        let by = if edited { Author::User } else { Author::Engine };
        Ok(ResolvConf { servers, search, options, by })
    }
}

impl Networks {
    async fn explain_name(
        &self,
        settings: &Settings,
        owner: &Container,
        name: &str,
        kind: u16,
    ) -> Result<std::result::Result<NameAnswered, NoService>> {
        let sandbox = sandbox_id(&owner.id)?;
        match self.dns.explain(&sandbox.to_string(), name, kind).await {
            Ok(explanation) => {
                let model = self.writer.model();
                let networks = model.networks().map(|n| (n.id.to_string(), n.name.to_string()));
                let networks = networks.collect();
                let chosen = Asking::of(owner, settings).choose(&model, sandbox);
                let Service { whose, outside, .. } = chosen.service.unwrap_or_default();
                Ok(Ok(NameAnswered { explanation, networks, whose, outside }))
            }
            Err(Unexplained::NotAName) => Err(Error::invalid(format!("invalid name: {name:?}"))),
            Err(Unexplained::NotServed) => Ok(Err(self.without_service(owner, sandbox))),
        }
    }

    fn without_service(&self, owner: &Container, sandbox: SandboxId) -> NoService {
        let model = self.writer.model();
        let host = model.sandbox(sandbox).is_some_and(|sandbox| sandbox.mode == Mode::Host);
        if host || NetworkMode::of(&owner.host_config) == NetworkMode::Host {
            return NoService::Host;
        }
        let endpoints = model.endpoints_of_sandbox(sandbox);
        let connected = endpoints.iter().any(|endpoint| endpoint.interface.is_some());
        if connected { NoService::Nameless } else { NoService::None }
    }
}

/// The name and the number of the type that are asked for.
fn question(name: &str, kind: Option<&str>) -> Result<(String, u16)> {
    if name.is_empty() {
        return Err(Error::invalid("no name is given"));
    }
    let address: Option<IpAddr> = name.parse().ok();
    let kind = match (kind, address) {
        (Some(kind), _) => kind,
        (None, Some(_)) => "PTR",
        (None, None) => "A",
    };
    let unknown = || Error::invalid(format!("unknown type of record: {kind}"));
    let number = kind_of(kind).ok_or_else(unknown)?;
    match address.filter(|_| kind.eq_ignore_ascii_case("PTR")) {
        Some(address) => Ok((reverse(address), number)),
        None => Ok((name.to_owned(), number)),
    }
}

/// The name that the name of an address is asked under.
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let digits = format!("{:032x}", address.to_bits());
            let labels: String = digits.chars().rev().map(|digit| format!("{digit}.")).collect();
            format!("{labels}ip6.arpa")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_asked_for_their_names() {
        let asked = |name, kind| question(name, kind).unwrap();
        assert_eq!(asked("web", None), ("web".to_owned(), 1));
        assert_eq!(asked("web.", Some("aaaa")), ("web.".to_owned(), 28));
        assert_eq!(asked("10.1.2.3", None), ("3.2.1.10.in-addr.arpa".to_owned(), 12));
        let (name, kind) = asked("fd00::2", Some("PTR"));
        assert!(name.starts_with("2.0.0.0.") && name.ends_with(".0.0.d.f.ip6.arpa"), "{name}");
        assert_eq!((name.len(), kind), (72, 12));
        assert_eq!(asked("10.1.2.3", Some("A")), ("10.1.2.3".to_owned(), 1));
        assert!(question("", None).is_err());
        assert!(question("web", Some("nonsense")).is_err());
    }
}
