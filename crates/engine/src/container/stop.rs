//! `stop`.

use std::sync::Arc;

use crate::Engine;
use crate::error::Result;

/// How to stop; also of `restart`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopOptions {
    /// Signal instead of the container's own.
    pub signal: Option<String>,
    /// Seconds before it is killed instead of the container's own; negative waits for ever.
    pub timeout: Option<i64>,
}

impl Engine {
    /// Asks a container to stop, and kills it if it does not.
    ///
    /// # Errors
    /// NotModified if it does not run, NotFound, Invalid for an unknown signal.
    pub async fn container_stop(self: &Arc<Self>, reference: &str, options: StopOptions) -> Result<()> {
        let _ = (reference, options);
        todo!()
    }
}
