//! `--device`, `--gpus`, and the limits of block devices.

use serde_json::{Map, Value, json};

use super::{Invalid, csv, quantity};

/// Parses a value of `--device`: `HOST[:CONTAINER][:PERMISSIONS]`.
pub fn device(text: &str) -> Result<Value, Invalid> {
    let permissions = |text: &str| !text.is_empty() && text.chars().all(|c| "rwm".contains(c));
    let (host, container, mode) = match text.split(':').collect::<Vec<_>>()[..] {
        [host] => (host, host, "rwm"),
        [host, mode] if permissions(mode) => (host, host, mode),
        [host, container] => (host, container, "rwm"),
        [host, container, mode] if permissions(mode) => (host, container, mode),
        [_, _, mode] => return Err(Invalid(format!("bad mode specified: {mode}"))),
        _ => return Err(Invalid(format!("bad format for path: {text}"))),
    };
    if !host.starts_with('/') || !container.starts_with('/') {
        let relative = if host.starts_with('/') { container } else { host };
        return Err(Invalid(format!("{relative} is not an absolute path")));
    }
    Ok(json!({"PathOnHost": host, "PathInContainer": container, "CgroupPermissions": mode}))
}

/// Parses a value of `--gpus`.
pub fn gpus(text: &str) -> Result<Value, Invalid> {
    let mut request = json!({"Driver": "", "Count": 0, "DeviceIDs": null,
                             "Capabilities": [["gpu"]], "Options": {}});
    let mut counted = false;
    for field in csv(text)? {
        let (key, value) = field.split_once('=').unwrap_or(("count", &field));
        match key {
            "count" => {
                counted = true;
                request["Count"] = count(value)?.into();
            }
            "device" => request["DeviceIDs"] = list(value),
            "driver" => request["Driver"] = value.into(),
            "capabilities" => {
                let mut all = value.split(',').map(str::to_owned).collect::<Vec<_>>();
                all.push("gpu".to_owned());
                request["Capabilities"] = json!([all]);
            }
            "options" => request["Options"] = options(value),
            _ => return Err(Invalid(format!("unexpected key '{key}' in '{field}'"))),
        }
    }
    if !counted && request["DeviceIDs"].is_null() {
        request["Count"] = 1.into();
    }
    Ok(request)
}

fn count(text: &str) -> Result<i64, Invalid> {
    if text == "all" {
        return Ok(-1);
    }
    text.parse().map_err(|_| {
        Invalid(format!(
            "invalid count ({text}): value must be either \"all\" or an integer: invalid syntax"
        ))
    })
}

fn list(text: &str) -> Value {
    json!(text.split(',').collect::<Vec<_>>())
}

fn options(text: &str) -> Value {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    Value::Object(pairs.map(|(key, value)| (key.to_owned(), value.into())).collect::<Map<_, _>>())
}

/// Parses `PATH:BYTES` of `--device-read-bps` and the like.
pub fn rate_in_bytes(text: &str) -> Result<Value, Invalid> {
    let (path, rate) = throttled(text)?;
    let rate = quantity::bytes(rate).map_err(|_| {
        Invalid(format!(
            "invalid rate for device: {text}. The correct format is <device-path>:<number>[<unit>]. \
             Number must be a positive integer. Unit is optional and can be kb, mb, or gb"
        ))
    })?;
    Ok(json!({"Path": path, "Rate": rate}))
}

/// Parses `PATH:OPERATIONS` of `--device-read-iops` and the like.
pub fn rate_in_operations(text: &str) -> Result<Value, Invalid> {
    let (path, rate) = throttled(text)?;
    let rate: u64 = rate.parse().map_err(|_| {
        Invalid(format!(
            "invalid rate for device: {text}. The correct format is <device-path>:<number>. \
             Number must be a positive integer"
        ))
    })?;
    Ok(json!({"Path": path, "Rate": rate}))
}

/// Parses `PATH:WEIGHT` of `--blkio-weight-device`.
pub fn weight(text: &str) -> Result<Value, Invalid> {
    let (path, weight) = throttled(text)?;
    let invalid = || Invalid(format!("invalid weight for device: {text}"));
    let weight: u16 = weight.parse().map_err(|_| invalid())?;
    if weight != 0 && !(10..=1000).contains(&weight) {
        return Err(invalid());
    }
    Ok(json!({"Path": path, "Weight": weight}))
}

fn throttled(text: &str) -> Result<(&str, &str), Invalid> {
    match text.split_once(':') {
        Some((path, _)) if !path.starts_with("/dev/") => {
            Err(Invalid(format!("bad format for device path: {text}")))
        }
        Some((path, rate)) if !path.is_empty() && !rate.is_empty() => Ok((path, rate)),
        _ => Err(Invalid(format!("bad format: {text}"))),
    }
}

/// Parses a value of `--device-cgroup-rule`, such as `c 42:* rmw`.
pub fn cgroup_rule(text: &str) -> Result<String, Invalid> {
    let number = |text: &str| text == "*" || text.parse::<u32>().is_ok();
    let parts: Vec<&str> = text.split(' ').collect();
    if let [kind, numbers, access] = parts[..]
        && matches!(kind, "a" | "b" | "c")
        && numbers.split_once(':').is_some_and(|(a, b)| number(a) && number(b))
        && (1..=3).contains(&access.len())
        && access.chars().all(|c| "rwm".contains(c))
    {
        return Ok(text.to_owned());
    }
    Err(Invalid(format!("invalid device cgroup format '{text}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices() {
        let paths = |text: &str| {
            let json = device(text).unwrap();
            format!(
                "{} {} {}",
                json["PathOnHost"], json["PathInContainer"], json["CgroupPermissions"]
            )
            .replace('"', "")
        };
        assert_eq!(paths("/dev/a"), "/dev/a /dev/a rwm");
        assert_eq!(paths("/dev/a:r"), "/dev/a /dev/a r");
        assert_eq!(paths("/dev/a:/dev/b:rw"), "/dev/a /dev/b rw");
        assert_eq!(device("a:b:c:d").unwrap_err().to_string(), "bad format for path: a:b:c:d");
        assert_eq!(device("/a:/b:x").unwrap_err().to_string(), "bad mode specified: x");
        assert!(device("a").is_err());
    }

    #[test]
    fn gpus_are_counted_or_named() {
        assert_eq!(gpus("all").unwrap()["Count"], -1);
        assert_eq!(gpus("device=0").unwrap()["DeviceIDs"], json!(["0"]));
        assert_eq!(
            gpus("foo").unwrap_err().to_string(),
            "invalid count (foo): value must be either \"all\" or an integer: invalid syntax"
        );
    }

    #[test]
    fn rates_and_rules() {
        assert_eq!(
            rate_in_bytes("/dev/a:1mb").unwrap(),
            json!({"Path": "/dev/a", "Rate": 1 << 20})
        );
        assert!(rate_in_operations("/dev/a:x").is_err());
        assert!(weight("/dev/a:5").is_err());
        assert!(cgroup_rule("c 42:* rmw").is_ok());
        assert!(cgroup_rule("x 42:* rmw").is_err());
    }
}
