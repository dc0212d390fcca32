//! What the networks do when a container gets another name.

use std::sync::Arc;

use super::{Networks, law, names, sandbox_id};
use crate::container::Entry;
use crate::error::Result;

impl Networks {
    /// Gives a container another name: its record, its sandbox and the names that others link to
    /// change together, or nothing does; the name service answers the new one at once.
    pub(crate) async fn rename(&self, entry: &Arc<Entry>, new: &str) -> Result<()> {
        let id = sandbox_id(&entry.id)?;
        let (name, kept, renamed) = (new.to_owned(), new.to_owned(), Arc::clone(entry));
        let change = self.writer.change_with(
            move |model, _| match model.sandbox(id) {
                Some(_) => Ok(((), model.rename_sandbox(id, &name).map_err(law)?)),
                None => Ok(((), Default::default())),
            },
            move |go| renamed.update_beside(|record| record.name = kept, go).map(drop),
        );
        change.await?;
        self.publish_names(id, &names::networks_of(&self.writer.model(), id));
        Ok(())
    }
}
