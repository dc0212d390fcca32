//! Volumes in their simple form: directories `<data-root>/volumes/<name>/_data`.
//!
//! In: names. Out: directories on the host. An anonymous one has an empty file `anonymous` beside
//! its data, and goes with its container when that is asked for. Drivers, labels and the verbs on
//! volumes are not here.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::Engine;
use crate::engine::system;
use crate::error::{Error, Result};
use crate::record::{Container, ContainerId};
use crate::settings::Settings;

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

/// A name for a volume that the user gave none.
pub(super) fn anonymous_name() -> String {
    ContainerId::random().to_string()
}

/// Where a volume's files are.
pub(super) fn data_dir(settings: &Settings, name: &str) -> PathBuf {
    settings.data_root.join("volumes").join(name).join("_data")
}

/// Makes a volume unless it is there.
pub(super) fn ensure(settings: &Settings, name: &str, anonymous: bool) -> Result<PathBuf> {
    let data = data_dir(settings, name);
    let fail = |e| system(&format!("make volume {name}"), e);
    if data.is_dir() {
        return Ok(data);
    }
    fs::DirBuilder::new().recursive(true).mode(0o711).create(&data).map_err(fail)?;
    // What is mounted is the inner directory: it gets the mode of a new directory in an image.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&data, open).map_err(fail)?;
    if anonymous {
        fs::File::create(data.with_file_name("anonymous")).map_err(fail)?;
    }
    Ok(data)
}

/// Removes the anonymous volumes of a container that no other container uses.
pub(super) fn remove_anonymous(engine: &Engine, record: &Container) {
    for mount in record.mounts.iter().filter(|mount| mount.kind == "volume") {
        let dir = engine.settings.data_root.join("volumes").join(&mount.name);
        if dir.join("anonymous").exists() && !used_by_others(engine, record, &mount.name) {
            remove(&dir);
        }
    }
}

fn remove(dir: &Path) {
    if let Err(e) = hawser_images::remove_tree(dir) {
        tracing::warn!(volume = %dir.display(), error = %e, "cannot remove an anonymous volume");
    }
}

fn used_by_others(engine: &Engine, record: &Container, volume: &str) -> bool {
    engine
        .containers
        .all()
        .iter()
        .map(|entry| entry.record())
        .any(|other| other.id != record.id && other.mounts.iter().any(|mount| mount.name == volume))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        assert!(check_name("data-1").is_ok());
        assert!(check_name("a").unwrap_err().to_string().contains("too short"));
        for name in ["", "../up", "a b", "-a"] {
            assert!(check_name(name).unwrap_err().to_string().contains("invalid characters"));
        }
    }
}
