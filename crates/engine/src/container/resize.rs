//! `resize`.

use crate::Engine;
use crate::error::Result;

impl Engine {
    /// Sets the size of the container's terminal, in characters.
    ///
    /// # Errors
    /// NotFound, Conflict if it does not run.
    pub async fn container_resize(&self, reference: &str, height: u16, width: u16) -> Result<()> {
        let _ = (reference, height, width);
        todo!()
    }
}
