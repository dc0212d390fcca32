//! `volume rm`, and the anonymous volumes of a container that goes.

use std::sync::Arc;

use super::{Volumes, discard};
use crate::Engine;
use crate::engine::{blocking, system};
use crate::error::{Error, Kind, Result};
use crate::record::Container;

impl Engine {
    /// Removes a volume; with `force` one that is not there is no failure.
    ///
    /// # Errors
    /// NotFound; Conflict, in Docker's words, naming the containers that have it.
    pub async fn volume_remove(self: &Arc<Self>, name: &str, force: bool) -> Result<()> {
        let (engine, name) = (Arc::clone(self), name.to_owned());
        blocking(move || match engine.remove_volume(&name) {
            Err(error) if force && error.kind() == Kind::NotFound => Ok(()),
            removed => removed,
        })
        .await
    }

    pub(super) fn remove_volume(&self, name: &str) -> Result<()> {
        let removing = self.volumes.removing();
        self.volumes.find(name)?;
        let users = self.users(name);
        if !users.is_empty() {
            let users = users.join(", ");
            return Err(Error::conflict(format!("remove {name}: volume is in use - [{users}]")));
        }
        let aside = self.volumes.put_aside(name)?;
        drop(removing);
        discard(&aside);
        self.tell_volume(name, "destroy");
        Ok(())
    }

    /// Removes the anonymous volumes of a container that no other container has. What can't be
    /// removed is told, and is a volume like others from then on.
    pub(crate) fn remove_anonymous(&self, record: &Container) {
        for mount in record.mounts.iter().filter(|mount| mount.kind == "volume") {
            if let Err(error) = self.remove_if_anonymous(&mount.name, record) {
                tracing::warn!(volume = mount.name, %error, "cannot remove an anonymous volume");
            }
        }
    }

    fn remove_if_anonymous(&self, name: &str, record: &Container) -> Result<()> {
        let removing = self.volumes.removing();
        let Some(volume) = self.volumes.get(name)? else { return Ok(()) };
        let others = self.users(name).iter().any(|user| *user != record.id.to_string());
        if !volume.is_anonymous() || others {
            return Ok(());
        }
        let aside = self.volumes.put_aside(name)?;
        drop(removing);
        discard(&aside);
        self.tell_volume(name, "destroy");
        Ok(())
    }
}

impl Volumes {
    /// Takes its name from it: from here on it is no volume.
    fn put_aside(&self, name: &str) -> Result<std::path::PathBuf> {
        let aside = self.aside();
        let renamed = std::fs::rename(self.dir.join(name), &aside);
        renamed.map_err(|e| system(&format!("remove volume {name}"), e))?;
        Ok(aside)
    }
}
