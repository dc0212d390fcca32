//! `start`.

use std::sync::Arc;

use crate::Engine;
use crate::error::Result;

impl Engine {
    /// Starts a container that does not run.
    ///
    /// # Errors
    /// NotModified if it runs, NotFound, Conflict while it is paused or being removed, Invalid or
    /// System if the process cannot be started.
    pub async fn container_start(self: &Arc<Self>, reference: &str) -> Result<()> {
        let _ = reference;
        todo!()
    }
}
