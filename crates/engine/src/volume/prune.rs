//! `volume prune`.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::Volume;
use crate::Engine;
use crate::engine::blocking;
use crate::error::{Kind, Result};
use crate::filters::Filters;

/// What a prune removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumesPruned {
    /// Names.
    pub deleted: Vec<String>,
    /// Bytes.
    pub space_reclaimed: u64,
}

impl Engine {
    /// Removes volumes that no container has: the anonymous ones, and with `named` (or the filter
    /// `all`) the others, too.
    ///
    /// # Errors
    /// Invalid for an unknown filter or value.
    pub async fn volume_prune(
        self: &Arc<Self>,
        filters: &Filters,
        named: bool,
    ) -> Result<VolumesPruned> {
        filters.allow(&["label", "label!", "all"])?;
        let named = named || filters.boolean("all")? == Some(true);
        let (engine, filters) = (Arc::clone(self), filters.clone());
        blocking(move || {
            let mut pruned = VolumesPruned::default();
            for volume in engine.volumes.all()? {
                if wanted(&volume, &filters, named) && engine.users(&volume.name).is_empty() {
                    engine.prune_one(&volume, &mut pruned);
                }
            }
            let reclaimed = ("reclaimed".to_owned(), pruned.space_reclaimed.to_string());
            engine.events.publish("volume", "prune", "", BTreeMap::from([reclaimed]));
            Ok(pruned)
        })
        .await
    }

    fn prune_one(&self, volume: &Volume, pruned: &mut VolumesPruned) {
        let size = size(&volume.mountpoint);
        match self.remove_volume(&volume.name) {
            Ok(()) => {
                pruned.deleted.push(volume.name.clone());
                pruned.space_reclaimed += size;
            }
            // A container got it just now, or somebody removed it.
            Err(error) if matches!(error.kind(), Kind::Conflict | Kind::NotFound) => {}
            Err(error) => tracing::warn!(volume = volume.name, %error, "cannot prune it"),
        }
    }
}

fn wanted(volume: &Volume, filters: &Filters, named: bool) -> bool {
    (named || volume.is_anonymous())
        && filters.labels("label", &volume.labels)
        && (!filters.contains("label!") || !filters.labels("label!", &volume.labels))
}

/// Bytes of the files below a directory, as `du --apparent-size` counts them; links are not followed,
/// and what can't be read counts for nothing.
pub(super) fn size(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let mut total = 0;
    for entry in entries.flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        total += match meta.is_dir() {
            true => size(&entry.path()),
            false => meta.size(),
        };
    }
    total
}
