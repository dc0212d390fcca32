//! A client of image registries: the OCI distribution API over HTTP(S).
//!
//! In: the name of a registry and of a repository, credentials. Out: manifests and tags as bytes
//! and words, blobs as streams; blobs and manifests sent. Everything that a registry says is
//! bounded: heads, small bodies, redirects, time. It checks no digest and keeps nothing: what the
//! bytes mean, and whether they are the right ones, is its caller's.
//!
//! Each request has a connection of its own. Credentials go to the registry itself and to the token
//! server that it names, never where a redirect leads.

mod auth;
mod blob;
mod challenge;
mod connect;
mod credentials;
mod error;
mod manifest;
mod place;
mod retry;
mod session;
mod tls;
mod upload;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use blob::Blob;
pub use credentials::Credentials;
pub use error::{Error, Result};
pub use manifest::{Manifest, TagList};
pub use place::{InvalidRegistry, Policy};
pub use retry::Backoff;
pub use session::{Access, Candidate, Session};
pub use upload::{Mounted, UploadBody};

/// What the client is told once.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which registries may be spoken to how.
    pub policy: Policy,
    /// Directory of `HOST/*.crt`: authorities that are trusted for one registry.
    pub certificates: PathBuf,
    /// How long to wait for a connection, for the head of an answer, and between two pieces.
    pub patience: Duration,
}

/// All registries: the way to open sessions.
#[derive(Clone, Debug)]
pub struct Registries {
    config: Arc<Config>,
}

impl Registries {
    /// A client that has connected to nothing yet.
    pub fn new(config: Config) -> Self {
        Self { config: Arc::new(config) }
    }

    /// Which registries may be spoken to how.
    pub fn policy(&self) -> &Policy {
        &self.config.policy
    }
}
