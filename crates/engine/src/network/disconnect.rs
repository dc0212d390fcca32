//! `network disconnect`.

use std::sync::Arc;

use hawser_model::Network;

use super::check::NetworkMode;
use super::tell::tell;
use super::{law, sandbox_id};
use crate::container::{Entry, to_the_end};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};

impl Engine {
    /// Disconnects a container, running or not; the other networks go on. With `force` the
    /// container need not be there any more.
    ///
    /// # Errors
    /// NotFound; System if it is not connected, as in Docker.
    pub async fn network_disconnect(
        self: &Arc<Self>,
        network: &str,
        container: &str,
        force: bool,
    ) -> Result<()> {
        let target = self.networks.writer.model().resolve_network(network).map_err(law)?.clone();
        let entry = match self.containers.find(container) {
            Err(error) if force && error.kind() == Kind::NotFound => return Ok(()),
            found => found?,
        };
        let engine = Arc::clone(self);
        to_the_end(async move { engine.disconnect(&entry, &target).await }).await
    }

    async fn disconnect(self: &Arc<Self>, entry: &Entry, target: &Network) -> Result<()> {
        let _lifecycle = entry.lifecycle.lock().await;
        // Read under the lock: a start or an end that was waited for has changed both.
        let model = self.networks.writer.model();
        let record = entry.record();
        if NetworkMode::of(&record.host_config) == NetworkMode::Host {
            return Err(law(hawser_model::Error::HostNetwork));
        }
        let name = target.name.to_string();
        if !record.networks.contains_key(&name) {
            let text = format!("container {} is not connected to network {name}", record.id);
            return Err(Error::new(Kind::System, text));
        }
        let id = sandbox_id(&record.id)?;
        if model.endpoint_between(id, target.id).is_some() {
            let network = target.id;
            self.networks
                .writer
                .change(move |model, _| Ok(((), model.disconnect(id, network).map_err(law)?)))
                .await?;
            self.networks.publish_zones(&[target.id].into());
            tell(self, target, "disconnect", Some(id));
        }
        let next = entry.update(&self.store, |r| _ = r.networks.remove(&name))?;
        if self.networks.writer.model().sandbox(id).is_some() {
            self.networks.name(self, &next).await?;
        }
        Ok(())
    }
}
