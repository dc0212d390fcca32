//! What the networks do when a container gets another name.

use super::{Networks, law, names, sandbox_id};
use crate::error::Result;
use crate::record::Container;

impl Networks {
    /// After a container has got another name (in the record): the name service answers it at once.
    pub(crate) async fn rename(&self, record: &Container) -> Result<()> {
        let id = sandbox_id(&record.id)?;
        if self.writer.model().sandbox(id).is_none() {
            return Ok(());
        }
        let name = record.name.clone();
        self.writer
            .change(move |model, _| Ok(((), model.rename_sandbox(id, &name).map_err(law)?)))
            .await?;
        self.publish_zones(&names::networks_of(&self.writer.model(), id));
        Ok(())
    }
}
