//! `network prune`.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use hawser_model::Network;

use crate::engine::Engine;
use crate::error::Result;
use crate::filters::{Filters, has_label};

const KNOWN_FILTERS: &[&str] = &["label", "label!", "until"];

impl Engine {
    /// Removes the user-defined networks that no container, running or not, asks for; gives their names.
    ///
    /// # Errors
    /// Invalid: an unknown filter or value.
    pub async fn network_prune(self: &Arc<Self>, filters: &Filters) -> Result<Vec<String>> {
        filters.allow(KNOWN_FILTERS)?;
        let until = crate::container::until(filters, Utc::now())?;
        let model = self.networks.writer.model();
        let mut unused: Vec<&Network> = model
            .networks()
            .map(|n| &**n)
            .filter(|n| !n.predefined && model.endpoints_of_network(n.id).is_empty())
            .filter(|n| !self.asked_for(n))
            .filter(|n| passes(n, filters, until))
            .collect();
        unused.sort_by(|a, b| a.name.cmp(&b.name));
        let mut removed = Vec::new();
        for network in unused {
            // Someone may have joined it meanwhile: then it is in use, and stays.
            match self.network_remove(&network.id.to_string()).await {
                Ok(()) => removed.push(network.name.to_string()),
                Err(error) => tracing::info!(network = %network.name, %error, "not pruned"),
            }
        }
        let attributes = BTreeMap::from([("reclaimed".to_owned(), "0".to_owned())]);
        self.events.publish("network", "prune", "", attributes);
        Ok(removed)
    }

    fn asked_for(&self, network: &Network) -> bool {
        let name = network.name.to_string();
        self.containers.all().iter().any(|entry| entry.record().networks.contains_key(&name))
    }
}

fn passes(network: &Network, filters: &Filters, until: Option<DateTime<Utc>>) -> bool {
    let created = DateTime::parse_from_rfc3339(&network.created).ok();
    filters.labels("label", &network.labels)
        && !filters.values("label!").any(|wanted| has_label(&network.labels, wanted))
        && until.is_none_or(|until| created.is_some_and(|created| created < until))
}
