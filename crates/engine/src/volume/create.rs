//! `volume create`, and volumes that a container brings along.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{ANONYMOUS, DRIVER, RECORD, Volume, Volumes, check_name, discard};
use super::{make_dir, options};
use crate::Engine;
use crate::engine::{blocking, system};
use crate::error::{Error, Result};
use crate::record::ContainerId;

/// A volume asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateVolume {
    /// Its name; a random one if empty.
    pub name: String,
    /// The driver; `local` if empty.
    pub driver: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Options of the driver.
    pub options: BTreeMap<String, String>,
}

impl CreateVolume {
    /// One that nobody gives a name.
    pub(crate) fn anonymous() -> Self {
        let labels = BTreeMap::from([(ANONYMOUS.to_owned(), String::new())]);
        Self { name: ContainerId::random().to_string(), labels, ..Self::default() }
    }
}

impl Engine {
    /// Makes a volume; one of that name that is there already is given as it is, as in Docker.
    ///
    /// # Errors
    /// Invalid: name, options; NotFound: the driver.
    pub async fn volume_create(self: &Arc<Self>, mut request: CreateVolume) -> Result<Volume> {
        check_driver(&request.driver)
            .map_err(|e| Error::new(e.kind(), format!("create {}: {e}", request.name)))?;
        if request.name.is_empty() {
            let CreateVolume { name, labels, .. } = CreateVolume::anonymous();
            request.name = name;
            request.labels.extend(labels);
        }
        let engine = Arc::clone(self);
        blocking(move || engine.ensure_volume(request)).await
    }

    /// The volume of that name, made if there is none. The caller sees to it that it stays.
    pub(crate) fn ensure_volume(&self, request: CreateVolume) -> Result<Volume> {
        check_name(&request.name)?;
        if let Some(volume) = self.volumes.get(&request.name)? {
            return Ok(volume);
        }
        options::device(&request.options)?;
        let name = request.name.clone();
        let made =
            self.volumes.make(&request).map_err(|e| system(&format!("make volume {name}"), e))?;
        let volume = self.volumes.find(&name)?;
        if made {
            self.tell_volume(&name, "create");
        }
        Ok(volume)
    }
}

/// Refuses what is no driver of volumes.
///
/// # Errors
/// NotFound, in Docker's words.
pub(crate) fn check_driver(driver: &str) -> Result<()> {
    match driver {
        "" | DRIVER => Ok(()),
        other => Err(Error::not_found(format!(
            "error looking up volume plugin {other}: plugin {other:?} not found"
        ))),
    }
}

impl Volumes {
    /// Makes it whole, then gives it its name; `false` if somebody was quicker.
    fn make(&self, request: &CreateVolume) -> io::Result<bool> {
        let aside = self.aside();
        let named = write(&aside, request).and_then(|()| {
            let place = self.dir.join(&request.name);
            Ok(renameat_with(CWD, &aside, CWD, &place, RenameFlags::NOREPLACE)?)
        });
        match named {
            Ok(()) => {
                std::fs::File::open(&self.dir)?.sync_all()?;
                Ok(true)
            }
            Err(e) => {
                discard(&aside);
                if e.kind() == io::ErrorKind::AlreadyExists { Ok(false) } else { Err(e) }
            }
        }
    }
}

fn write(place: &Path, request: &CreateVolume) -> io::Result<()> {
    make_dir(place, 0o711)?;
    // What is mounted is the inner directory: it gets the mode of a new directory in an image.
    make_dir(&place.join("_data"), 0o755)?;
    let volume = Volume {
        name: String::new(),
        created: Utc::now(),
        labels: request.labels.clone(),
        options: request.options.clone(),
        mountpoint: Default::default(),
    };
    let mut file = std::fs::File::create_new(place.join(RECORD))?;
    file.write_all(&serde_json::to_vec(&volume)?)?;
    file.sync_all()?;
    std::fs::File::open(place)?.sync_all()
}
