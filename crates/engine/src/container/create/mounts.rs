//! Mounts asked for, in their four spellings (`-v`, `--mount`, `--volumes-from`, the image's
//! volumes): pure parsing, in Docker's rules and words.
//!
//! In: the specs. Out: mounts in effect, each target once. Volumes get names here; they are made
//! elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::record::Mount;
use crate::spec::{ContainerConfig, HostConfig, MountSpec};
use crate::volume::{CreateVolume, check_driver, check_name};

const PROPAGATIONS: &[&str] = &["private", "rprivate", "slave", "rslave", "shared", "rshared"];

/// A mount and what is to be done for it at create.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Planned {
    pub(super) mount: Mount,
    /// The volume that it is, made if it is not there.
    pub(super) volume: Option<CreateVolume>,
    /// Whether an empty volume gets the image's files.
    pub(super) copy: bool,
}

/// All mounts of a container, by target. `from` are those of `--volumes-from`.
pub(super) fn plan(
    config: &ContainerConfig,
    host: &HostConfig,
    from: Vec<Mount>,
) -> Result<Vec<Planned>> {
    let mut all: BTreeMap<String, Planned> = BTreeMap::new();
    for mount in from {
        let name = (mount.kind == "volume").then(|| mount.name.clone());
        let volume = name.map(|name| CreateVolume { name, ..CreateVolume::default() });
        let planned = Planned { mount, volume, copy: false };
        all.insert(planned.mount.destination.clone(), planned);
    }
    let mut own = BTreeMap::new();
    for text in host.binds.iter().flatten() {
        add(&mut own, host, bind(text)?)?;
    }
    for spec in host.mounts.iter().flatten() {
        add(&mut own, host, mount(spec)?)?;
    }
    all.extend(own);
    for target in config.volumes.iter().flatten().map(|(target, _)| target) {
        check_target(target).map_err(Error::invalid)?;
        let target = clean(target);
        if !all.contains_key(&target) && !host.tmpfs.contains_key(&target) {
            all.insert(target.clone(), volume("", target, true, String::new()));
        }
    }
    for target in host.tmpfs.keys() {
        check_target(target).map_err(Error::invalid)?;
    }
    for volume in all.values_mut().filter_map(|planned| planned.volume.as_mut()) {
        if volume.driver.is_empty() {
            volume.driver.clone_from(&host.volume_driver);
        }
        check_driver(&volume.driver)
            .map_err(|e| Error::invalid(format!("create {}: {e}", volume.name)))?;
    }
    Ok(all.into_values().collect())
}

fn add(all: &mut BTreeMap<String, Planned>, host: &HostConfig, planned: Planned) -> Result<()> {
    let target = planned.mount.destination.clone();
    if host.tmpfs.contains_key(&target) || all.contains_key(&target) {
        return Err(Error::invalid(format!("Duplicate mount point: {target}")));
    }
    all.insert(target, planned);
    Ok(())
}

/// A volume; without a name it is anonymous and gets a random one.
fn volume(name: &str, destination: String, rw: bool, mode: String) -> Planned {
    let volume = match name {
        "" => CreateVolume::anonymous(),
        name => CreateVolume { name: name.to_owned(), ..CreateVolume::default() },
    };
    let mount = Mount {
        kind: "volume".to_owned(),
        name: volume.name.clone(),
        destination,
        driver: "local".to_owned(),
        mode,
        rw,
        ..Mount::default()
    };
    Planned { mount, volume: Some(volume), copy: true }
}

/// The words after the second colon of a bind.
struct Mode {
    rw: bool,
    copy: bool,
    propagation: Option<String>,
}

fn mode(text: &str) -> Option<Mode> {
    let mut found = Mode { rw: true, copy: true, propagation: None };
    let mut seen = [false; 5];
    for word in text.split(',').filter(|_| !text.is_empty()) {
        let sort = match word {
            "rw" | "ro" => 0,
            "z" | "Z" => 1,
            "nocopy" => 2,
            "consistent" | "cached" | "delegated" => 3,
            _ if PROPAGATIONS.contains(&word) => 4,
            _ => return None,
        };
        if std::mem::replace(&mut seen[sort], true) {
            return None;
        }
        match sort {
            0 => found.rw = word == "rw",
            2 => found.copy = false,
            4 => found.propagation = Some(word.to_owned()),
            _ => {}
        }
    }
    Some(found)
}

