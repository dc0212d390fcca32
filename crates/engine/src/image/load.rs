//! `load` and `import`.

use std::io::Read;
use std::sync::Arc;

use super::{ImportOptions, Loaded, image_event};
use crate::Engine;
use crate::engine::blocking;
use crate::error::Result;

impl Engine {
    /// Reads an archive (docker-archive, OCI), plain or compressed, on a blocking thread.
    ///
    /// # Errors
    /// Invalid if it is no such archive, or not to be trusted.
    pub async fn image_load(
        self: &Arc<Self>,
        archive: impl Read + Send + 'static,
    ) -> Result<Vec<Loaded>> {
        let images = Arc::clone(&self.images);
        let loaded = blocking(move || Ok(images.load(archive)?)).await?;
        for one in &loaded {
            let name = match one {
                Loaded::Tag(tag) => tag.clone(),
                Loaded::Id(id) => id.to_string(),
                Loaded::Renamed { .. } => continue,
            };
            let id = self.images.resolve(&name).map_or(name.clone(), |image| image.id.to_string());
            image_event(self, "load", &id, &name);
        }
        Ok(loaded)
    }

    /// Makes an image of a tar of a root file system, on a blocking thread; the answer is its id.
    ///
    /// # Errors
    /// Invalid for options that make no sense or an archive that is none.
    pub async fn image_import(
        self: &Arc<Self>,
        archive: impl Read + Send + 'static,
        options: ImportOptions,
    ) -> Result<String> {
        let images = Arc::clone(&self.images);
        let name = options.reference.clone();
        let id = blocking(move || Ok(images.import(archive, &options)?)).await?.to_string();
        image_event(self, "import", &id, name.as_deref().unwrap_or(&id));
        Ok(id)
    }
}
