//! `container prune`.

use std::sync::Arc;

use crate::Engine;
use crate::error::Result;
use crate::filters::Filters;

/// What a prune removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Ids.
    pub deleted: Vec<String>,
    /// Bytes.
    pub space_reclaimed: u64,
}

impl Engine {
    /// Removes all containers that do not run.
    ///
    /// # Errors
    /// Invalid for an unknown filter or value.
    pub async fn container_prune(self: &Arc<Self>, filters: &Filters) -> Result<Pruned> {
        let _ = filters;
        todo!()
    }
}