/// One `-v`: `target`, `source:target` or `source:target:mode`.
fn bind(text: &str) -> Result<Planned> {
    let invalid = || format!("invalid volume specification: '{text}'");
    let parts: Vec<&str> = text.splitn(4, ':').collect();
    let (source, target, words) = match parts[..] {
        ["", ..] => return Err(Error::invalid(invalid())),
        [target] => ("", target, ""),
        // A target with a mode only is no volume.
        [_, second] if mode(second).is_some() => return Err(Error::invalid(invalid())),
        [source, target] => (source, target, ""),
        [source, target, words] => (source, target, words),
        _ => return Err(Error::invalid(invalid())),
    };
    let Some(mode) = mode(words) else {
        return Err(Error::invalid(format!("invalid mode: {words}")));
    };
    let kind = if source.starts_with('/') { "bind" } else { "volume" };
    check_target(target).map_err(|fault| {
        let fault = mount_fault(kind, &fault);
        Error::invalid(format!("{}: {fault}", invalid()))
    })?;
    if kind == "bind" {
        let propagation = mode.propagation.unwrap_or_else(|| "rprivate".to_owned());
        let mount = bind_mount(source, target, mode.rw, words, propagation);
        return Ok(Planned { mount, volume: None, copy: false });
    }
    if !source.is_empty() {
        check_name(source)?;
    }
    let words = if words.is_empty() { "z" } else { words };
    let mut planned = volume(source, clean(target), mode.rw, words.to_owned());
    planned.copy = mode.copy;
    Ok(planned)
}

fn bind_mount(source: &str, target: &str, rw: bool, mode: &str, propagation: String) -> Mount {
    Mount {
        kind: "bind".to_owned(),
        source: clean(source),
        destination: clean(target),
        mode: mode.to_owned(),
        rw,
        propagation,
        ..Mount::default()
    }
}

/// One `--mount`.
fn mount(spec: &MountSpec) -> Result<Planned> {
    let fault = |what: &str| Error::invalid(mount_fault(&spec.kind, what));
    check_target(&spec.target).map_err(|what| fault(&what))?;
    let target = clean(&spec.target);
    match spec.kind.as_str() {
        "bind" => {
            check_bind(spec).map_err(|what| fault(&what))?;
            let options = spec.bind_options.clone().unwrap_or_default();
            let propagation = match options.propagation.as_str() {
                "" => "rprivate".to_owned(),
                given => given.to_owned(),
            };
            let mount = bind_mount(&spec.source, &target, !spec.read_only, "", propagation);
            Ok(Planned { mount, volume: None, copy: false })
        }
        "volume" => {
            if spec.bind_options.is_some() {
                return Err(fault("field BindOptions must not be specified"));
            }
            if spec.read_only && spec.source.is_empty() {
                return Err(fault("must not set ReadOnly mode when using anonymous volumes"));
            }
            if !spec.source.is_empty() {
                check_name(&spec.source)?;
            }
            let mut planned = volume(&spec.source, target, !spec.read_only, "z".to_owned());
            if let (Some(options), Some(volume)) = (&spec.volume_options, &mut planned.volume) {
                planned.copy = !options.no_copy;
                volume.labels.extend(options.labels.clone());
                let driver = options.driver_config.clone().unwrap_or_default();
                (volume.driver, volume.options) = (driver.name, driver.options);
            }
            Ok(planned)
        }
        "tmpfs" if spec.bind_options.is_some() => {
            Err(fault("field BindOptions must not be specified"))
        }
        "tmpfs" if !spec.source.is_empty() => Err(fault("field Source must not be specified")),
        "tmpfs" => {
            let kind = "tmpfs".to_owned();
            let rw = !spec.read_only;
            let mount = Mount { kind, destination: target, rw, ..Mount::default() };
            Ok(Planned { mount, volume: None, copy: false })
        }
        _ => Err(fault("mount type unknown")),
    }
}

fn check_bind(spec: &MountSpec) -> Result<(), String> {
    if spec.source.is_empty() {
        return Err("field Source must not be empty".to_owned());
    }
    let options = spec.bind_options.clone().unwrap_or_default();
    if !options.propagation.is_empty() && !PROPAGATIONS.contains(&options.propagation.as_str()) {
        return Err(format!("invalid propagation mode: {}", options.propagation));
    }
    if spec.volume_options.is_some() {
        return Err("field VolumeOptions must not be specified".to_owned());
    }
    if !spec.source.starts_with('/') {
        return Err(format!("invalid mount path: '{}' mount path must be absolute", spec.source));
    }
    if !options.create_mountpoint && !Path::new(&spec.source).exists() {
        return Err(format!("bind source path does not exist: {}", spec.source));
    }
    Ok(())
}

