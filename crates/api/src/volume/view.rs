//! Volumes as Docker's clients expect them.

use std::collections::BTreeMap;

use hawser_engine::volume::{DRIVER, Volume, VolumeUsage};
use serde_json::{Value, json};

/// A volume; what was not given is null.
pub fn volume(volume: &Volume) -> Value {
    json!({
        "CreatedAt": volume.created.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "Driver": DRIVER,
        "Labels": given(&volume.labels),
        "Mountpoint": volume.mountpoint,
        "Name": volume.name,
        "Options": given(&volume.options),
        "Scope": "local",
    })
}

/// A volume with its use, for `/system/df`.
pub fn with_usage(usage: &VolumeUsage) -> Value {
    let mut shown = volume(&usage.volume);
    shown["UsageData"] = json!({"RefCount": usage.containers, "Size": usage.size});
    shown
}

fn given(map: &BTreeMap<String, String>) -> Option<&BTreeMap<String, String>> {
    (!map.is_empty()).then_some(map)
}
