//! `save`.

use std::io::Write;
use std::sync::Arc;

use super::image_event;
use crate::Engine;
use crate::engine::blocking;
use crate::error::Result;

impl Engine {
    /// Writes images as an archive that `load` reads, on a blocking thread.
    ///
    /// # Errors
    /// NotFound, before anything is written, or of the writer.
    pub async fn image_save(
        self: &Arc<Self>,
        references: Vec<String>,
        out: impl Write + Send + 'static,
    ) -> Result<()> {
        let found: Vec<_> = references
            .iter()
            .map(|reference| {
                Ok((self.images.resolve(reference)?.id.to_string(), reference.clone()))
            })
            .collect::<Result<_>>()?;
        let images = Arc::clone(&self.images);
        blocking(move || {
            let references: Vec<&str> = references.iter().map(String::as_str).collect();
            Ok(images.save(&references, out)?)
        })
        .await?;
        for (id, name) in found {
            image_event(self, "save", &id, &name);
        }
        Ok(())
    }
}