fn mount_fault(kind: &str, what: &str) -> String {
    format!("invalid mount config for type {kind:?}: {what}")
}

fn check_target(target: &str) -> Result<(), String> {
    if target.is_empty() {
        return Err("field Target must not be empty".to_owned());
    }
    if clean(target) == "/" && target.starts_with('/') {
        return Err("invalid specification: destination can't be '/'".to_owned());
    }
    if !target.starts_with('/') {
        return Err(format!("invalid mount path: '{target}' mount path must be absolute"));
    }
    Ok(())
}

/// A path without `.`, `..`, doubled and trailing slashes.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{BindOptions, Empty};

    fn planned(host: HostConfig) -> Result<Vec<Planned>> {
        plan(&ContainerConfig::default(), &host, Vec::new())
    }

    fn binds(texts: &[&str]) -> Result<Vec<Planned>> {
        let binds = Some(texts.iter().map(|t| (*t).to_owned()).collect());
        planned(HostConfig { binds, ..HostConfig::default() })
    }

    fn refused(text: &str) -> String {
        binds(&[text]).unwrap_err().to_string()
    }

    #[test]
    fn binds_have_three_parts() {
        let all = binds(&["/a/../src/:/dst//x/:ro,rslave", "data:/vol"]).unwrap();
        let bind = &all[0].mount;
        assert_eq!((bind.source.as_str(), bind.destination.as_str()), ("/src", "/dst/x"));
        assert_eq!((bind.rw, bind.propagation.as_str()), (false, "rslave"));
        let volume = &all[1];
        assert_eq!((volume.mount.kind.as_str(), volume.mount.name.as_str()), ("volume", "data"));
        assert!(volume.copy && volume.volume.as_ref().is_some_and(|v| v.labels.is_empty()));
    }

    #[test]
    fn other_binds_are_refused() {
        assert_eq!(refused(":/x"), "invalid volume specification: ':/x'");
        assert_eq!(refused("/x:ro"), "invalid volume specification: '/x:ro'");
        assert_eq!(refused("/a:/b:bad"), "invalid mode: bad");
        assert_eq!(refused("/a:/b:ro,rw"), "invalid mode: ro,rw");
        assert_eq!(
            refused("/a:/"),
            "invalid volume specification: '/a:/': invalid mount config for type \"bind\": \
             invalid specification: destination can't be '/'"
        );
        let text = binds(&["/a:/x", "/b:/x/"]).unwrap_err().to_string();
        assert_eq!(text, "Duplicate mount point: /x");
    }

    #[test]
    fn mounts_say_what_is_wrong() {
        let refused = |spec: MountSpec| {
            planned(HostConfig { mounts: Some(vec![spec]), ..HostConfig::default() })
                .unwrap_err()
                .to_string()
        };
        let spec = |kind: &str, source: &str, target: &str| MountSpec {
            kind: kind.into(),
            source: source.into(),
            target: target.into(),
            ..MountSpec::default()
        };
        let prefix = "invalid mount config for type \"bind\": ";
        assert_eq!(
            refused(spec("bind", "/nonexistent", "/x")),
            format!("{prefix}bind source path does not exist: /nonexistent")
        );
        assert_eq!(
            refused(spec("bind", "", "/x")),
            format!("{prefix}field Source must not be empty")
        );
        assert_eq!(
            refused(spec("bind", "/", "")),
            format!("{prefix}field Target must not be empty")
        );
        assert!(refused(spec("magic", "", "/x")).ends_with("mount type unknown"));
        assert!(refused(spec("tmpfs", "/x", "/x")).ends_with("field Source must not be specified"));
        let mut odd = spec("bind", "/", "/x");
        odd.bind_options = Some(BindOptions { propagation: "x".into(), ..Default::default() });
        assert!(refused(odd).ends_with("invalid propagation mode: x"));
    }

    #[test]
    fn the_images_volumes_give_way() {
        let config = ContainerConfig {
            volumes: Some([("/data".to_owned(), Empty {}), ("/more".to_owned(), Empty {})].into()),
            ..ContainerConfig::default()
        };
        let host = HostConfig { binds: Some(vec!["/src:/data".into()]), ..HostConfig::default() };
        let all = plan(&config, &host, Vec::new()).unwrap();
        assert_eq!(all[0].mount.kind, "bind");
        let anonymous = all[1].volume.as_ref().unwrap();
        assert!(!anonymous.labels.is_empty() && anonymous.name.len() == 64);
        assert_eq!(anonymous.name, all[1].mount.name);
        assert_eq!(all.len(), 2);
    }
}
