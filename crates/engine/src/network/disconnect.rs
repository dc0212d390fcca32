//! `network disconnect`.

use std::sync::Arc;

use hawser_model::{Driver, Network, NetworkName};

use super::check::{NetworkMode, key_of};
use super::connect::refuse_removed;
use super::ports::in_use;
use super::reserve::reserve;
use super::resolver::Asking;
use super::tell::tell;
use super::{law, sandbox_id};
use crate::container::{Entry, to_the_end};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::record::Container;

impl Engine {
    /// Disconnects a container, running or not; the other networks go on. With `force` the network
    /// need not be there any more.
    ///
    /// # Errors
    /// NotFound; System if it is not connected, as in Docker.
    pub async fn network_disconnect(
        self: &Arc<Self>,
        network: &str,
        container: &str,
        force: bool,
    ) -> Result<()> {
        let entry = match self.containers.find(container) {
            Err(error) if force && error.kind() == Kind::NotFound => {
                // Docker looks for what such a container left on the network; nothing is left here.
                self.networks.writer.model().resolve_network(network).map_err(law)?;
                return Err(Error::not_found(format!("endpoint {container} not found")));
            }
            found => found?,
        };
        let (engine, network) = (Arc::clone(self), network.to_owned());
        to_the_end(async move { engine.disconnect(&entry, &network, force).await }).await
    }

    async fn disconnect(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        network: &str,
        force: bool,
    ) -> Result<()> {
        let _lifecycle = entry.lifecycle.lock().await;
        let _names = self.networks.names_stay().await;
        // Read under the locks: a start or an end that was waited for has changed both.
        let record = entry.record();
        refuse_removed(&record)?;
        let runs = record.state.is_running();
        let model = self.networks.writer.model();
        let target = match model.resolve_network(network) {
            Ok(target) => Arc::clone(target),
            Err(error) if runs && !force => return Err(law(error)),
            // What is not there any more can still be asked for at the next start.
            Err(_) => return self.forget_network(entry, &record, network).await,
        };
        let host = NetworkMode::of(&record.host_config) == NetworkMode::Host;
        if runs && host && target.driver == Driver::Host {
            return Err(law(hawser_model::Error::HostNetwork));
        }
        if key_of(&model, &record, &target).is_none() {
            return Err(not_connected(&record, target.name.as_str(), runs));
        }
        let connected = self.leave_one(entry, &target).await?;
        if connected {
            tell(self, &target, "disconnect", Some(sandbox_id(&record.id)?));
        }
        Ok(())
    }

    /// Takes a container off a network; host, network and the container's record change together.
    /// Whether it was there, and not only going to.
    pub(super) async fn leave_one(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        target: &Arc<Network>,
    ) -> Result<bool> {
        let id = sandbox_id(&entry.id)?;
        let (network, name) = (target.id, target.name.clone());
        let model = self.networks.writer.model();
        let key = key_of(&model, &entry.record(), target).unwrap_or_else(|| name.to_string());
        let changed = Arc::clone(entry);
        let asking = Asking::of(&entry.record(), &self.settings);
        let change = self.networks.writer.change_with(
            move |model, _| {
                reserve(model, id, &name, None);
                if model.endpoint_between(id, network).is_none() {
                    return Ok((false, Default::default()));
                }
                let left = model.disconnect(id, network);
                let mut touched = left.map_err(|error| in_use(model, Some(id), error))?;
                touched.merge(asking.settle(model, id)?);
                Ok((true, touched))
            },
            move |go| changed.update_beside(|r| _ = r.networks.remove(&key), go).map(drop),
        );
        let connected = change.await?.value;
        if connected {
            self.networks.publish_names(id, &[target.id].into());
            self.networks.name_after(self, &entry.record());
        }
        Ok(connected)
    }

    /// Takes from a record what names no network (any more).
    async fn forget_network(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        record: &Container,
        name: &str,
    ) -> Result<()> {
        if !record.networks.contains_key(name) {
            return Err(not_connected(record, name, false));
        }
        entry.update(&self.store, |r| _ = r.networks.remove(name))?;
        if let (Ok(id), Ok(name)) = (sandbox_id(&record.id), name.parse::<NetworkName>()) {
            self.networks.writer.note(|model| reserve(model, id, &name, None)).await;
        }
        Ok(())
    }
}

/// Docker says it in two ways.
fn not_connected(record: &Container, network: &str, runs: bool) -> Error {
    let the = if runs { "" } else { "the " };
    let text = format!("container {} is not connected to {the}network {network}", record.id);
    Error::new(Kind::System, text)
}
