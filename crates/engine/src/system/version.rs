//! `version`.

use std::collections::BTreeMap;

use crate::Engine;

/// Version of Docker's API that is served.
pub const API_VERSION: &str = "1.51";
/// The oldest version of it that is served.
pub const MIN_API_VERSION: &str = "1.24";

/// What `version` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Version of the engine.
    pub version: String,
    /// API version.
    pub api_version: &'static str,
    /// Oldest API version.
    pub min_api_version: &'static str,
    /// `linux`.
    pub os: &'static str,
    /// Architecture in Go's words (`amd64`).
    pub arch: &'static str,
    /// Kernel's version.
    pub kernel_version: String,
    /// The engine, the runtime, conmon.
    pub components: Vec<Component>,
}

/// A part of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// What else there is to say.
    pub details: BTreeMap<String, String>,
}

impl Engine {
    /// Versions of the engine and its parts.
    pub fn version(&self) -> Version {
        todo!()
    }
}
