//! `network update`: a network changes while containers are on it.
//!
//! In: labels, options and pools. Out: the commands that the change was made of. It is one change
//! of the model and one of the kernel, or none; nobody on the network is disconnected.

use std::sync::Arc;

use hawser_kernel::Kernel;
use hawser_model::{Model, Network, NetworkChange, Surroundings, Touched};

use super::tell::tell;
use super::{ipam, law};
use crate::container::to_the_end;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::spec::NetworkUpdate;

impl Engine {
    /// Changes a network, in use or not; gives the commands that did it.
    ///
    /// # Errors
    /// NotFound; Invalid: an option that does not exist, makes no sense or can't change under
    /// running containers; Forbidden: a predefined network, a pool that overlaps.
    pub async fn network_update(
        self: &Arc<Self>,
        reference: &str,
        update: NetworkUpdate,
    ) -> Result<Vec<String>> {
        let update = Update::read(reference, update)?;
        let engine = Arc::clone(self);
        to_the_end(async move {
            let around = engine.networks.surroundings()?;
            let writer = &engine.networks.writer;
            let change = move |model: &mut Model, _: &Kernel| update.make(model, &around);
            let done = writer.change_with(change, |go| go(&Default::default())).await?;
            let Updated { network, asks_others } = done.value;
            engine.networks.publish_zones(&[network.id].into());
            if asks_others {
                engine.networks.follow(&engine, network.id, |_, _| true);
            }
            tell(&engine, &network, "update", None);
            Ok(engine.networks.commands(&done.changes))
        })
        .await
    }

    /// The commands that [`Engine::network_update`] would carry out. Nothing is changed.
    ///
    /// # Errors
    /// As [`Engine::network_update`].
    pub async fn network_update_plan(
        self: &Arc<Self>,
        reference: &str,
        update: NetworkUpdate,
    ) -> Result<Vec<String>> {
        let update = Update::read(reference, update)?;
        let around = self.networks.surroundings()?;
        let made = self.networks.writer.preview(move |model, _| update.make(model, &around));
        Ok(self.networks.commands(&made.await?.changes))
    }
}

/// A network that was changed.
struct Updated {
    network: Arc<Network>,
    /// Its containers have other resolvers now.
    asks_others: bool,
}

/// A request that makes sense by itself.
struct Update {
    reference: String,
    change: NetworkChange,
}

impl Update {
    fn read(reference: &str, update: NetworkUpdate) -> Result<Self> {
        let pools: Result<Vec<_>> = update.subnets.into_iter().map(ipam::pool).collect();
        let change =
            NetworkChange { labels: update.labels, options: update.options, pools: pools? };
        if change == NetworkChange::default() {
            return Err(Error::invalid("nothing to change: give labels, options or subnets"));
        }
        Ok(Self { reference: reference.to_owned(), change })
    }

    fn make(self, model: &mut Model, around: &Surroundings) -> Result<(Updated, Touched)> {
        let old = Arc::clone(model.resolve_network(&self.reference).map_err(law)?);
        let touched = model.update_network(old.id, self.change, around).map_err(law)?;
        let network = model.network(old.id).cloned().unwrap_or_else(|| Arc::clone(&old));
        let asks_others = network.resolver != old.resolver;
        Ok((Updated { network, asks_others }, touched))
    }
}
