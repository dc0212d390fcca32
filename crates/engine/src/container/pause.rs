//! `pause` and `unpause`.

use std::sync::Arc;

use crate::Engine;
use crate::error::Result;

impl Engine {
    /// Freezes the container's processes.
    ///
    /// # Errors
    /// NotFound, Conflict if it does not run or is paused.
    pub async fn container_pause(self: &Arc<Self>, reference: &str) -> Result<()> {
        let _ = reference;
        todo!()
    }

    /// Lets a paused container go on.
    ///
    /// # Errors
    /// NotFound, System if it is not paused.
    pub async fn container_unpause(self: &Arc<Self>, reference: &str) -> Result<()> {
        let _ = reference;
        todo!()
    }
}
