//! `inspect`.

use super::ContainerView;
use crate::Engine;
use crate::error::Result;

impl Engine {
    /// All about a container.
    ///
    /// # Errors
    /// NotFound.
    pub async fn container_inspect(&self, reference: &str, size: bool) -> Result<ContainerView> {
        let entry = self.containers.find(reference)?;
        let mut view = self.container_view(&entry);
        if size {
            view.size = Some(self.container_size(&entry.record()).await?);
        }
        Ok(view)
    }
}
