//! `rm`.

use std::sync::Arc;

use crate::Engine;
use crate::error::Result;

/// How to remove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoveOptions {
    /// Kill it first if it runs.
    pub force: bool,
    /// Also its anonymous volumes.
    pub volumes: bool,
    /// Not the container but the link that the reference names (legacy).
    pub link: bool,
}

impl Engine {
    /// Removes a container.
    ///
    /// # Errors
    /// NotFound, Conflict if it runs and `force` is not set.
    pub async fn container_remove(self: &Arc<Self>, reference: &str, options: RemoveOptions) -> Result<()> {
        let _ = (reference, options);
        todo!()
    }
}
