//! The engine as a value: its adapters, its registries, and how it is opened.
//!
//! In: [`Settings`]. Out: an [`Engine`] that serves. Opening recovers: what the store says is
//! compared with what the kernel and the conmons say, and the difference is applied. The verbs are
//! methods in files of their own, `<noun>/<verb>.rs`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use hawser_dns::Dns;
use hawser_images::Images;
use hawser_kernel::Kernel;
use hawser_runtime::Runtime;
use hawser_store::Embedded;

use crate::container::{self, Containers};
use crate::error::{Error, Kind, Result};
use crate::events::Events;
use crate::exec::Execs;
use crate::image::Registry;
use crate::network::Networks;
use crate::settings::Settings;
use crate::volume::Volumes;

/// A running engine.
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<Embedded>,
    pub(crate) kernel: Arc<Kernel>,
    pub(crate) runtime: Runtime,
    pub(crate) images: Arc<Images>,
    pub(crate) registry: Registry,
    pub(crate) networks: Networks,
    pub(crate) containers: Containers,
    pub(crate) execs: Execs,
    pub(crate) events: Events,
    pub(crate) volumes: Volumes,
}

impl Engine {
    /// Opens what the settings name, recovers, and is ready to serve when it returns.
    ///
    /// # Errors
    /// Not root, a missing program (the message names the package), another daemon on the same
    /// data root, settings that contradict what is there.
    pub async fn open(settings: Settings) -> Result<Arc<Self>> {
        let netns_dir = settings.exec_root.join("netns");
        let config = container::runtime_config(&settings, netns_dir.clone());
        let (settings, kernel) = blocking(move || {
            // Others have no business in what containers write and say, nor with set-user-id
            // programs of images; the socket's group must be able to pass.
            make_dir(&settings.data_root, 0o710)?;
            make_dir(&settings.exec_root, 0o711)?;
            let kernel = Kernel::open(hawser_kernel::Config { netns_dir });
            Ok((settings, kernel.map_err(|e| system("open the kernel", e))?))
        })
        .await?;
        // After the kernel, which mounts the directory of pins: containers must not see that.
        let runtime = Runtime::new(config).await;
        let runtime = runtime.map_err(|e| system("find the container runtime", e))?;
        let engine = blocking(move || Self::assemble(settings, kernel, runtime)).await?;
        let engine = Arc::new(engine);
        // Read first: what changes while containers are taken up is followed afterwards.
        let known = engine.networks.known_resolvers();
        engine.networks.recover(&engine).await?;
        container::recover(&engine).await?;
        engine.networks.watch_resolvers(&engine, known)?;
        Ok(engine)
    }

    fn assemble(settings: Settings, kernel: Kernel, runtime: Runtime) -> Result<Self> {
        let kernel = Arc::new(kernel);
        let path = settings.data_root.join("hawser.redb");
        let store = Embedded::open(&path).map_err(|e| system("open the store", e))?;
        let store = Arc::new(store);
        let images = Images::open(&settings.data_root).map_err(|e| system("open the images", e))?;
        let dns = Dns::new(
            tokio::runtime::Handle::current(),
            hawser_dns::Settings { cache: settings.dns_cache },
        );
        let networks = Networks::open(&settings, Arc::clone(&store), Arc::clone(&kernel), dns)?;
        let containers = Containers::open(&store)?;
        let volumes = Volumes::open(&settings)?;
        let registry = Registry::new(&settings);
        Ok(Self {
            settings,
            store,
            kernel,
            runtime,
            images: Arc::new(images),
            registry,
            networks,
            containers,
            execs: Execs::default(),
            events: Events::default(),
            volumes,
        })
    }

    /// What the daemon was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Ends the engine's own work; containers run on.
    pub async fn shutdown(&self) {
        let kernel = Arc::clone(&self.kernel);
        // Removals that the kernel does in the background are waited for; nothing else is pending.
        let _ = tokio::task::spawn_blocking(move || kernel.settle()).await;
    }
}

/// Runs blocking work off the asynchronous threads.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => Err(Error::caused(Kind::System, "a task of the engine ended early", e)),
    }
}

/// An error of kind [`Kind::System`]: what was tried, and why it failed.
pub(crate) fn system(
    what: &str,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::caused(Kind::System, what, cause)
}

fn make_dir(path: &Path, mode: u32) -> Result<()> {
    let made = std::fs::create_dir_all(path)
        .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)));
    made.map_err(|e| system(&format!("make {}", path.display()), e))
}
