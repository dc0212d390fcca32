//! `rename`.

use std::sync::Arc;

use super::events::container_event;
use super::name;
use super::task::to_the_end;
use crate::Engine;
use crate::error::{Error, Result};

impl Engine {
    /// Gives a container another name.
    ///
    /// # Errors
    /// NotFound, Conflict if the name is in use, Invalid if it is no name. Nothing is changed then.
    pub async fn container_rename(self: &Arc<Self>, reference: &str, new: &str) -> Result<()> {
        let new = new.strip_prefix('/').unwrap_or(new).to_owned();
        if reference.is_empty() || new.is_empty() {
            return Err(Error::invalid("Neither old nor new names may be empty"));
        }
        let entry = self.containers.find(reference)?;
        let engine = Arc::clone(self);
        to_the_end(async move {
            let _one = entry.lifecycle.lock().await;
            let old = entry.record().name.clone();
            if old == new {
                return Err(Error::invalid(
                    "Renaming a container with the same name as its current name",
                ));
            }
            name::check(&new)?;
            engine.containers.reserve(&new, &entry.id)?;
            let renamed = engine.networks.rename(&entry, &new).await;
            renamed.inspect_err(|_| engine.containers.release(&new, &entry.id))?;
            engine.containers.release(&old, &entry.id);
            engine.relink(&old, &new);
            container_event(&engine, &entry.record(), "rename", [("oldName", format!("/{old}"))]);
            Ok(())
        })
        .await
    }

    /// Links go on naming the container that they were made to.
    fn relink(&self, old: &str, new: &str) {
        for other in self.containers.all() {
            let record = other.record();
            let endpoints = record.networks.values().flat_map(|e| e.links.iter().flatten());
            let mut links = record.host_config.links.iter().flatten().chain(endpoints);
            if !links.any(|link| renamed(link, old, new).is_some()) {
                continue;
            }
            let changed = other.update(&self.store, |record| {
                let endpoints = record.networks.values_mut().flat_map(|e| e.links.iter_mut());
                for link in record.host_config.links.iter_mut().chain(endpoints).flatten() {
                    *link = renamed(link, old, new).unwrap_or_else(|| link.clone());
                }
            });
            if let Err(e) = changed {
                tracing::warn!(container = %other.id, error = %e, "its link names what was renamed");
            }
        }
    }
}

/// A link with the new name of its target; `None` if it is to another one.
fn renamed(link: &str, old: &str, new: &str) -> Option<String> {
    let (target, alias) = link.split_once(':').unwrap_or((link, link));
    (target.trim_start_matches('/') == old).then(|| format!("{new}:{alias}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_follow_the_name_and_keep_the_alias() {
        assert_eq!(renamed("db:data", "db", "db2").as_deref(), Some("db2:data"));
        assert_eq!(renamed("/db", "db", "db2").as_deref(), Some("db2:/db"));
        assert_eq!(renamed("other:db", "db", "db2"), None);
    }
}
