//! What `inspect` and `ps` show of a container: its record and what is derived or live.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::paths;
use super::registry::Entry;
use crate::Engine;
use crate::engine::{blocking, system};
use crate::error::Result;
use crate::network::{EtcFiles, NetworkView};
use crate::record::Container;

/// A container as it is shown.
#[derive(Clone, Debug)]
pub struct ContainerView {
    /// Its record.
    pub record: Arc<Container>,
    /// Its networks, ports and sandbox as they are now.
    pub network: NetworkView,
    /// Its files on the host.
    pub paths: ContainerPaths,
    /// Ids of its execs that have not ended.
    pub exec_ids: Vec<String>,
    /// The image as `ps` shows it: as the user named it, or its id if that name is another's now.
    pub image_name: String,
    /// Sizes, if asked for.
    pub size: Option<ContainerSize>,
    /// Health, if it has a check.
    pub health: Option<Health>,
}

/// Files of a container on the host; empty while there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerPaths {
    /// `/etc/hostname`.
    pub hostname: PathBuf,
    /// `/etc/hosts`.
    pub hosts: PathBuf,
    /// `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
    /// Log.
    pub log: PathBuf,
    /// overlayfs: the writable layer.
    pub upper: PathBuf,
    /// overlayfs: its work directory.
    pub work: PathBuf,
    /// overlayfs: the image's layers, the topmost first.
    pub lower: Vec<PathBuf>,
}

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerSize {
    /// What the container wrote.
    pub rw: u64,
    /// That and its image.
    pub root_fs: u64,
}

/// Result of a container's health checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// `starting`, `healthy` or `unhealthy`.
    pub status: String,
    /// Failures one after another.
    pub failing_streak: u32,
    /// The last results.
    pub log: Vec<HealthResult>,
}

/// One health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthResult {
    /// Begin.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
    /// Exit code.
    pub exit_code: i32,
    /// The first 4 KiB of output.
    pub output: String,
}

impl Engine {
    /// A container as it is shown, without its size.
    pub(super) fn container_view(&self, entry: &Entry) -> ContainerView {
        let mut record = entry.record();
        if record.host_config.links.is_some() {
            let shown = shown_links(&record);
            Arc::make_mut(&mut record).host_config.links = shown;
        }
        ContainerView {
            network: self.networks.view(&record),
            paths: self.container_paths(&record),
            exec_ids: self.execs.running_in(&record.id),
            image_name: self.image_name(&record),
            size: None,
            health: entry.health(),
            record,
        }
    }

    /// The image as the user named it, unless that names another one now.
    fn image_name(&self, record: &Container) -> String {
        match self.images.resolve(&record.config.image) {
            Ok(image) if image.id.as_str() == record.image => record.config.image.clone(),
            _ => record.image.clone(),
        }
    }

    fn container_paths(&self, record: &Container) -> ContainerPaths {
        let rootfs = self.images.rootfs(record.id.as_str()).ok();
        let (upper, work, lower) = rootfs.map(|r| (r.upper, r.work, r.lowers)).unwrap_or_default();
        let log = paths::log(&self.settings, record).unwrap_or_default();
        let mut shown = ContainerPaths { log, upper, work, lower, ..ContainerPaths::default() };
        if record.state.started_at.is_some() {
            // Who joins another's sandbox shares its files, as long as that one is there.
            let own = || EtcFiles::in_directory(&self.settings.container_dir(&record.id));
            let etc = self.networks.etc_of(self, record).unwrap_or_else(|_| own());
            shown.hostname = etc.hostname;
            shown.hosts = etc.hosts;
            shown.resolv_conf = etc.resolv_conf;
        }
        shown
    }

    /// Walks what the container wrote.
    pub(super) async fn container_size(&self, record: &Container) -> Result<ContainerSize> {
        let (images, id) = (Arc::clone(&self.images), record.id.clone());
        let image = self.images.resolve(&record.image).map_or(0, |image| image.size);
        blocking(move || {
            let rootfs = images.rootfs(id.as_str());
            let rootfs = rootfs.map_err(|e| system("find the root file system", e))?;
            let rw = size_of(&rootfs.upper);
            Ok(ContainerSize { rw, root_fs: rw + image })
        })
        .await
    }
}

/// Links as paths, `/target:/container/alias`. Those on user-defined networks are shown with their
/// endpoints.
fn shown_links(record: &Container) -> Option<Vec<String>> {
    if record.host_config.network_mode != "bridge" {
        return None;
    }
    let path = |link: &String| {
        let (target, alias) = link.split_once(':').unwrap_or((link, link));
        let alias = alias.rsplit('/').next().unwrap_or(alias);
        format!("/{}:/{}/{alias}", target.trim_start_matches('/'), record.name)
    };
    record.host_config.links.as_ref().map(|links| links.iter().map(path).collect())
}

/// Bytes of the regular files below a directory; what goes away meanwhile, or lies deeper than a
/// path reaches, does not count. One directory is open at a time: a container may have nested many.
pub(super) fn size_of(dir: &std::path::Path) -> u64 {
    let mut size = 0;
    let mut left = vec![dir.to_path_buf()];
    while let Some(dir) = left.pop() {
        let Ok(files) = std::fs::read_dir(dir) else { continue };
        for file in files.flatten() {
            match file.metadata() {
                Ok(data) if data.is_dir() => left.push(file.path()),
                Ok(data) if data.is_file() => size += data.len(),
                _ => {}
            }
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::record;

    #[test]
    fn links_are_shown_as_paths() {
        let mut it = record("web");
        it.host_config.network_mode = "bridge".into();
        it.host_config.links = Some(vec!["db:data".into(), "cache".into()]);
        let shown = shown_links(&it).unwrap();
        let name = &it.name;
        assert_eq!(shown, [format!("/db:/{name}/data"), format!("/cache:/{name}/cache")]);
        it.host_config.network_mode = "net1".into();
        assert_eq!(shown_links(&it), None);
    }

    #[test]
    fn a_size_is_that_of_all_files_below() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        std::fs::write(dir.path().join("a/b/one"), "12345").unwrap();
        std::fs::write(dir.path().join("two"), "67").unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/loop")).unwrap();
        assert_eq!(size_of(dir.path()), 7);
    }
}
