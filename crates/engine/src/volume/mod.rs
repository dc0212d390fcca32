//! Volumes of the local driver: a directory each, which is all there is of one.
//!
//! In: names, labels, options. Out: views, and directories for containers. `<data-root>/volumes/<name>`
//! holds `_data` and `volume.json`; it comes and goes by one rename, so that there is no moment, and
//! no crash, with half a volume. What a rename has put aside is removed behind it, or at the next start.

mod create;
mod list;
mod options;
mod prune;
mod remove;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::{fs, io};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use create::CreateVolume;
pub(crate) use create::check_driver;
pub(crate) use options::Device;
pub use prune::VolumesPruned;

use crate::Engine;
use crate::engine::system;
use crate::error::{Error, Result};
use crate::record::{Container, ContainerId};
use crate::settings::Settings;

/// The only driver there is.
pub const DRIVER: &str = "local";
/// The label of volumes that nobody gave a name.
const ANONYMOUS: &str = "com.docker.volume.anonymous";
/// What is known of a volume beside its files.
const RECORD: &str = "volume.json";
/// Beginning of names that are no volumes (yet, or any more).
const ASIDE: &str = ".aside-";

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Options of the driver: what is mounted (`type`, `device`, `o`).
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// Where its files are.
    #[serde(skip)]
    pub mountpoint: PathBuf,
}

/// A volume and what there is to know of its use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeUsage {
    /// The volume.
    pub volume: Volume,
    /// How many containers have it.
    pub containers: usize,
    /// Bytes of its files.
    pub size: u64,
}

impl Volume {
    /// Whether nobody gave it a name.
    pub fn is_anonymous(&self) -> bool {
        self.labels.contains_key(ANONYMOUS)
    }
}

/// All volumes.
pub(crate) struct Volumes {
    dir: PathBuf,
    /// Read while a container is made that has volumes, written while volumes are removed: none is
    /// removed between its making and the record that names it.
    stay: RwLock<()>,
}

impl Volumes {
    /// Opens what there is; what a crash left aside goes.
    pub(crate) fn open(settings: &Settings) -> Result<Self> {
        let dir = settings.data_root.join("volumes");
        let fail = |e| system(&format!("open {}", dir.display()), e);
        make_dir(&dir, 0o711).map_err(fail)?;
        let volumes = Self { dir, stay: RwLock::default() };
        for name in volumes.entries()?.into_iter().filter(|name| name.starts_with(ASIDE)) {
            discard(&volumes.dir.join(name));
        }
        Ok(volumes)
    }

    /// As long as it is held, no volume is removed.
    pub(crate) fn stay(&self) -> RwLockReadGuard<'_, ()> {
        self.stay.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn removing(&self) -> RwLockWriteGuard<'_, ()> {
        self.stay.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The volume of a name, if there is one.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Volume>> {
        if check_name(name).is_err() {
            return Ok(None);
        }
        let place = self.dir.join(name);
        let text = match fs::read(place.join(RECORD)) {
            Err(e)
                if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            text => text.map_err(|e| system(&format!("read volume {name}"), e))?,
        };
        let volume = serde_json::from_slice(&text);
        let volume: Volume = volume.map_err(|e| system(&format!("read volume {name}"), e))?;
        let mountpoint = place.join("_data");
        Ok(Some(Volume { name: name.to_owned(), mountpoint, ..volume }))
    }

    /// The volume of a name.
    ///
    /// # Errors
    /// NotFound, in Docker's words.
    pub(crate) fn find(&self, name: &str) -> Result<Volume> {
        self.get(name)?.ok_or_else(|| Error::not_found(format!("get {name}: no such volume")))
    }

    /// All of them, in the order of their names.
    pub(crate) fn all(&self) -> Result<Vec<Volume>> {
        let names = self.entries()?.into_iter().filter(|name| !name.starts_with(ASIDE));
        names.filter_map(|name| self.get(&name).transpose()).collect()
    }

    fn entries(&self) -> Result<Vec<String>> {
        let fail = |e| system("list the volumes", e);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(fail)? {
            names.extend(entry.map_err(fail)?.file_name().into_string().ok());
        }
        names.sort();
        Ok(names)
    }

    fn aside(&self) -> PathBuf {
        self.dir.join(format!("{ASIDE}{}", ContainerId::random()))
    }
}

impl Engine {
    /// The containers that have a volume, by id.
    fn users(&self, volume: &str) -> Vec<String> {
        let has = |record: &Container| {
            record.mounts.iter().any(|mount| mount.kind == "volume" && mount.name == volume)
        };
        let records = self.containers.all().into_iter().map(|entry| entry.record());
        let mut users: Vec<_> = records.filter(|r| has(r)).map(|r| r.id.to_string()).collect();
        users.sort();
        users
    }

    /// Tells that a container's volumes are mounted, or no longer.
    pub(crate) fn tell_mounts(&self, record: &Container, mounted: bool) {
        for mount in record.mounts.iter().filter(|mount| mount.kind == "volume") {
            let mut attributes =
                vec![("container", record.id.to_string()), ("driver", DRIVER.into())];
            if mounted {
                attributes.push(("destination", mount.destination.clone()));
                attributes.push(("propagation", mount.propagation.clone()));
                attributes.push(("read/write", mount.rw.to_string()));
            }
            let attributes = attributes.into_iter().map(|(key, value)| (key.to_owned(), value));
            let action = if mounted { "mount" } else { "unmount" };
            self.events.publish("volume", action, mount.name.as_str(), attributes.collect());
        }
    }

    fn tell_volume(&self, volume: &str, action: &'static str) {
        let attributes = BTreeMap::from([("driver".to_owned(), DRIVER.to_owned())]);
        self.events.publish("volume", action, volume, attributes);
    }
}

/// Refuses what is no name of a volume.
///
/// # Errors
/// Invalid, in Docker's words.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    if name.len() == 1 {
        return Err(Error::invalid(
            "volume name is too short, names should be at least two alphanumeric characters",
        ));
    }
    if name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) && name.bytes().all(inner) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{name:?} includes invalid characters for a local volume name, only \
         \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use \
         absolute path"
    )))
}

fn make_dir(dir: &Path, mode: u32) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

/// What is no volume any more: nobody waits for it, and the next start finds what stays.
fn discard(dir: &Path) {
    if let Err(e) = hawser_images::remove_tree(dir) {
        tracing::warn!(dir = %dir.display(), error = %e, "cannot remove what was a volume");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        assert!(check_name("data-1").is_ok());
        assert!(check_name("a").unwrap_err().to_string().contains("too short"));
        for name in ["", "../up", "a b", "-a", ".aside-x"] {
            assert!(check_name(name).unwrap_err().to_string().contains("invalid characters"));
        }
    }
}
