//! What the networks do when the daemon starts.
//!
//! In: the store's model and whatever the host has. Out: a host as the model says. Nothing is
//! flushed: what is right is not touched, so running containers do not notice.

use chrono::Utc;

use super::{Networks, predefined};
use crate::engine::{Engine, blocking, system};
use crate::error::Result;

impl Networks {
    /// Loads the fixed table, makes the predefined networks, and reconciles the host.
    pub(crate) async fn recover(&self, engine: &Engine) -> Result<()> {
        let kernel = std::sync::Arc::clone(&self.kernel);
        blocking(move || {
            let load = kernel.load_skeleton(hawser_plan::SKELETON, hawser_plan::SKELETON_MARK);
            load.map(|_| ()).map_err(|e| system("load the nftables table", e))
        })
        .await?;
        let around = self.surroundings()?;
        let settings = engine.settings.clone();
        let now = Utc::now().to_rfc3339();
        self.writer
            .change(move |model, _| {
                predefined::ensure(model, &settings, &around, &now).map(|touched| ((), touched))
            })
            .await?;
        let changes = self.writer.reconcile().await?;
        tracing::info!(changes, "the host's network is as the records say");
        Ok(())
    }

    /// Starts the name service of a container that runs on, after a restart of the daemon.
    pub(crate) async fn resume(
        &self,
        engine: &Engine,
        record: &crate::record::Container,
    ) -> Result<()> {
        self.answer_names(engine, record).await
    }
}
