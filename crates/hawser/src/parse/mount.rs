//! `--mount`.
//!
//! In: `type=bind,source=/a,target=/b,…`. Out: the API's mount.

use serde_json::{Map, Value, json};

use super::{Invalid, csv, flags, quantity};

/// Parses a value of `--mount`.
pub fn mount(text: &str) -> Result<Value, Invalid> {
    let mut mount = Mount { kind: "volume".to_owned(), ..Mount::default() };
    for field in csv(text)? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_ascii_lowercase(), Some(value)),
            None => (field.to_ascii_lowercase(), None),
        };
        mount.set(&key, value, &field)?;
    }
    mount.check()?;
    Ok(mount.to_json())
}

#[derive(Default)]
struct Mount {
    kind: String,
    source: String,
    target: String,
    read_only: bool,
    bind: Map<String, Value>,
    volume: Map<String, Value>,
    tmpfs: Map<String, Value>,
    image: Map<String, Value>,
}

impl Mount {
    fn set(&mut self, key: &str, value: Option<&str>, field: &str) -> Result<(), Invalid> {
        // These three may stand without a value.
        let boolean = |value: Option<&str>| match value {
            None => Ok(true),
            Some(value) => flags::boolean(value)
                .map_err(|_| Invalid(format!("invalid value for {key}: {value}"))),
        };
        match key {
            "readonly" | "ro" => self.read_only = boolean(value)?,
            "volume-nocopy" => {
                self.volume.insert("NoCopy".to_owned(), boolean(value)?.into());
            }
            "bind-nonrecursive" => {
                self.bind.insert("NonRecursive".to_owned(), boolean(value)?.into());
            }
            _ => {
                let value = value.ok_or_else(|| {
                    Invalid(format!("invalid field '{field}' must be a key=value pair"))
                })?;
                self.set_text(key, value, field)?;
            }
        }
        Ok(())
    }

    fn set_text(&mut self, key: &str, value: &str, field: &str) -> Result<(), Invalid> {
        match key {
            "type" => self.kind = value.to_ascii_lowercase(),
            "source" | "src" => self.source = absolute(value),
            "target" | "dst" | "destination" => value.clone_into(&mut self.target),
            "consistency" => {}
            "bind-propagation" => {
                self.bind.insert("Propagation".to_owned(), value.to_ascii_lowercase().into());
            }
            "bind-recursive" => self.recursive(value)?,
            "volume-subpath" => {
                self.volume.insert("Subpath".to_owned(), value.into());
            }
            "volume-label" => pair(&mut self.volume, "Labels", value),
            "volume-driver" => {
                driver(&mut self.volume).insert("Name".to_owned(), value.into()).map_or((), drop)
            }
            "volume-opt" => pair(driver(&mut self.volume), "Options", value),
            "tmpfs-size" => {
                let size = quantity::bytes(value)
                    .map_err(|_| Invalid(format!("invalid value for {key}: {value}")))?;
                self.tmpfs.insert("SizeBytes".to_owned(), size.into());
            }
            "tmpfs-mode" => {
                let mode = u32::from_str_radix(value, 8)
                    .map_err(|_| Invalid(format!("invalid value for {key}: {value}")))?;
                self.tmpfs.insert("Mode".to_owned(), mode.into());
            }
            "image-subpath" => {
                self.image.insert("Subpath".to_owned(), value.into());
            }
            _ => return Err(Invalid(format!("unexpected key '{key}' in '{field}'"))),
        }
        Ok(())
    }

    fn recursive(&mut self, value: &str) -> Result<(), Invalid> {
        let option = match value {
            "enabled" => return Ok(()),
            "disabled" => "NonRecursive",
            "writable" => "ReadOnlyNonRecursive",
            "readonly" => "ReadOnlyForceRecursive",
            _ => {
                return Err(Invalid(format!(
                    "invalid value for bind-recursive: {value} \
                     (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")"
                )));
            }
        };
        self.bind.insert(option.to_owned(), true.into());
        Ok(())
    }

    fn check(&self) -> Result<(), Invalid> {
        if self.kind.is_empty() {
            return Err(Invalid::new("type is required"));
        }
        if self.target.is_empty() {
            return Err(Invalid::new("target is required"));
        }
        for (options, kind, name) in [
            (&self.volume, "volume", "volume-*"),
            (&self.bind, "bind", "bind-*"),
            (&self.tmpfs, "tmpfs", "tmpfs-*"),
            (&self.image, "image", "image-*"),
        ] {
            if !options.is_empty() && self.kind != kind {
                let wrong = &self.kind;
                return Err(Invalid(format!(
                    "cannot mix '{name}' options with mount type '{wrong}'"
                )));
            }
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        let mut json = json!({"Type": self.kind, "Target": self.target});
        if !self.source.is_empty() {
            json["Source"] = self.source.as_str().into();
        }
        if self.read_only {
            json["ReadOnly"] = true.into();
        }
        for (key, options) in [
            ("BindOptions", &self.bind),
            ("VolumeOptions", &self.volume),
            ("TmpfsOptions", &self.tmpfs),
            ("ImageOptions", &self.image),
        ] {
            if !options.is_empty() {
                json[key] = Value::Object(options.clone());
            }
        }
        json
    }
}

/// A source that starts with a dot is relative to where we are.
fn absolute(source: &str) -> String {
    match std::env::current_dir() {
        Ok(here) if source == "." || source.starts_with("./") => {
            here.join(source.trim_start_matches('.').trim_start_matches('/')).display().to_string()
        }
        _ => source.to_owned(),
    }
}

fn driver(volume: &mut Map<String, Value>) -> &mut Map<String, Value> {
    object(volume, "DriverConfig")
}

fn pair(into: &mut Map<String, Value>, key: &str, text: &str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    object(into, key).insert(name.to_owned(), value.into());
}

fn object<'a>(into: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let slot = into.entry(key).or_insert(Value::Null);
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(object) => object,
        // It was made one just above.
        _ => unreachable!("the slot is an object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        mount(text).unwrap_err().to_string()
    }

    #[test]
    fn every_type() {
        assert_eq!(
            mount("type=bind,src=/a,dst=/b,readonly,bind-propagation=rslave").unwrap(),
            json!({"Type": "bind", "Target": "/b", "Source": "/a", "ReadOnly": true,
                   "BindOptions": {"Propagation": "rslave"}})
        );
        assert_eq!(
            mount("type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1777").unwrap(),
            json!({"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1 << 20, "Mode": 0o1777}})
        );
        assert_eq!(
            mount("source=v,target=/t,volume-nocopy,volume-opt=a=b,volume-label=c").unwrap(),
            json!({"Type": "volume", "Target": "/t", "Source": "v", "VolumeOptions": {
                "NoCopy": true, "DriverConfig": {"Options": {"a": "b"}}, "Labels": {"c": ""}}})
        );
    }

    #[test]
    fn errors_are_dockers() {
        assert_eq!(error("foo"), "invalid field 'foo' must be a key=value pair");
        assert_eq!(error("type=foo"), "target is required");
        assert_eq!(error("foo=bar,target=/a"), "unexpected key 'foo' in 'foo=bar'");
        assert_eq!(error("type=bind,target=/a,ro=x"), "invalid value for ro: x");
        assert_eq!(
            error("type=bind,src=/a,target=/b,tmpfs-size=1m"),
            "cannot mix 'tmpfs-*' options with mount type 'bind'"
        );
    }
}
