//! `rmi`.

use std::sync::Arc;

use super::{Removed, image_event};
use crate::Engine;
use crate::engine::blocking;
use crate::error::Result;

impl Engine {
    /// Takes a name away, and the image with its last one.
    ///
    /// # Errors
    /// NotFound, Conflict if a container uses it.
    pub async fn image_remove(
        self: &Arc<Self>,
        reference: &str,
        force: bool,
    ) -> Result<Vec<Removed>> {
        let (engine, reference) = (Arc::clone(self), reference.to_owned());
        blocking(move || engine.remove_image(&reference, force)).await
    }

    /// Removes it and tells; blocks.
    pub(super) fn remove_image(&self, reference: &str, force: bool) -> Result<Vec<Removed>> {
        let id = self.images.resolve(reference)?.id;
        let users = |id: &hawser_images::ImageId| {
            let records = self.containers.all().into_iter().map(|entry| entry.record());
            let using = records.filter(|record| record.image == id.as_str());
            using
                .map(|record| hawser_images::User {
                    container: record.id.to_string(),
                    running: record.state.is_running(),
                })
                .collect()
        };
        let removed = self.images.remove(reference, force, &users)?;
        for one in &removed {
            match one {
                Removed::Untagged(name) => image_event(self, "untag", id.as_str(), name),
                Removed::Deleted(what) if what == id.as_str() => {
                    image_event(self, "delete", id.as_str(), id.as_str());
                }
                Removed::Deleted(_) => {}
            }
        }
        Ok(removed)
    }
}
