//! `create`.
//!
//! In: a request in the API's shapes. Out: a container that can be started: its record, its root
//! file system, its volumes. Everything is checked before anything is made, and what was made is
//! taken back when a later step fails. Nothing runs, and no network is touched.

mod check;
mod host;
mod limits;
mod merge;
mod mounts;
mod preview;

use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use hawser_images::Image;

use self::mounts::Planned;
use super::events::container_event;
use super::task::to_the_end;
use super::{copy_up, name};
use crate::Engine;
use crate::engine::{blocking, system};
use crate::error::{Error, Kind, Result};
use crate::record::{Container, ContainerId, Mount, State};
use crate::spec::{ContainerConfig, HostConfig, NetworkingConfig};

/// How often a random name is tried.
const NAME_ATTEMPTS: u32 = 32;

/// What to make.
#[derive(Clone, Debug, Default)]
pub struct CreateContainer {
    /// Its name; a random one if none.
    pub name: Option<String>,
    /// `os[/arch[/variant]]` that the image must have.
    pub platform: Option<String>,
    /// The portable part.
    pub config: ContainerConfig,
    /// The host part.
    pub host_config: HostConfig,
    /// Networks.
    pub networking: NetworkingConfig,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: ContainerId,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// A container that is thought out, and of which nothing is made yet.
struct Draft {
    record: Container,
    planned: Vec<Planned>,
    image: Image,
    warnings: Vec<String>,
}

impl Engine {
    /// Makes a container, without starting it.
    ///
    /// # Errors
    /// Invalid if a setting makes no sense, Conflict if the name is in use, NotFound without image.
    pub async fn container_create(self: &Arc<Self>, request: CreateContainer) -> Result<Created> {
        let engine = Arc::clone(self);
        to_the_end(async move {
            check::config(&request.config)?;
            let id = ContainerId::random();
            let name = engine.take_name(request.name.as_deref(), &id)?;
            let made = engine.make(request, id.clone(), name.clone()).await;
            made.inspect_err(|_| engine.containers.release(&name, &id))
        })
        .await
    }

    fn take_name(&self, wanted: Option<&str>, id: &ContainerId) -> Result<String> {
        if let Some(wanted) = wanted.filter(|name| !name.is_empty()) {
            let wanted = wanted.strip_prefix('/').unwrap_or(wanted);
            name::check(wanted)?;
            self.containers.reserve(wanted, id)?;
            return Ok(wanted.to_owned());
        }
        for attempt in 0..NAME_ATTEMPTS {
            let random = name::random(attempt);
            if self.containers.reserve(&random, id).is_ok() {
                return Ok(random);
            }
        }
        Err(Error::new(Kind::System, "cannot find a free name for the container"))
    }

    async fn make(
        self: &Arc<Self>,
        request: CreateContainer,
        id: ContainerId,
        name: String,
    ) -> Result<Created> {
        let _names = self.networks.names_stay().await;
        let Draft { record, planned, image, warnings } = self.draft(request, id, name)?;
        let engine = Arc::clone(self);
        let record = blocking(move || engine.furnish(record, planned, &image)).await?;
        self.networks.reserve(std::slice::from_ref(&record)).await;
        container_event(self, &record, "create", []);
        Ok(Created { id: record.id.clone(), warnings })
    }

    /// The container as it would be, with everything checked that can be.
    fn draft(&self, request: CreateContainer, id: ContainerId, name: String) -> Result<Draft> {
        if request.config.image.is_empty() && request.config.cmd.is_none() {
            return Err(Error::invalid("no command specified"));
        }
        let image = self.images.resolve(&request.config.image)?;
        let mut warnings =
            check_platform(&request.config.image, &image, request.platform.as_deref())?;
        let host_config = self.host_config(&request.config, request.host_config)?;
        let config = merge::merge(request.config, &image.config.config)?;
        check::config(&config)?;
        let planned = mounts::plan(&config, &host_config, self.mounts_from(&host_config)?)?;
        let (path, args) = merge::command_line(&config);
        let mut record = Container {
            id,
            name,
            created: Utc::now(),
            image: image.id.as_str().to_owned(),
            path,
            args,
            config,
            host_config,
            networks: std::collections::BTreeMap::new(),
            mounts: Vec::new(),
            state: State::default(),
            restart_count: 0,
        };
        self.fill_hostname(&mut record);
        let checked = self.networks.check(self, &mut record, request.networking);
        warnings.extend(checked.map_err(not_the_image)?);
        self.fix_network_owner(&mut record);
        Ok(Draft { record, planned, image, warnings })
    }

