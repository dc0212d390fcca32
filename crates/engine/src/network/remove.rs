//! `network rm`.

use std::sync::Arc;

use super::law;
use super::tell::tell;
use crate::container::to_the_end;
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};

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
                let touched = model.remove_network(network.id).map_err(refused)?;
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

/// Docker's clients read the same words before each reason.
fn refused(error: hawser_model::Error) -> Error {
    match error {
        hawser_model::Error::TemplateInUse(_) => {
            Error::new(Kind::Forbidden, format!("error while removing network: {error}"))
        }
        other => law(other),
    }
}
