//! What the networks do when the daemon starts.
//!
//! In: the store's model and whatever the host has. Out: a host as the model says. Nothing is
//! flushed: what is right is not touched, so running containers do not notice.

use chrono::Utc;
use hawser_kernel::Kernel;
use hawser_model::{Model, SandboxId};
use ipnet::{IpNet, Ipv4Net};

use super::{Networks, law, predefined};
use crate::engine::{Engine, blocking, system};
use crate::error::{Error, Kind, Result};

impl Networks {
    /// Loads the fixed table, makes the predefined networks, and reconciles the host.
    pub(crate) async fn recover(&self, engine: &Engine) -> Result<()> {
        let kernel = std::sync::Arc::clone(&self.kernel);
        blocking(move || {
            let load = kernel.load_skeleton(hawser_plan::SKELETON, hawser_plan::SKELETON_MARK);
            load.map(|_| ()).map_err(|e| system("load the nftables table", e))
        })
        .await?;
        self.drop_unowned(engine).await?;
        let around = self.surroundings()?;
        let mut settings = engine.settings.clone();
        if settings.bridge.existing {
            settings.bridge.bip = Some(self.address_of(&settings.bridge.name)?);
        }
        let now = Utc::now().to_rfc3339();
        self.writer
            .change(move |model, _| {
                predefined::ensure(model, &settings, &around, &now).map(|touched| ((), touched))
            })
            .await?;
        let records: Vec<_> = engine.containers.all().iter().map(|e| e.record()).collect();
        self.reserve(&records).await;
        let changes = self.writer.reconcile().await?;
        tracing::info!(changes, "the host's network is as the records say");
        Ok(())
    }

    /// The address that a bridge of somebody else's (`--bridge`) gives to our default network.
    fn address_of(&self, bridge: &str) -> Result<Ipv4Net> {
        let name = bridge.parse().map_err(|e| system("read --bridge", e))?;
        let found = self.kernel.link_addresses(&name).map_err(|e| {
            let text = format!(
                "use the bridge {bridge} (make it first, or give --bridge-name for one of the engine's own)"
            );
            system(&text, e)
        })?;
        let v4 = found.into_iter().find_map(|net| match net {
            IpNet::V4(net) => Some(net),
            IpNet::V6(_) => None,
        });
        v4.ok_or_else(|| {
            let text = format!("the bridge {bridge} has no IPv4 address: give it the one that shall be the containers' gateway");
            Error::new(Kind::Invalid, text)
        })
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

    /// Starts the name service of a container that runs on, and writes its files, after a restart of the daemon.
    pub(crate) async fn resume(
        &self,
        engine: &Engine,
        record: &crate::record::Container,
    ) -> Result<()> {
        self.name(engine, record).await
    }
}
