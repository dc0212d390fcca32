//! Options of the local driver: `type`, `device` and `o`, as for mount(8).
//!
//! In: options as given. Out: what is mounted in place of the volume's directory. It is mounted in
//! each container's own mount namespace and goes with it: nothing shows in the host's.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// What a volume with options is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// Type of the file system; `none` for a bind.
    pub(crate) kind: String,
    /// What is mounted.
    pub(crate) device: String,
    /// Options of the mount.
    pub(crate) options: Vec<String>,
}

impl Device {
    /// Whether a directory of the host is bound.
    pub(crate) fn is_bind(&self) -> bool {
        self.options.iter().any(|option| matches!(option.as_str(), "bind" | "rbind"))
    }
}

/// Reads the options; `None` without any.
///
/// # Errors
/// Invalid, in Docker's words: an unknown option, or one that is missing.
pub(crate) fn device(options: &BTreeMap<String, String>) -> Result<Option<Device>> {
    if options.is_empty() {
        return Ok(None);
    }
    let known = ["type", "device", "o"];
    if let Some(odd) = options.keys().find(|key| !known.contains(&key.as_str())) {
        let why = match odd.as_str() {
            "size" => "quota size requested but no quota support".to_owned(),
            _ => format!("invalid option: {odd:?}"),
        };
        return Err(Error::invalid(why));
    }
    let value = |key: &str| options.get(key).map(String::as_str).unwrap_or_default();
    for (key, other) in [("device", "type"), ("type", "device")] {
        if value(key).is_empty() && !(value(other).is_empty() && value("o").is_empty()) {
            return Err(Error::invalid(format!("missing required option: {key:?}")));
        }
    }
    let words = value("o").split(',').filter(|word| !word.is_empty());
    let device = Device {
        kind: value("type").to_owned(),
        device: value("device").to_owned(),
        options: words.map(str::to_owned).collect(),
    };
    if device.is_bind() && !device.device.starts_with('/') {
        return Err(Error::invalid(format!(
            "invalid device {:?}: want an absolute path",
            device.device
        )));
    }
    Ok((!device.kind.is_empty()).then_some(device))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Option<Device>> {
        device(&pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn a_device_has_all_of_it() {
        assert_eq!(of(&[]).unwrap(), None);
        let tmpfs = of(&[("type", "tmpfs"), ("device", "tmpfs"), ("o", "size=1m,uid=5")]).unwrap();
        let tmpfs = tmpfs.unwrap();
        assert_eq!((tmpfs.kind.as_str(), tmpfs.options.len()), ("tmpfs", 2));
        assert!(!tmpfs.is_bind());
        assert!(
            of(&[("type", "none"), ("device", "/srv"), ("o", "bind")]).unwrap().unwrap().is_bind()
        );
    }

    #[test]
    fn what_is_missing_is_told() {
        let refused = |pairs: &[(&str, &str)]| of(pairs).unwrap_err().to_string();
        assert_eq!(refused(&[("magic", "1")]), "invalid option: \"magic\"");
        assert_eq!(refused(&[("type", "nfs")]), "missing required option: \"device\"");
        assert_eq!(refused(&[("o", "bind")]), "missing required option: \"device\"");
        assert_eq!(refused(&[("device", "/srv")]), "missing required option: \"type\"");
        assert!(
            refused(&[("type", "none"), ("device", "srv"), ("o", "bind")]).contains("absolute")
        );
    }
}
