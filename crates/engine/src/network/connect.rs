//! `network connect`.

use std::sync::Arc;

use super::check::{NetworkMode, check_endpoint};
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
        entry: &Entry,
        network: &str,
        settings: EndpointSettings,
    ) -> Result<()> {
        let _lifecycle = entry.lifecycle.lock().await;
        let model = self.networks.writer.model();
        let target = model.resolve_network(network).map_err(law)?.clone();
        check_endpoint(&target.name.to_string(), &settings)?;
        let record = entry.record();
        refuse(&record, &target)?;
        let running = matches!(record.state.status, Status::Running | Status::Paused);
        let name = target.name.to_string();
        let (kept, key) = (settings.clone(), name.clone());
        let next = entry.update(&self.store, move |r| _ = r.networks.insert(key, kept))?;
        if !running {
            return Ok(());
        }
        if let Err(error) = self.join_one(&next, &name, &settings).await {
            entry.update(&self.store, |r| _ = r.networks.remove(&name))?;
            return Err(error);
        }
        tell(self, &target, "connect", Some(sandbox_id(&record.id)?));
        Ok(())
    }

    async fn join_one(
        self: &Arc<Self>,
        record: &Container,
        network: &str,
        settings: &EndpointSettings,
    ) -> Result<()> {
        let id = sandbox_id(&record.id)?;
        let links = self.networks.link_targets(self, record);
        let (network, settings) = (network.to_owned(), settings.clone());
        let joined = self
            .networks
            .writer
            .change(move |model, _| {
                let network = model.resolve_network(&network).map_err(law)?.id;
                let spec = join::endpoint(id, network, &settings, &links)?;
                Ok((network, model.connect(spec).map_err(law)?))
            })
            .await?;
        let named = self.networks.name(self, record).await;
        if named.is_err() {
            let back = self
                .networks
                .writer
                .change(move |model, _| Ok(((), model.disconnect(id, joined).map_err(law)?)));
            back.await?;
            self.networks.publish_zones(&[joined].into());
        }
        named.map(|_| ())
    }
}

/// What Docker refuses, in its words.
fn refuse(record: &Container, network: &hawser_model::Network) -> Result<()> {
    let mode = NetworkMode::of(&record.host_config);
    if matches!(mode, NetworkMode::Container(_)) {
        return Err(law(hawser_model::Error::SharedNetwork));
    }
    if mode == NetworkMode::Host || network.driver == hawser_model::Driver::Host {
        return Err(law(hawser_model::Error::HostNetwork));
    }
    let none = |name: &str| name == "none";
    let name = network.name.to_string();
    if record.networks.contains_key(&name) {
        let text = format!("endpoint with name {} already exists in network {name}", record.name);
        return Err(Error::new(Kind::Forbidden, text));
    }
    if record.networks.keys().any(|n| none(n)) || none(&name) {
        return Err(law(hawser_model::Error::PrivateNetwork));
    }
    Ok(())
}
