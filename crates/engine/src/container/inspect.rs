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
        let _ = (reference, size);
        todo!()
    }
}
