//! `kill`.

use std::sync::Arc;

use crate::Engine;
use crate::error::Result;

impl Engine {
    /// Sends a signal (default `SIGKILL`) to the container's process 1.
    ///
    /// # Errors
    /// NotFound, Invalid for an unknown signal, Conflict if it does not run.
    pub async fn container_kill(self: &Arc<Self>, reference: &str, signal: Option<&str>) -> Result<()> {
        let _ = (reference, signal);
        todo!()
    }
}
