//! A container that starts joins its networks; one that has ended leaves them.
//!
//! In: a container's record. Out: a sandbox with endpoints, or none of it; then its published ports, or
//! none of them. They are two steps since nobody needs the ports before the process runs: it is made
//! while a thousand of them are bound.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use hawser_kernel::Kernel;
use hawser_model::{EndpointId, EndpointSpec, Mode, Model, SandboxId, SandboxSpec, Touched};

use super::check::{NetworkMode, known};
use super::etc::EtcFiles;
use super::links::of_default_bridge;
use super::ports::{self, Wanted};
use super::resolver::Asking;
use super::{Networks, law, namespace_of, publish_from, sandbox_id};
use crate::engine::{Engine, system};
use crate::error::{Error, Result};
use crate::record::{Container, ContainerId};
use crate::spec::EndpointSettings;

/// What a container that starts needs of its networks.
#[derive(Debug)]
pub struct Joined {
    /// The namespace to run in; `None` is the host's.
    pub netns: Option<OwnedFd>,
    /// Files to bind over the container's own.
    pub etc: EtcFiles,
    /// Environment variables of links (`NAME=value`).
    pub env: Vec<String>,
}

impl Networks {
    /// At start: makes the sandbox with its endpoints. An error leaves nothing behind.
    pub(crate) async fn join(&self, engine: &Engine, record: &Container) -> Result<Joined> {
        let request = self.request(engine, record)?;
        self.writer.change(move |model, _| Ok(((), request.join(model)?))).await?;
        match self.furnish(engine, record) {
            Ok(joined) => {
                self.tell_connected(engine, record);
                Ok(joined)
            }
            Err(error) => {
                self.leave(engine, &record.id).await?;
                Err(error)
            }
        }
    }

    /// Publishes the ports of a container that has joined: all of them, or none.
    pub(crate) async fn publish(&self, record: &Container) -> Result<()> {
        let publishing = self.asked_ports(record)?;
        if publishing.ports.is_empty() {
            return Ok(());
        }
        self.writer.change(move |model, kernel| Ok(((), publishing.publish(model, kernel)?))).await
    }

    /// The ports that a container asks for when it starts.
    pub(super) fn asked_ports(&self, record: &Container) -> Result<Publishing> {
        let ports = match NetworkMode::of(&record.host_config) {
            NetworkMode::Networks => ports::wanted(record)?,
            NetworkMode::Host | NetworkMode::Container(_) => Vec::new(),
        };
        let default_host = self.publish_address;
        Ok(Publishing { id: sandbox_id(&record.id)?, ports, default_host })
    }

    /// What a container that starts asks of the model.
    pub(super) fn request(&self, engine: &Engine, record: &Container) -> Result<Request> {
        let id = sandbox_id(&record.id)?;
        let mode = self.mode(engine, record)?;
        let networks = match mode {
            Mode::Own | Mode::Host => self.in_order(record),
            Mode::Shared(_) => Vec::new(),
        };
        super::links::check_running(engine, record)?;
        Ok(Request {
            spec: sandbox(record, id, mode)?,
            networks,
            links: self.link_targets(engine, record),
            asking: Asking::of(record, &engine.settings),
        })
    }

    /// What the record asks for, in the order in which interfaces are numbered: first the network
    /// of the mode, then the others by name.
    fn in_order(&self, record: &Container) -> Vec<(String, EndpointSettings)> {
        let model = self.writer.model();
        let first = known(&model, &record.host_config.network_mode).map(|network| network.id);
        let mut all: Vec<_> = record.networks.clone().into_iter().collect();
        all.sort_by_key(|(name, _)| first.is_none() || known(&model, name).map(|n| n.id) != first);
        // Names there are the hosts file's affair; who may reach whom is not.
        let links: Vec<_> =
            of_default_bridge(record).map(|(to, as_)| format!("{to}:{as_}")).collect();
        for (_, settings) in
            all.iter_mut().filter(|(name, _)| name == "bridge" && !links.is_empty())
        {
            settings.links = Some(links.clone());
        }
        all
    }

    fn furnish(&self, engine: &Engine, record: &Container) -> Result<Joined> {
        let env = self.name_anew(engine, record)?;
        let model = self.writer.model();
        let netns = match namespace_of(&model, sandbox_id(&record.id)?) {
            Some(name) => {
                let open = self.kernel.open_namespace(&name);
                Some(open.map_err(|e| system("open the sandbox", e))?)
            }
            None => None,
        };
        Ok(Joined { netns, etc: self.etc_of(engine, record)?, env })
    }

