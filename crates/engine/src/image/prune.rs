//! `image prune`.

use std::sync::Arc;

use chrono::Utc;

use super::list::created;
use super::{Image, Removed};
use crate::Engine;
use crate::container::until;
use crate::engine::blocking;
use crate::error::Result;
use crate::filters::Filters;

/// What a prune of images removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImagesPruned {
    /// What was done, in order.
    pub removed: Vec<Removed>,
    /// Bytes.
    pub space_reclaimed: u64,
}

impl Engine {
    /// Removes images that nothing uses: those without a name, or all with `dangling=false`.
    ///
    /// # Errors
    /// Invalid for an unknown filter or value.
    pub async fn image_prune(self: &Arc<Self>, filters: &Filters) -> Result<ImagesPruned> {
        filters.allow(&["dangling", "label", "label!", "until"])?;
        let all = filters.boolean("dangling")? == Some(false);
        let until = until(filters, Utc::now())?;
        let (engine, filters) = (Arc::clone(self), filters.clone());
        blocking(move || {
            let labels =
                |image: &Image, key: &str| filters.labels(key, &image.config.config.labels);
            let mut pruned = ImagesPruned::default();
            for image in engine.images.list() {
                let wanted = (all || image.repo_tags.is_empty())
                    && until.is_none_or(|until| created(&image) < Some(until))
                    && labels(&image, "label")
                    && (!filters.contains("label!") || !labels(&image, "label!"))
                    && !engine.image_used(&image);
                if wanted {
                    engine.prune_image(&image, &mut pruned);
                }
            }
            Ok(pruned)
        })
        .await
    }

    fn image_used(&self, image: &Image) -> bool {
        let id = image.id.as_str();
        self.containers.all().iter().any(|entry| entry.record().image == id)
    }

    fn prune_image(&self, image: &Image, pruned: &mut ImagesPruned) {
        let names = image.repo_tags.iter().map(String::as_str);
        let names: Vec<&str> =
            if image.repo_tags.is_empty() { vec![image.id.as_str()] } else { names.collect() };
        let mut gone = false;
        for name in names {
            match self.remove_image(name, false) {
                Ok(removed) => {
                    gone |= removed.iter().any(|one| matches!(one, Removed::Deleted(_)));
                    pruned.removed.extend(removed);
                }
                Err(e) => tracing::warn!(image = name, error = %e, "cannot prune it"),
            }
        }
        if gone {
            pruned.space_reclaimed += image.size;
        }
    }
}
