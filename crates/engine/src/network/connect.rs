//! `network connect`.

use std::sync::Arc;

use hawser_model::{Driver, EndpointSpec, Network, Touched};

use super::check::{NetworkMode, check_endpoint, key_of};
use super::ports::in_use;
use super::reserve::reserve;
use super::resolver::Asking;
use super::tell::tell;
use super::{join, law, sandbox_id};
use crate::container::{Entry, to_the_end};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::record::{Container, Status};
use crate::spec::EndpointSettings;

impl Engine {
    /// Connects a container, running or not: one that does not run joins at its next start.
    ///
    /// # Errors
    /// NotFound, Forbidden (connected already, address taken), Invalid.
    pub async fn network_connect(
        self: &Arc<Self>,
        network: &str,
        container: &str,
        settings: EndpointSettings,
    ) -> Result<()> {
        let entry = self.containers.find(container)?;
        let (engine, network) = (Arc::clone(self), network.to_owned());
        to_the_end(async move { engine.connect(&entry, &network, settings).await }).await
    }

    async fn connect(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        network: &str,
        mut settings: EndpointSettings,
    ) -> Result<()> {
        let _lifecycle = entry.lifecycle.lock().await;
        let _names = self.networks.names_stay().await;
        let record = entry.record();
        refuse_removed(&record)?;
        refuse_shared(&record)?;
        let model = self.networks.writer.model();
        let target = model.resolve_network(network).map_err(law)?.clone();
        check_endpoint(&mut settings)?;
        let spec = self.endpoint_spec(&record, &target, &settings)?;
        if !target.config_only {
            model.check_endpoint(&spec).map_err(law)?;
        }
        refuse_host(&record, &target)?;
        let runs = record.state.is_running();
        let taken = key_of(&model, &record, &target).is_some();
        if taken && !runs {
            // Docker says nothing, and leaves the settings as they are.
            return Ok(());
        }
        refuse_none(&record, &target, taken)?;
        let next = self.join_one(entry, &target, spec, settings, runs).await?;
        if runs {
            self.name_joined(entry, &next, &target).await?;
            tell(self, &target, "connect", Some(sandbox_id(&record.id)?));
        }
        Ok(())
    }

    fn endpoint_spec(
        &self,
        record: &Container,
        target: &Network,
        settings: &EndpointSettings,
    ) -> Result<EndpointSpec> {
        let mut record = Container::clone(record);
        record.networks.insert(target.name.to_string(), settings.clone());
        let links = self.networks.link_targets(self, &record);
        join::endpoint(sandbox_id(&record.id)?, target.id, settings, &links)
    }

    /// Network, host and the container's record change together.
    async fn join_one(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        target: &Network,
        spec: EndpointSpec,
        settings: EndpointSettings,
        runs: bool,
    ) -> Result<Arc<Container>> {
        let id = spec.sandbox;
        let (name, key, asked) = (target.name.clone(), target.name.to_string(), settings.clone());
        let entry = Arc::clone(entry);
        let changed = Arc::clone(&entry);
        let asking = Asking::of(&entry.record(), &self.settings);
        let change = self.networks.writer.change_with(
            move |model, _| {
                model.check_endpoint(&spec).map_err(law)?;
                reserve(model, id, &name, Some(&asked));
                if !runs {
                    return Ok(((), Touched::default()));
                }
                let connected = model.connect(spec);
                let mut touched = connected.map_err(|error| in_use(model, Some(id), error))?;
                touched.merge(asking.settle(model, id)?);
                Ok(((), touched))
            },
            move |go| changed.update_beside(|r| _ = r.networks.insert(key, settings), go).map(drop),
        );
        change.await?;
        Ok(entry.record())
    }

    /// Names and files in the sandbox follow; if they can't, it is not connected.
    async fn name_joined(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        record: &Container,
        target: &Arc<Network>,
    ) -> Result<()> {
        let named = self.networks.name(self, record);
        if named.is_err() {
            self.leave_one(entry, target).await?;
        }
        named
    }
}

/// What Docker says of a container that is on its way out.
pub(super) fn refuse_removed(record: &Container) -> Result<()> {
    if matches!(record.state.status, Status::Removing | Status::Dead) {
        let text = format!(
            "Container {} is marked for removal and cannot be connected or disconnected to the \
             network",
            record.id
        );
        return Err(Error::new(Kind::System, text));
    }
    Ok(())
}

/// What Docker says of a container in another's namespace, whatever it is to join.
fn refuse_shared(record: &Container) -> Result<()> {
    match NetworkMode::of(&record.host_config) {
        NetworkMode::Container(_) => Err(law(hawser_model::Error::SharedNetwork)),
        NetworkMode::Host | NetworkMode::Networks => Ok(()),
    }
}

/// The host's namespace and networks exclude one another, in Docker's words.
fn refuse_host(record: &Container, network: &Network) -> Result<()> {
    let own = NetworkMode::of(&record.host_config) == NetworkMode::Networks;
    match (own, network.driver == Driver::Host) {
        (true, true) => Err(law(hawser_model::Error::HostNetwork)),
        (false, false) => Err(law(hawser_model::Error::SharedNetwork)),
        (true, false) | (false, true) => Ok(()),
    }
}

/// What else Docker refuses; `taken` is whether the container is on the network.
fn refuse_none(record: &Container, network: &Network, taken: bool) -> Result<()> {
    if taken {
        let (name, container) = (&network.name, &record.name);
        let text = format!("endpoint with name {container} already exists in network {name}");
        return Err(Error::new(Kind::Forbidden, text));
    }
    let none = |name: &str| name == "none";
    let joins_none = none(network.name.as_str()) && !record.networks.is_empty();
    if joins_none || record.networks.keys().any(|name| none(name)) {
        return Err(law(hawser_model::Error::PrivateNetwork));
    }
    Ok(())
}
