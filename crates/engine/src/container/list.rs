//! `ps`.

use super::ContainerView;
use crate::Engine;
use crate::error::Result;
use crate::filters::Filters;

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListContainers {
    /// Also those that do not run.
    pub all: bool,
    /// Only so many, the youngest; includes those that do not run.
    pub limit: Option<usize>,
    /// Also sizes.
    pub size: bool,
    /// Filters.
    pub filters: Filters,
}

impl Engine {
    /// Containers, the youngest first.
    ///
    /// # Errors
    /// Invalid for an unknown filter or value, NotFound for a `before` or `since` that is not there.
    pub async fn container_list(&self, query: ListContainers) -> Result<Vec<ContainerView>> {
        let _ = query;
        todo!()
    }
}
