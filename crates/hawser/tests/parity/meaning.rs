//! What a request's body means to an engine that reads it into Go's structures: a member that is
//! missing and one that has its type's zero value are the same, unless the type has a pointer
//! there or the member is a key of a map.

use serde_json::{Map, Value, json};

/// Members whose values are maps: their keys are the user's.
const MAPS: [&str; 13] = [
    "Annotations",
    "AuxiliaryAddresses",
    "Config",
    "DriverOpts",
    "EndpointsConfig",
    "ExposedPorts",
    "Labels",
    "Options",
    "PortBindings",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// Members that are pointers: zero is not nothing.
const POINTERS: [&str; 9] = [
    "ConfigFrom",
    "EnableIPv4",
    "EnableIPv6",
    "Healthcheck",
    "IPAMConfig",
    "Init",
    "MemorySwappiness",
    "PidsLimit",
    "StopTimeout",
];

/// The body without what makes no difference, keys in order.
pub fn meaning(body: &Value) -> Value {
    let mut body = reduced("", body);
    // Docker's client gives pools in no particular order.
    if let Some(pools) = body.pointer_mut("/IPAM/Config").and_then(Value::as_array_mut) {
        pools.sort_by_key(ToString::to_string);
    }
    without_usual(&mut body);
    body
}

fn reduced(key: &str, value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut kept: Vec<(String, Value)> = members
                .iter()
                .map(|(name, member)| (name.clone(), reduced(name, member)))
                .filter(|(name, member)| {
                    let pointer = POINTERS.contains(&name.as_str()) && !member.is_null();
                    MAPS.contains(&key) || pointer || !is_zero(member)
                })
                .collect();
            kept.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(kept.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(|item| reduced("", item)).collect(),
        other => other.clone(),
    }
}

fn is_zero(value: &Value) -> bool {
    [json!(null), json!(false), json!(0), json!(""), json!([]), json!({})].contains(value)
}

/// Takes out what every container has that is made without further flags, to keep records short.
fn without_usual(body: &mut Value) {
    let usual = json!({
        "AttachStderr": true, "AttachStdout": true, "Image": "busybox",
        "HostConfig": {
            "ConsoleSize": [0, 0], "MemorySwappiness": -1, "NetworkMode": "default",
            "PidsLimit": 0, "RestartPolicy": {"Name": "no"}
        }
    });
    let take_out = |members: &mut Map<String, Value>, usual: &Value| {
        members.retain(|name, member| usual.get(name) != Some(member));
    };
    if let Some(host) = body.get_mut("HostConfig").and_then(Value::as_object_mut) {
        take_out(host, &usual["HostConfig"]);
    }
    if let Some(body) = body.as_object_mut() {
        take_out(body, &usual);
    }
}