    /// Whose network the container gets.
    fn mode(&self, engine: &Engine, record: &Container) -> Result<Mode> {
        match NetworkMode::of(&record.host_config) {
            NetworkMode::Host => Ok(Mode::Host),
            NetworkMode::Networks => Ok(Mode::Own),
            NetworkMode::Container(target) => {
                let target = engine.containers.find(&target)?.record();
                if target.id == record.id {
                    return Err(Error::invalid("cannot join own network namespace"));
                }
                if !target.state.is_running() {
                    let text = format!(
                        "cannot join network namespace of a non running container: {}",
                        target.id
                    );
                    return Err(Error::conflict(text));
                }
                Ok(Mode::Shared(sandbox_id(&target.id)?))
            }
        }
    }

    /// When the process has ended, or could not be started. Nothing if it has left already.
    pub(crate) async fn leave(&self, engine: &Engine, id: &ContainerId) -> Result<()> {
        let sandbox = sandbox_id(id)?;
        let model = self.writer.model();
        if model.sandbox(sandbox).is_none() {
            return Ok(());
        }
        self.unname(sandbox);
        self.writer
            .change(move |model, _| Ok(((), model.remove_sandbox(sandbox).map_err(law)?)))
            .await?;
        // Whoever saw the sandbox until now may have told the name service of it.
        self.unname(sandbox);
        self.publish_names(sandbox, &super::names::networks_of(&model, sandbox));
        self.tell_disconnected(engine, &model, sandbox);
        Ok(())
    }
}

/// A sandbox asked for, with its endpoints.
pub(super) struct Request {
    spec: SandboxSpec,
    networks: Vec<(String, EndpointSettings)>,
    links: BTreeMap<String, String>,
    asking: Asking,
}

/// Ports asked for.
pub(super) struct Publishing {
    id: SandboxId,
    ports: Vec<Wanted>,
    /// The daemon's address for ports that are published without one.
    default_host: Option<IpAddr>,
}

impl Publishing {
    /// Publishes the ports in the model.
    pub(super) fn publish(self, model: &mut Model, kernel: &Kernel) -> Result<Touched> {
        let Self { id, ports, default_host } = self;
        if ports.is_empty() {
            return Ok(Touched::default());
        }
        let published = ports::publish(model, kernel, id, &ports, default_host);
        published.map_err(|e| ports::not_published(model, id, true, e))
    }
}

impl Request {
    /// Makes the sandbox with its endpoints in the model.
    pub(super) fn join(self, model: &mut Model) -> Result<Touched> {
        let id = self.spec.id;
        let mut touched = Touched::default();
        if model.sandbox(id).is_some() {
            // A leftover of a start that the daemon did not survive.
            touched.merge(model.remove_sandbox(id).map_err(law)?);
        }
        touched.merge(model.create_sandbox(self.spec).map_err(law)?);
        for (name, settings) in &self.networks {
            let network = model.resolve_network(name).map_err(law)?.id;
            let spec = endpoint(id, network, settings, &self.links)?;
            touched.merge(model.connect(spec).map_err(law)?);
        }
        touched.merge(self.asking.settle(model, id)?);
        Ok(touched)
    }
}

fn sandbox(record: &Container, id: SandboxId, mode: Mode) -> Result<SandboxSpec> {
    let mut spec = SandboxSpec::new(id, record.name.clone());
    spec.hostname.clone_from(&record.config.hostname);
    spec.mode = mode;
    if mode == Mode::Own {
        let own = record.host_config.sysctls.iter().filter(|(name, _)| name.starts_with("net."));
        spec.sysctls = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        spec.publish_from = publish_from::read(&record.config.labels)?;
        spec.exposed = ports::exposed(record)?;
    }
    Ok(spec)
}

/// An endpoint as the user asked for it.
pub(super) fn endpoint(
    sandbox: SandboxId,
    network: hawser_model::NetworkId,
    settings: &EndpointSettings,
    links: &BTreeMap<String, String>,
) -> Result<EndpointSpec> {
    let id = EndpointId::from_bytes(rand::random());
    let mut spec = EndpointSpec::new(id, network, sandbox);
    if let Some(ipam) = &settings.ipam_config {
        spec.ipv4 = optional(&ipam.ipv4_address)?;
        spec.ipv6 = optional(&ipam.ipv6_address)?;
        let local = ipam.link_local_ips.iter().flatten();
        spec.link_local =
            local.filter_map(|text| optional(text).transpose()).collect::<Result<_>>()?;
    }
    spec.mac = optional(&settings.mac_address)?;
    spec.aliases = settings.aliases.clone().unwrap_or_default();
    spec.gw_priority = settings.gw_priority;
    spec.driver_opts = settings.driver_opts.clone().unwrap_or_default();
    for link in settings.links.iter().flatten() {
        let (target, alias) = super::links::parse(link);
        let name = links.get(target).map_or(target, String::as_str);
        spec.links.insert(alias.to_owned(), name.to_owned());
    }
    Ok(spec)
}

fn optional<T: std::str::FromStr>(text: &str) -> Result<Option<T>> {
    if text.is_empty() {
        return Ok(None);
    }
    let bad = |_| Error::invalid(format!("invalid address: {text}"));
    text.parse().map(Some).map_err(bad)
}
