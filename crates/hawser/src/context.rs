//! What every command is given: the client and how the program was called.

use std::path::PathBuf;

use crate::cli::Global;
use crate::client::{Client, Endpoint, TlsSettings};
use crate::failure::Failure;
use crate::terminal::keys;

/// What every command is given.
pub struct Context {
    /// The client of the engine.
    pub client: Client,
    /// Such as `hawser container run`.
    pub path: String,
    /// Whether `-D` was given.
    pub debug: bool,
}

impl Context {
    /// From the flags before the command, and the environment.
    pub fn new(global: &Global, path: String) -> Result<Self, Failure> {
        if !matches!(global.log_level.as_str(), "debug" | "info" | "warn" | "error" | "fatal") {
            let level = &global.log_level;
            return Err(Failure::new(format!("Unable to parse logging level: {level}")));
        }
        let endpoint = endpoint(global)?;
        let debug = global.debug || global.log_level == "debug";
        let client =
            Client::new(endpoint, debug).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self { client, path, debug: global.debug })
    }

    /// A failure of `run` or `create` before there is a container's exit code: 125.
    pub fn refused(&self, message: &str) -> Failure {
        let text = format!("hawser: {message}\n\nRun '{} --help' for more information", self.path);
        Failure::new(text).with_code(125)
    }
}

/// The sequence that detaches: the flag's, or docker's default.
pub fn detach_keys(flag: Option<&str>) -> Result<Vec<u8>, Failure> {
    let keys = flag.filter(|keys| !keys.is_empty()).unwrap_or(keys::DEFAULT);
    keys::parse(keys)
        .map_err(|error| Failure::new(format!("invalid detach keys ({keys}): {error}")))
}

fn endpoint(global: &Global) -> Result<Endpoint, Failure> {
    let host = match &global.host[..] {
        [] => std::env::var("DOCKER_HOST").unwrap_or_default(),
        [host] => host.clone(),
        _ => return Err(Failure::new("specify only one -H")),
    };
    Endpoint::parse(&host, tls(global)).map_err(|error| Failure::new(error.to_string()))
}

fn tls(global: &Global) -> Option<TlsSettings> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let verify = global.tlsverify.unwrap_or_else(|| set("DOCKER_TLS_VERIFY"));
    if !verify && !global.tls && !set("DOCKER_TLS") {
        return None;
    }
    let folder = certificates();
    let file =
        |flag: &Option<PathBuf>, name: &str| flag.clone().unwrap_or_else(|| folder.join(name));
    Some(TlsSettings {
        verify,
        ca: file(&global.tlscacert, "ca.pem"),
        certificate: file(&global.tlscert, "cert.pem"),
        key: file(&global.tlskey, "key.pem"),
    })
}

fn certificates() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    from("DOCKER_CERT_PATH")
        .or_else(|| from("DOCKER_CONFIG"))
        .or_else(|| from("HOME").map(|home| home.join(".docker")))
        .unwrap_or_default()
}
