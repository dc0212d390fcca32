//! `volume ls`, `volume inspect`, and what volumes take of the disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::options::{Device, device};
use super::{DRIVER, Volume, VolumeUsage};
use crate::Engine;
use crate::engine::blocking;
use crate::error::Result;
use crate::filters::Filters;
use crate::record::Container;

impl Engine {
    /// The volumes that match, in the order of their names.
    ///
    /// # Errors
    /// Invalid for an unknown filter or value.
    pub async fn volume_list(self: &Arc<Self>, filters: &Filters) -> Result<Vec<Volume>> {
        filters.allow(&["dangling", "driver", "label", "name"])?;
        let dangling = filters.boolean("dangling")?;
        let (engine, filters) = (Arc::clone(self), filters.clone());
        blocking(move || {
            let matches = |volume: &Volume| {
                filters.exact("driver", DRIVER)
                    && filters.pattern("name", &volume.name)
                    && filters.labels("label", &volume.labels)
                    && dangling.is_none_or(|wanted| engine.users(&volume.name).is_empty() == wanted)
            };
            Ok(engine.volumes.all()?.into_iter().filter(|volume| matches(volume)).collect())
        })
        .await
    }

    /// What is mounted in place of the directories of a container's volumes, by their names.
    pub(crate) fn devices(&self, record: &Container) -> Result<BTreeMap<String, Device>> {
        let mut devices = BTreeMap::new();
        for mount in record.mounts.iter().filter(|mount| mount.kind == "volume") {
            let volume = self.volumes.get(&mount.name)?;
            let device = volume.map(|volume| device(&volume.options)).transpose()?.flatten();
            devices.extend(device.map(|device| (mount.name.clone(), device)));
        }
        Ok(devices)
    }

    /// A volume.
    ///
    /// # Errors
    /// NotFound.
    pub async fn volume_inspect(self: &Arc<Self>, name: &str) -> Result<Volume> {
        let (engine, name) = (Arc::clone(self), name.to_owned());
        blocking(move || engine.volumes.find(&name)).await
    }

    /// All volumes with their use.
    ///
    /// # Errors
    /// System: a volume can't be read.
    pub async fn volume_usage(self: &Arc<Self>) -> Result<Vec<VolumeUsage>> {
        let engine = Arc::clone(self);
        blocking(move || {
            let usage = |volume: Volume| VolumeUsage {
                containers: engine.users(&volume.name).len(),
                size: super::prune::size(&volume.mountpoint),
                volume,
            };
            Ok(engine.volumes.all()?.into_iter().map(usage).collect())
        })
        .await
    }
}
