//! `resize`.

use hawser_runtime::TerminalSize;

use super::events::container_event;
use super::pause::not_running;
use crate::Engine;
use crate::engine::system;
use crate::error::Result;

impl Engine {
    /// Sets the size of the container's terminal, in characters.
    ///
    /// # Errors
    /// NotFound, Conflict if it does not run.
    pub async fn container_resize(&self, reference: &str, height: u16, width: u16) -> Result<()> {
        let entry = self.containers.find(reference)?;
        let record = entry.settled().await;
        if !record.state.is_running() {
            return Err(not_running(entry.id.as_str()));
        }
        self.runtime
            .resize(entry.id.as_str(), TerminalSize { width, height })
            .map_err(|e| system("resize the container's terminal", e))?;
        let more = [("height", height.to_string()), ("width", width.to_string())];
        container_event(self, &record, "resize", more);
        Ok(())
    }
}
