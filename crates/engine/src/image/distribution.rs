//! What a registry has under a name, without pulling it.
//!
//! In: a name, credentials. Out: a descriptor of the manifest or index, and the platforms.

use std::sync::Arc;

use hawser_images::{Digest, Platform, Reference, Remote};
use hawser_registry::{Access, Credentials, Session};

use super::pull::small_blob;
use super::registry::pull_failed;
use crate::Engine;
use crate::error::{Error, Result};

/// What a name stands for at its registry.
#[derive(Clone, Debug)]
pub struct RemoteView {
    /// Of the manifest or index.
    pub media_type: String,
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size: usize,
    /// What it can be had for.
    pub platforms: Vec<Platform>,
}

impl Engine {
    /// Asks a registry about a name.
    ///
    /// # Errors
    /// NotFound, Invalid, or System if the registry cannot be reached.
    pub async fn image_remote(
        self: &Arc<Self>,
        name: &str,
        who: &Credentials,
    ) -> Result<RemoteView> {
        let name = Reference::parse(name)?.or_latest();
        let mut failure = Error::not_found("no registry");
        let registries = &self.registry.registries;
        for candidate in registries.sessions(name.domain(), name.path(), Access::Pull, who) {
            let session = candidate.open().await.map_err(|e| pull_failed(&name, e));
            let view = match session {
                Ok(session) => view(&session, &name).await,
                Err(error) => Err(error),
            };
            match view {
                Ok(view) => return Ok(view),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

async fn view(session: &Session, name: &Reference) -> Result<RemoteView> {
    let failed = |e| pull_failed(name, e);
    let asked = name.digest().map(Digest::as_str).or(name.tag()).unwrap_or_default();
    let manifest = session.manifest(asked).await.map_err(failed)?;
    let (digest, size) = (Digest::of(&manifest.bytes), manifest.bytes.len());
    let platforms = match Remote::read(&manifest.media_type, manifest.bytes)? {
        Remote::Index(index) => index.platforms(),
        Remote::Image(image) => {
            let (config, size) = image.config();
            let bytes = small_blob(session, config.as_str(), size).await.map_err(failed)?;
            let platform = serde_json::from_slice(&bytes);
            vec![platform.map_err(|e| Error::invalid(format!("image configuration: {e}")))?]
        }
    };
    let (media_type, digest) = (manifest.media_type, digest.to_string());
    Ok(RemoteView { media_type, digest, size, platforms })
}
