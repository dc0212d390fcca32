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
    /// The engine.
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
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let details = BTreeMap::from([
            ("ApiVersion".to_owned(), API_VERSION.to_owned()),
            ("MinAPIVersion".to_owned(), MIN_API_VERSION.to_owned()),
            ("Os".to_owned(), "linux".to_owned()),
            ("Arch".to_owned(), go_arch().to_owned()),
            ("KernelVersion".to_owned(), kernel_version()),
        ]);
        let engine = Component { name: "Engine".to_owned(), version: version.clone(), details };
        Version {
            version,
            api_version: API_VERSION,
            min_api_version: MIN_API_VERSION,
            os: "linux",
            arch: go_arch(),
            kernel_version: kernel_version(),
            components: vec![engine],
        }
    }
}

/// This machine's architecture in Go's words.
pub(crate) fn go_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

/// Version of the kernel that runs.
pub(super) fn kernel_version() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}
