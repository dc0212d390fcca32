//! `network rename`.
//!
//! In: a network and its new name. Out: model, kernel and the records of all containers that ask
//! for it, running or not, changed in one transaction of the store; then the names in the sandboxes.

use std::collections::BTreeMap;
use std::sync::Arc;

use hawser_model::{Endpoint, Model, NetworkId, NetworkName};

use super::law;
use super::ports::in_use;
use crate::container::to_the_end;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::record::Container;

impl Engine {
    /// Gives a network another name. Containers stay connected; those that do not run ask for it
    /// under the new name from then on.
    ///
    /// # Errors
    /// NotFound; Invalid: it is no name, or the one that it has; Conflict: the name is taken;
    /// Forbidden: a predefined network.
    pub async fn network_rename(self: &Arc<Self>, reference: &str, new: &str) -> Result<()> {
        let new: NetworkName = new.parse().map_err(law)?;
        let (engine, reference) = (Arc::clone(self), reference.to_owned());
        to_the_end(async move { engine.rename_network(&reference, new).await }).await
    }

    async fn rename_network(self: &Arc<Self>, reference: &str, new: NetworkName) -> Result<()> {
        let _alone = self.networks.naming.write().await;
        let network = self.networks.writer.model().resolve_network(reference).map_err(law)?.clone();
        if network.name == new {
            let text = "Renaming a network with the same name as its current name";
            return Err(Error::invalid(text));
        }
        let (id, name) = (network.id, new.clone());
        let (engine, old) = (Arc::clone(self), network.name.to_string());
        let change = self.networks.writer.change_with(
            move |model, _| {
                let touched = model.rename_network(id, name);
                Ok(((), touched.map_err(|error| in_use(model, None, error))?))
            },
            move |go| {
                let follow = |record: &Container| followed(record, &old, new.as_str());
                engine.containers.update_together(follow, go)
            },
        );
        change.await?;
        self.networks.publish_zones(&[id].into());
        // Of several networks the names say which leads to the outside and is asked first.
        let several = |model: &Model, endpoint: &Endpoint| {
            model.endpoints_of_sandbox(endpoint.sandbox).len() > 1
        };
        self.networks.follow(self, id, several);
        self.tell_renamed(id, network.name.as_str());
        Ok(())
    }

    fn tell_renamed(&self, id: NetworkId, old: &str) {
        let model = self.networks.writer.model();
        let Some(network) = model.network(id) else { return };
        let attributes = BTreeMap::from([
            ("name".to_owned(), network.name.to_string()),
            ("oldName".to_owned(), old.to_owned()),
            ("type".to_owned(), network.driver.to_string()),
        ]);
        self.events.publish("network", "rename", id.to_string(), attributes);
    }
}

/// The record of a container that asks for the network, with the new name; `None` for others.
fn followed(record: &Container, old: &str, new: &str) -> Result<Option<Container>> {
    let mode = record.host_config.network_mode == old;
    if !mode && !record.networks.contains_key(old) {
        return Ok(None);
    }
    if record.networks.contains_key(new) {
        // There is no such network yet, but it was asked for by this name.
        let text = format!("container {} asks for a network {new} besides {old}", record.name);
        return Err(Error::conflict(text));
    }
    let mut next = record.clone();
    if mode {
        new.clone_into(&mut next.host_config.network_mode);
    }
    if let Some(settings) = next.networks.remove(old) {
        next.networks.insert(new.to_owned(), settings);
    }
    Ok(Some(next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::record;
    use crate::spec::EndpointSettings;

    #[test]
    fn records_follow_with_what_they_ask_for() {
        let mut it = record("c");
        it.host_config.network_mode = "old".to_owned();
        let aliases = Some(vec!["db".to_owned()]);
        let asked = EndpointSettings { aliases, ..EndpointSettings::default() };
        it.networks = BTreeMap::from([("old".to_owned(), asked.clone())]);
        let next = followed(&it, "old", "new").unwrap().unwrap();
        assert_eq!(next.host_config.network_mode, "new");
        assert_eq!(next.networks, BTreeMap::from([("new".to_owned(), asked)]));
        assert!(followed(&next, "old", "other").unwrap().is_none());
    }

    #[test]
    fn a_mode_that_is_another_network_stays() {
        let mut it = record("c");
        it.host_config.network_mode = "first".to_owned();
        for name in ["first", "old"] {
            it.networks.insert(name.to_owned(), EndpointSettings::default());
        }
        let next = followed(&it, "old", "new").unwrap().unwrap();
        assert_eq!(next.host_config.network_mode, "first");
        assert_eq!(next.networks.keys().collect::<Vec<_>>(), ["first", "new"]);
        let error = followed(&it, "old", "first").unwrap_err();
        assert_eq!(error.kind(), crate::Kind::Conflict);
    }
}
