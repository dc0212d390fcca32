//! What `create` and the first `start` would do to the host's network, without doing them.
//!
//! In: the request of `create`. Out: the commands, in order. The request is checked as `create`
//! checks it and the start as far as the networks go; no name is taken, nothing is made.

use std::sync::Arc;

use super::{CreateContainer, check};
use crate::Engine;
use crate::container::name;
use crate::error::Result;
use crate::record::ContainerId;

impl Engine {
    /// The commands that `run` would carry out. Of a container that is made later, what is named
    /// after its id (the namespace) or a new endpoint's (the link) has another name.
    ///
    /// # Errors
    /// As [`Engine::container_create`], and those of the networks at start.
    pub async fn container_plan(self: &Arc<Self>, request: CreateContainer) -> Result<Vec<String>> {
        check::config(&request.config)?;
        let wanted = request.name.as_deref().map(|name| name.strip_prefix('/').unwrap_or(name));
        let name = match wanted.filter(|name| !name.is_empty()) {
            Some(wanted) => {
                name::check(wanted)?;
                self.containers.check_free(wanted)?;
                wanted.to_owned()
            }
            None => name::random(0),
        };
        let draft = self.draft(request, ContainerId::random(), name)?;
        self.networks.plan_join(self, &draft.record).await
    }
}
