//! `events`.

use crate::Engine;
use crate::error::Result;
use crate::events::{EventQuery, EventStream};

impl Engine {
    /// Events of the past and as they happen.
    ///
    /// # Errors
    /// Invalid for an unknown filter.
    pub fn events(&self, query: EventQuery) -> Result<EventStream> {
        self.events.listen(query)
    }
}
