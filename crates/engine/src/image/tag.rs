//! `tag`.

use std::sync::Arc;

use super::image_event;
use crate::Engine;
use crate::engine::blocking;
use crate::error::Result;

impl Engine {
    /// Gives an image a further name.
    ///
    /// # Errors
    /// NotFound, Invalid for a malformed name.
    pub async fn image_tag(self: &Arc<Self>, source: &str, target: &str) -> Result<()> {
        let images = Arc::clone(&self.images);
        let (from, to) = (source.to_owned(), target.to_owned());
        blocking(move || Ok(images.tag(&from, &to)?)).await?;
        let id = self.images.resolve(target)?.id.to_string();
        let name = hawser_images::Reference::parse(target)?.or_latest().familiar();
        image_event(self, "tag", &id, &name);
        Ok(())
    }
}
