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
    /// NotFound, Conflict if the name is in use, Invalid if it is no name.
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
            let renamed = entry.update(&engine.store, |record| record.name.clone_from(&new));
            let record = renamed.inspect_err(|_| engine.containers.release(&new, &entry.id))?;
            engine.containers.release(&old, &entry.id);
            engine.networks.rename(&record).await?;
            container_event(&engine, &record, "rename", [("oldName", format!("/{old}"))]);
            Ok(())
        })
        .await
    }
}
