//! `rename`.

use std::sync::Arc;

use crate::Engine;
use crate::error::Result;

impl Engine {
    /// Gives a container another name.
    ///
    /// # Errors
    /// NotFound, Conflict if the name is in use, Invalid if it is no name.
    pub async fn container_rename(self: &Arc<Self>, reference: &str, name: &str) -> Result<()> {
        let _ = (reference, name);
        todo!()
    }
}
