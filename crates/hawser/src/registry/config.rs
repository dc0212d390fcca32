//! Docker's `config.json`, as far as credentials are concerned.
//!
//! In: the file below `$DOCKER_CONFIG` or `~/.docker`. Out: logins; and the file again with one more
//! or less. What else is in it stays as it is, in its order.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Login;
use super::keeper::Keeper;
use crate::failure::Failure;

/// The file.
pub struct Config {
    path: PathBuf,
    value: Map<String, Value>,
}

impl Config {
    /// Reads the file; an absent one is empty.
    pub fn read() -> Result<Self, Failure> {
        Self::at(&directory().join("config.json"))
    }

    fn at(path: &Path) -> Result<Self, Failure> {
        let failed = |why: &dyn std::fmt::Display| {
            Failure::new(format!("cannot read {}: {why}", path.display()))
        };
        let value = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(&error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Map::new(),
            Err(error) => return Err(failed(&error)),
        };
        Ok(Self { path: path.to_owned(), value })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The helper that keeps a registry's credentials, if one is configured.
    pub fn helper(&self, server: &str) -> Option<Keeper> {
        let of_server = self.value.get("credHelpers").and_then(|helpers| helpers[server].as_str());
        let name = of_server.or_else(|| self.value.get("credsStore")?.as_str());
        name.filter(|name| !name.is_empty()).map(Keeper::new)
    }

    /// The login at a registry. A helper that is not installed is told and passed over.
    pub fn login(&self, server: &str) -> Result<Option<Login>, Failure> {
        if let Some(helper) = self.helper(server)
            && let Some(found) = helper.get(server)?
        {
            return Ok(Some(found));
        }
        let Some(auths) = self.value.get("auths").and_then(Value::as_object) else {
            return Ok(None);
        };
        // Older clients wrote URLs.
        let entry = auths.get(server).or_else(|| {
            let found = auths.iter().find(|(key, _)| super::address(key) == server);
            found.map(|(_, entry)| entry)
        });
        Ok(entry.and_then(read_entry))
    }

    /// Keeps a login in the file itself.
    pub fn put(&mut self, server: &str, login: &Login) -> Result<(), Failure> {
        let pair = format!("{}:{}", login.username, login.password);
        let auths = self.value.entry("auths").or_insert_with(|| json!({}));
        auths[server] = json!({"auth": STANDARD.encode(pair)});
        self.write()
    }

    /// Forgets what the file has; whether there was anything.
    pub fn forget(&mut self, server: &str) -> Result<bool, Failure> {
        let auths = self.value.get_mut("auths").and_then(Value::as_object_mut);
        let there = auths.is_some_and(|auths| auths.shift_remove(server).is_some());
        if there {
            self.write()?;
        }
        Ok(there)
    }

    /// Replaces the file, for nobody but its owner to read.
    fn write(&self) -> Result<(), Failure> {
        let write = || -> io::Result<()> {
            let directory = self.path.parent().unwrap_or(Path::new("."));
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            // A link to a file elsewhere stays one.
            let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
            let new = target.with_extension(format!("json.{}.new", std::process::id()));
            let mut options = fs::OpenOptions::new();
            let mut file =
                options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            let mut text = serde_json::to_vec_pretty(&self.value)?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&new, &target)
        };
        write().map_err(|why| Failure::new(format!("cannot write {}: {why}", self.path.display())))
    }
}

fn read_entry(entry: &Value) -> Option<Login> {
    let identity_token = entry["identitytoken"].as_str().unwrap_or_default().to_owned();
    let pair = STANDARD.decode(entry["auth"].as_str().unwrap_or_default()).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (username, password) = pair.split_once(':').unwrap_or_default();
    // Docker fills up with zeros in places.
    let (username, password) = (username.to_owned(), password.trim_end_matches('\0').to_owned());
    let login = Login { username, password, identity_token };
    (login != Login::default()).then_some(login)
}

fn directory() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = || from("HOME").map(|home| PathBuf::from(home).join(".docker"));
    from("DOCKER_CONFIG").map(PathBuf::from).or_else(home).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn logins_come_and_go_and_the_rest_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("d/config.json");
        let mut config = Config::at(&path).unwrap();
        let login = Login { username: "me".into(), password: "a:b".into(), ..Login::default() };
        config.put("localhost:5000", &login).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"auth\": \"bWU6YTpi\""), "{text}");
        fs::write(&path, text.replacen('{', "{\"psFormat\": \"x\",", 1)).unwrap();
        let mut config = Config::at(&path).unwrap();
        assert_eq!(config.login("localhost:5000").unwrap(), Some(login));
        assert_eq!(config.login("localhost:5001").unwrap(), None);
        assert!(config.forget("localhost:5000").unwrap());
        assert!(!config.forget("localhost:5000").unwrap());
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.split_whitespace().collect::<String>(), r#"{"psFormat":"x","auths":{}}"#);
    }

    #[test]
    fn what_others_wrote_is_understood() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        let text = r#"{"auths": {"https://r.example/v1/": {"auth": "bWU6cAAA"},
            "t.example": {"auth": "bWU6", "identitytoken": "tt"}, "none.example": {}}}"#;
        fs::write(&path, text).unwrap();
        let config = Config::at(&path).unwrap();
        assert_eq!(config.login("r.example").unwrap().unwrap().password, "p");
        assert_eq!(config.login("t.example").unwrap().unwrap().identity_token, "tt");
        assert_eq!(config.login("none.example").unwrap(), None);
        fs::write(&path, "{").unwrap();
        assert!(Config::at(&path).is_err());
    }
}