    /// Makes what the container has on disk, its record last.
    fn furnish(
        &self,
        mut record: Container,
        planned: Vec<Planned>,
        image: &Image,
    ) -> Result<Arc<Container>> {
        let stay = self.volumes.stay();
        let made = self.make_files(&mut record, planned, image);
        let added = made.and_then(|()| self.containers.add(&self.store, record.clone()));
        drop(stay);
        match added {
            Ok(entry) => Ok(entry.record()),
            Err(e) => {
                self.take_back_files(&record);
                Err(e)
            }
        }
    }

    fn make_files(
        &self,
        record: &mut Container,
        planned: Vec<Planned>,
        image: &Image,
    ) -> Result<()> {
        // First, so that what a crash leaves behind is found by its name (see `recover.rs`).
        let dir = self.settings.container_dir(&record.id);
        make_dir(&dir)?;
        let rootfs = self.images.create_rootfs(record.id.as_str(), &image.id);
        let rootfs = rootfs.map_err(|e| system("make the container's root file system", e))?;
        for Planned { mut mount, volume, copy } in planned {
            let volume = volume.map(|request| self.ensure_volume(request)).transpose()?;
            if let Some(volume) = &volume {
                mount.source = volume.mountpoint.to_string_lossy().into_owned();
            }
            record.mounts.push(mount.clone());
            // Something else is mounted there if it has options.
            if let Some(volume) = volume.filter(|volume| copy && volume.options.is_empty()) {
                copy_up::copy_up(&rootfs, Path::new(&mount.destination), &volume.mountpoint)?;
            }
        }
        Ok(())
    }

    fn take_back_files(&self, record: &Container) {
        self.remove_anonymous(record);
        if let Err(e) = self.images.remove_rootfs(record.id.as_str()) {
            tracing::warn!(container = %record.id, error = %e, "cannot take its files back");
        }
        let dir = self.settings.container_dir(&record.id);
        if let Err(e) = std::fs::remove_dir_all(&dir) {
            tracing::warn!(dir = %dir.display(), error = %e, "cannot take it back");
        }
    }

    /// The mounts that `--volumes-from` brings.
    fn mounts_from(&self, host: &HostConfig) -> Result<Vec<Mount>> {
        let mut all = Vec::new();
        for text in host.volumes_from.iter().flatten() {
            let (reference, mode) = text.split_once(':').unwrap_or((text, "rw"));
            if !matches!(mode, "rw" | "ro" | "z" | "Z") {
                return Err(Error::invalid(format!("invalid mode: {mode}")));
            }
            let record = self.containers.find(reference).map_err(not_the_image)?.record();
            let theirs = record.mounts.iter().filter(|mount| mount.kind != "tmpfs").cloned();
            all.extend(theirs.map(|mount| Mount { rw: mount.rw && mode != "ro", ..mount }));
        }
        Ok(all)
    }

    /// Whose network it shares, by id: a name can become another's.
    fn fix_network_owner(&self, record: &mut Container) {
        let mode = &mut record.host_config.network_mode;
        let owner =
            mode.strip_prefix("container:").and_then(|name| self.containers.find(name).ok());
        if let Some(owner) = owner {
            *mode = format!("container:{}", owner.id);
        }
    }

    /// The host name of those who gave none.
    fn fill_hostname(&self, record: &mut Container) {
        if !record.config.hostname.is_empty() {
            return;
        }
        let mode = record.host_config.network_mode.as_str();
        let other = mode.strip_prefix("container:").and_then(|id| self.containers.find(id).ok());
        record.config.hostname = match other {
            Some(other) => other.record().config.hostname.clone(),
            None if mode == "host" || record.host_config.uts_mode == "host" => host_name(),
            None => record.id.short().to_owned(),
        };
    }
}

/// What else is not found is an invalid request: clients take "not found" for the image, and pull.
fn not_the_image(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => Error::invalid(error.to_string()),
        _ => error,
    }
}

/// Name of the host.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn make_dir(dir: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o710).create(dir);
    made.map_err(|e| system(&format!("make {}", dir.display()), e))
}

/// Refuses an image of another platform than was asked for; warns of one that does not fit here.
fn check_platform(name: &str, image: &Image, wanted: Option<&str>) -> Result<Vec<String>> {
    let (os, arch) = (&image.config.os, &image.config.architecture);
    if let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) {
        let mut parts = wanted.split('/');
        let fits = parts.next().is_none_or(|want| want == os)
            && parts.next().is_none_or(|want| want == arch);
        if !fits {
            return Err(Error::not_found(format!(
                "image with reference {name} was found but its platform ({os}/{arch}) does not \
                 match the specified platform ({wanted})"
            )));
        }
        return Ok(Vec::new());
    }
    let here = crate::system::go_arch();
    if arch.is_empty() || arch == here {
        return Ok(Vec::new());
    }
    Ok(vec![format!(
        "The requested image's platform ({os}/{arch}) does not match the detected host platform \
         (linux/{here}) and no specific platform was requested"
    )])
}
