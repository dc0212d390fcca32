//! `network prune`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use hawser_model::{Model, Network, NetworkId};

use super::check::known;
use crate::engine::Engine;
use crate::error::Result;
use crate::filters::{Filters, has_label};

const KNOWN_FILTERS: &[&str] = &["label", "label!", "until"];

impl Engine {
    /// Removes the user-defined networks that no container, running or not, asks for; gives their
    /// names. Templates stay.
    ///
    /// # Errors
    /// Invalid: an unknown filter or value.
    pub async fn network_prune(self: &Arc<Self>, filters: &Filters) -> Result<Vec<String>> {
        filters.allow(KNOWN_FILTERS)?;
        let until = crate::container::until(filters, Utc::now())?;
        let model = self.networks.writer.model();
        let asked_for = self.asked_for(&model);
        let mut unused: Vec<&Network> = model
            .networks()
            .map(|n| &**n)
            .filter(|n| !n.predefined && !n.config_only && !asked_for.contains(&n.id))
            .filter(|n| model.endpoints_of_network(n.id).is_empty())
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

    /// The networks that containers ask for, running or not.
    fn asked_for(&self, model: &Model) -> BTreeSet<NetworkId> {
        let mut all = BTreeSet::new();
        for entry in self.containers.all() {
            let record = entry.record();
            all.extend(record.networks.keys().filter_map(|name| Some(known(model, name)?.id)));
        }
        all
    }
}

fn passes(network: &Network, filters: &Filters, until: Option<DateTime<Utc>>) -> bool {
    let created = DateTime::parse_from_rfc3339(&network.created).ok();
    filters.labels("label", &network.labels)
        && !filters.values("label!").any(|wanted| has_label(&network.labels, wanted))
        && until.is_none_or(|until| created.is_some_and(|created| created < until))
}
