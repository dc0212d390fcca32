//! `network rm`.

use std::sync::Arc;

use super::law;
use super::tell::tell;
use crate::container::to_the_end;
use crate::engine::Engine;
use crate::error::Result;

impl Engine {
    /// Removes a network.
    ///
    /// # Errors
    /// NotFound; Forbidden for a predefined one and for one in use, naming who uses it.
    pub async fn network_remove(self: &Arc<Self>, reference: &str) -> Result<()> {
        let (engine, reference) = (Arc::clone(self), reference.to_owned());
        to_the_end(async move {
            let change = engine.networks.writer.change(move |model, _| {
                let network = model.resolve_network(&reference).map_err(law)?.clone();
                let touched = model.remove_network(network.id).map_err(law)?;
                Ok((network, touched))
            });
            let network = change.await?;
            engine.networks.dns.remove_zone(&network.id.to_string());
            tell(&engine, &network, "destroy", None);
            Ok(())
        })
        .await
    }
}
