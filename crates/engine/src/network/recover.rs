//! What the networks do when the daemon starts.
//!
//! In: the store's model and whatever the host has. Out: a host as the model says. Nothing is
//! flushed: what is right is not touched, so running containers do not notice.

use std::fs::File;
use std::sync::Arc;

use chrono::Utc;
use hawser_hoststate::NamespaceName;
use hawser_kernel::Kernel;
use hawser_model::{Mode, Model, SandboxId};
use hawser_runtime::ProcessId;

use super::{Networks, existing, law, predefined, sandbox_id};
use crate::engine::{Engine, blocking};
use crate::error::Result;
use crate::record::Container;

impl Networks {
    /// Raises the firewall, makes the predefined networks, and reconciles the host.
    pub(crate) async fn recover(&self, engine: &Arc<Engine>) -> Result<()> {
        self.raise_firewall(engine).await?;
        self.drop_unowned(engine).await?;
        let around = self.surroundings()?;
        let mut settings = engine.settings.clone();
        if settings.bridge.existing {
            existing::follow_default(&self.kernel, &mut settings.bridge)?;
        }
        let now = Utc::now().to_rfc3339();
        self.writer
            .change(move |model, _| {
                predefined::ensure(model, &settings, &around, &now).map(|touched| ((), touched))
            })
            .await?;
        let records: Vec<_> = engine.containers.all().iter().map(|e| e.record()).collect();
        self.reserve(&records).await;
        self.pin_again(&records).await?;
        self.writer.raise_name_servers().await?;
        self.answer_again(engine, &records);
        let changes = self.writer.reconcile().await?;
        // Those whose namespace had to be made.
        self.answer_again(engine, &records);
        tracing::info!(changes, "the host's network is as the records say");
        Ok(())
    }

    /// The namespace of a container that runs is not lost with the file that pins it: the process
    /// has it. Without the pin all in it would be made anew, in a namespace that nobody is in.
    async fn pin_again(&self, records: &[Arc<Container>]) -> Result<()> {
        let model = self.writer.model();
        let pinned = records.iter().filter_map(|record| {
            let id = sandbox_id(&record.id).ok()?;
            model.sandbox(id).filter(|sandbox| sandbox.mode == Mode::Own)?;
            Some((hawser_plan::namespace(id), record.state.handle.as_ref()?.process))
        });
        let (pinned, kernel) = (pinned.collect::<Vec<_>>(), Arc::clone(&self.kernel));
        blocking(move || {
            pinned.iter().for_each(|(name, process)| pin_again(&kernel, name, process));
            Ok(())
        })
        .await
    }

    /// Sandboxes that no container's process can be in: the daemon was killed while a container
    /// was started or removed.
    async fn drop_unowned(&self, engine: &Engine) -> Result<()> {
        let model = self.writer.model();
        let owned = |id: &SandboxId| {
            let id = id.to_string().parse().ok();
            let entry = id.and_then(|id| engine.containers.get(&id));
            entry.is_some_and(|entry| entry.record().state.handle.is_some())
        };
        let unowned = model.sandboxes().map(|s| s.id).filter(|id| !owned(id));
        for id in unowned.collect::<Vec<_>>() {
            let drop = move |model: &mut Model, _: &Kernel| {
                Ok(((), model.remove_sandbox(id).map_err(law)?))
            };
            self.writer.change(drop).await?;
            tracing::info!(sandbox = %id, "removed what was left of an unfinished operation");
        }
        Ok(())
    }

    /// Makes the name service answer where there are name servers. Whose process has ended
    /// meanwhile leaves its networks later.
    fn answer_again(&self, engine: &Engine, records: &[Arc<Container>]) {
        let model = self.writer.model();
        self.publish_zones(&model.networks().map(|network| network.id).collect());
        let there = |record: &&Arc<Container>| {
            sandbox_id(&record.id).is_ok_and(|id| model.sandbox(id).is_some())
        };
        for record in records.iter().filter(there) {
            if let Err(error) = self.answer_names(engine, &record.id) {
                tracing::error!(container = %record.id, %error, "its name service does not answer");
            }
        }
    }

    /// Writes the files of a container that runs on after a restart of the daemon; its names are
    /// answered already.
    pub(crate) fn resume(&self, engine: &Engine, record: &Container) -> Result<()> {
        self.write_etc(engine, &record.id)?;
        self.tell_linkers(engine, record);
        Ok(())
    }
}

fn pin_again(kernel: &Kernel, name: &NamespaceName, process: &ProcessId) {
    let Ok(ns) = File::open(format!("/proc/{}/ns/net", process.pid)) else { return };
    // Opened before it is asked for: the number may be another's by now.
    if !process.is_alive() {
        return;
    }
    match kernel.pin_again(name, &ns) {
        Ok(false) => {}
        Ok(true) => tracing::warn!(sandbox = %name, "its namespace was pinned again"),
        Err(error) => {
            tracing::error!(sandbox = %name, %error, cause = %error.cause, "cannot pin its namespace again");
        }
    }
}
