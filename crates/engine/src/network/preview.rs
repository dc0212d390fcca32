//! What an operation would do to the host, without doing it.
//!
//! In: the requests that the real verbs take. Out: the commands that would carry them out, in
//! order. Model, store, kernel, ids and events stay as they are; what the real verb would refuse is
//! refused here in the same words. Ids are fresh ones each time, and so are the names of links that
//! are made of them.

use std::sync::Arc;

use hawser_hoststate::Change;

use super::{Networks, law};
use crate::engine::Engine;
use crate::error::Result;
use crate::record::Container;
use crate::spec::NetworkCreate;

impl Engine {
    /// The commands that `network create` would carry out.
    ///
    /// # Errors
    /// As [`Engine::network_create`].
    pub async fn network_plan(self: &Arc<Self>, request: NetworkCreate) -> Result<Vec<String>> {
        let (spec, around) = self.networks.asked(request)?;
        let made = self
            .networks
            .writer
            .preview(move |model, _| Ok(((), model.create_network(spec, &around).map_err(law)?)));
        Ok(self.networks.commands(&made.await?.changes))
    }
}

impl Networks {
    /// The commands that the start of a container would carry out.
    pub(crate) async fn plan_join(
        &self,
        engine: &Engine,
        record: &Container,
    ) -> Result<Vec<String>> {
        let (request, publishing) = (self.request(engine, record)?, self.asked_ports(record)?);
        let joined = self.writer.preview(move |model, kernel| {
            let mut touched = request.join(model)?;
            touched.merge(publishing.publish(model, kernel)?);
            Ok(((), touched))
        });
        Ok(self.commands(&joined.await?.changes))
    }

    /// Changes as a person would type them, one line each.
    pub(super) fn commands(&self, changes: &[Change]) -> Vec<String> {
        hawser_hoststate::commands(changes, &|name| self.kernel.namespace_path(name))
    }
}
