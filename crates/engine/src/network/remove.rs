//! `network rm`.

use super::law;
use super::tell::tell;
use crate::engine::Engine;
use crate::error::Result;

impl Engine {
    /// Removes a network.
    ///
    /// # Errors
    /// NotFound; Forbidden for a predefined one and for one in use, naming who uses it.
    pub async fn network_remove(&self, reference: &str) -> Result<()> {
        let reference = reference.to_owned();
        let network = self
            .networks
            .writer
            .change(move |model, _| {
                let network = model.resolve_network(&reference).map_err(law)?.clone();
                let touched = model.remove_network(network.id).map_err(law)?;
                Ok((network, touched))
            })
            .await?;
        self.networks.dns.remove_zone(&network.id.to_string());
        tell(self, &network, "destroy", None);
        Ok(())
    }
}
