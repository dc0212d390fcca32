//! `restart`.

use std::sync::Arc;

use super::StopOptions;
use crate::Engine;
use crate::error::Result;

impl Engine {
    /// Stops a container if it runs, and starts it.
    ///
    /// # Errors
    /// As `stop` and `start`, but never NotModified.
    pub async fn container_restart(self: &Arc<Self>, reference: &str, options: StopOptions) -> Result<()> {
        let _ = (reference, options);
        todo!()
    }
}
