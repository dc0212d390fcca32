//! `network ls`.

use hawser_model::Network;

use super::NetworkDetails;
use super::inspect::details;
use crate::engine::Engine;
use crate::error::Result;
use crate::filters::Filters;

const KNOWN_FILTERS: &[&str] = &["dangling", "driver", "id", "label", "name", "scope", "type"];

impl Engine {
    /// All networks that the filters let through, ordered by name.
    ///
    /// # Errors
    /// Invalid: an unknown filter or value.
    pub fn network_list(&self, filters: &Filters) -> Result<Vec<NetworkDetails>> {
        filters.allow(KNOWN_FILTERS)?;
        let dangling = filters.boolean("dangling")?;
        if let Some(wrong) = filters.values("type").find(|t| !matches!(*t, "custom" | "builtin")) {
            return Err(crate::Error::invalid(format!("invalid filter 'type={wrong}'")));
        }
        let model = self.networks.writer.model();
        let mut found: Vec<&Network> = model
            .networks()
            .map(|n| &**n)
            .filter(|n| passes(n, filters))
            .filter(|n| dangling.is_none_or(|d| d != n.predefined))
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found.into_iter().map(|n| details(&model, n)).collect())
    }
}

fn passes(network: &Network, filters: &Filters) -> bool {
    let name = network.name.to_string();
    let part = |key: &str, text: &str| {
        !filters.contains(key) || filters.values(key).any(|wanted| text.contains(wanted))
    };
    part("name", &name)
        && filters.prefix("id", &network.id.to_string())
        && filters.exact("driver", network.driver.as_str())
        && filters.exact("scope", network.scope.as_str())
        && filters.exact("type", if network.predefined { "builtin" } else { "custom" })
        && filters.labels("label", &network.labels)
}
