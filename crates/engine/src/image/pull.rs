//! `pull`: an image, or all tags of a repository, from a registry.
//!
//! In: a name, a platform, credentials. Out: a [`Transfer`]. What can be known before the first step
//! (that there is no such image, that one may not have it) is an error of the call itself.

use std::sync::Arc;

use hawser_images::{
    Digest, Images, Incoming, PART_LIFETIME, Platform, Reference, Remote, RemoteImage,
};
use hawser_registry::{Access, Backoff, Credentials, Error as Failure, Session};
use tokio::task::JoinSet;

use super::download::Wanted;
use super::progress::{Reporter, Transfer};
use super::registry::pull_failed;
use super::transfer_event;
use crate::Engine;
use crate::engine::blocking;
use crate::error::{Error, Kind, Result};

/// How deep indexes may be nested.
const MAX_DEPTH: usize = 4;

/// What is to be pulled.
#[derive(Clone, Debug, Default)]
pub struct PullRequest {
    /// The name; without a tag and digest it stands for all tags.
    pub reference: String,
    /// `os[/architecture[/variant]]`; this machine's if `None`.
    pub platform: Option<String>,
    /// Who asks.
    pub credentials: Credentials,
}

/// An image that was found.
struct Found {
    name: Reference,
    /// Of what the name stands for: of an index, if it is one.
    digest: Digest,
    remote: RemoteImage,
    session: Arc<Session>,
}

impl Engine {
    /// Begins a pull. It goes on until the transfer is dropped.
    ///
    /// # Errors
    /// NotFound, Unauthorized, Invalid, or System if the registry cannot be reached.
    pub async fn image_pull(self: &Arc<Self>, request: PullRequest) -> Result<Transfer> {
        let name = Reference::parse(&request.reference)?;
        let platform = request.platform.as_deref().filter(|text| !text.is_empty());
        let platform = platform.map(Platform::parse).transpose()?;
        let engine = Arc::clone(self);
        if name.tag().is_some() || name.digest().is_some() {
            let found = self.find(&name, platform.as_ref(), &request.credentials).await?;
            return Ok(Transfer::start(move |reporter| async move {
                engine.pull_one(found, platform.as_ref(), &reporter).await
            }));
        }
        let tags = self.remote_tags(&name, &request.credentials).await?;
        let credentials = request.credentials;
        Ok(Transfer::start(move |reporter| async move {
            for tag in tags {
                let name = name.clone().with_tag(&tag)?;
                let found = engine.find(&name, platform.as_ref(), &credentials).await?;
                engine.pull_one(found, platform.as_ref(), &reporter).await?;
            }
            Ok(())
        }))
    }

    async fn remote_tags(&self, name: &Reference, who: &Credentials) -> Result<Vec<String>> {
        let mut failure = None;
        let registries = &self.registry.registries;
        for candidate in registries.sessions(name.domain(), name.path(), Access::Pull, who) {
            let tags = async { candidate.open().await?.tags().await };
            match tags.await {
                Ok(tags) => return Ok(tags),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.map_or_else(|| Error::not_found("no registry"), |e| pull_failed(name, e)))
    }

    /// Finds the manifest of an image at one of the registry's places.
    async fn find(
        &self,
        name: &Reference,
        platform: Option<&Platform>,
        who: &Credentials,
    ) -> Result<Found> {
        let mut failure = Error::not_found("no registry");
        let registries = &self.registry.registries;
        for candidate in registries.sessions(name.domain(), name.path(), Access::Pull, who) {
            let session = match candidate.open().await {
                Ok(session) => session,
                Err(error) => {
                    failure = pull_failed(name, error);
                    continue;
                }
            };
            match resolve(&session, name, platform).await {
                Ok((digest, remote)) => {
                    let (name, session) = (name.clone(), Arc::new(session));
                    return Ok(Found { name, digest, remote, session });
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn pull_one(
        self: &Arc<Self>,
        found: Found,
        platform: Option<&Platform>,
        reporter: &Reporter,
    ) -> Result<()> {
        let name = &found.name;
        let digest = name.digest().map(Digest::to_string);
        let what = digest.as_deref().or(name.tag()).unwrap_or_default();
        reporter.say_of(what, format!("Pulling from {}", name.path())).await;
        let config = configuration(&found).await.map_err(|e| pull_failed(name, e))?;
        let (images, remote) = (Arc::clone(&self.images), found.remote.clone());
        let wanted = platform.cloned();
        let incoming = blocking(move || Ok(images.incoming(remote, config, wanted.as_ref())?));
        let incoming = incoming.await.map_err(|e| match e.kind() {
            Kind::NotFound => {
                Error::not_found(format!("image with reference {} {e}", name.familiar()))
            }
            _ => e,
        })?;
        let work = Work(Some(Arc::new(incoming)), Arc::clone(&self.images));
        self.layers(&found, work.incoming(), reporter).await?;
        self.keep_pulled(&found, work.incoming(), reporter).await
    }

    /// Fetches the layers side by side and unpacks them in their order.
    async fn layers(
        self: &Arc<Self>,
        found: &Found,
        incoming: Arc<Incoming>,
        reporter: &Reporter,
    ) -> Result<()> {
        let count = incoming.layers().len();
        for layer in incoming.layers() {
            let status = if layer.present { "Already exists" } else { "Pulling fs layer" };
            reporter.layer(short(&layer.digest), status).await;
        }
        let mut fetching = JoinSet::new();
        let mut ready: Vec<bool> = Vec::with_capacity(count);
        for (number, layer) in incoming.layers().iter().enumerate() {
            ready.push(layer.fetched);
            if !layer.fetched {
                let wanted = Wanted {
                    session: Arc::clone(&found.session),
                    images: Arc::clone(&self.images),
                    digest: layer.digest.clone(),
                    size: layer.size,
                };
                let (engine, reporter) = (Arc::clone(self), reporter.clone());
                fetching.spawn(async move { engine.fetch(number, wanted, reporter).await });
            }
        }
        let mut next = 0;
        while next < count {
            if ready[next] {
                unpack(&incoming, next, reporter).await?;
                next += 1;
                continue;
            }
            match fetching.join_next().await {
                Some(Ok(Ok(number))) => ready[number] = true,
                Some(Ok(Err(error))) => return Err(error),
                Some(Err(error)) => {
                    return Err(Error::caused(Kind::System, "fetch a layer", error));
                }
                None => return Err(Error::new(Kind::System, "a layer was never fetched")),
            }
        }
        Ok(())
    }

    async fn fetch(&self, number: usize, wanted: Wanted, reporter: Reporter) -> Result<usize> {
        self.registry.downloads.fetch(&wanted, &reporter).await?;
        Ok(number)
    }

    async fn keep_pulled(
        self: &Arc<Self>,
        found: &Found,
        incoming: Arc<Incoming>,
        reporter: &Reporter,
    ) -> Result<()> {
        let name = &found.name;
        let mut names = vec![name.clone().with_digest(found.digest.clone())];
        // With a digest the tag says nothing.
        if name.digest().is_none() {
            names.push(name.clone());
        }
        let changed = blocking(move || Ok(incoming.finish(&names)?)).await?;
        reporter.say(format!("Digest: {}", found.digest)).await;
        let what = if changed { "Downloaded newer image for" } else { "Image is up to date for" };
        reporter.say(format!("Status: {what} {}", name.familiar())).await;
        transfer_event(self, "pull", name);
        Ok(())
    }
}

/// Removes blobs that nobody went on with when their time is over.
async fn sweep_parts_later(images: Arc<Images>) {
    tokio::time::sleep(PART_LIFETIME).await;
    if let Err(error) = blocking(move || Ok(images.sweep_parts(PART_LIFETIME)?)).await {
        tracing::warn!(%error, "cannot remove unfinished downloads");
    }
}

/// An image on its way. What is left of it when this is dropped goes, off the asynchronous threads.
struct Work(Option<Arc<Incoming>>, Arc<Images>);

impl Work {
    fn incoming(&self) -> Arc<Incoming> {
        // It is taken by the drop alone.
        self.0.clone().unwrap_or_else(|| unreachable!())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let incoming = self.0.take();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            if !incoming.as_ref().is_some_and(|incoming| incoming.is_finished()) {
                runtime.spawn(sweep_parts_later(Arc::clone(&self.1)));
            }
            runtime.spawn_blocking(move || drop(incoming));
        }
    }
}

async fn unpack(incoming: &Arc<Incoming>, number: usize, reporter: &Reporter) -> Result<()> {
    let layer = incoming.layers()[number].clone();
    if layer.present {
        return Ok(());
    }
    let id = short(&layer.digest);
    reporter.bytes(id, "Extracting", 0, layer.size);
    let (work, unpacked) = (Arc::clone(incoming), layer.clone());
    let failed = |e: Error| Error::new(e.kind(), format!("failed to register layer: {e}"));
    blocking(move || Ok(work.unpack(&unpacked)?)).await.map_err(failed)?;
    reporter.bytes(id, "Extracting", layer.size, layer.size);
    reporter.layer(id, "Pull complete").await;
    Ok(())
}

/// The digest of what a name stands for, and the image for the platform.
async fn resolve(
    session: &Session,
    name: &Reference,
    platform: Option<&Platform>,
) -> Result<(Digest, RemoteImage)> {
    let wanted = platform.cloned().unwrap_or_else(Platform::here);
    let mut expected = name.digest().cloned();
    let mut top = None;
    for _ in 0..MAX_DEPTH {
        let reference = expected.as_ref().map(Digest::as_str).or(name.tag()).unwrap_or("latest");
        let manifest = session.manifest(reference).await.map_err(|e| pull_failed(name, e))?;
        let digest = Digest::of(&manifest.bytes);
        if let Some(expected) = expected.as_ref().filter(|expected| **expected != digest) {
            let message = format!("manifest verification failed for digest {expected}");
            return Err(Error::new(Kind::System, message));
        }
        let top = top.get_or_insert(digest).clone();
        match Remote::read(&manifest.media_type, manifest.bytes)? {
            Remote::Image(remote) => return Ok((top, remote)),
            Remote::Index(index) => {
                let Some(chosen) = index.choose(&wanted) else {
                    return Err(Error::not_found(format!(
                        "no matching manifest for {wanted} in the manifest list entries"
                    )));
                };
                expected = Some(chosen.clone());
            }
        }
    }
    Err(Error::new(Kind::System, "the registry misbehaves: indexes nested too deeply"))
}

/// The image's configuration; no longer than the manifest says.
async fn configuration(found: &Found) -> Result<Vec<u8>, Failure> {
    let (digest, size) = found.remote.config();
    let mut backoff = Backoff::default();
    loop {
        match small_blob(&found.session, digest.as_str(), size).await {
            Err(failure) => tokio::time::sleep(backoff.after(failure)?).await,
            done => return done,
        }
    }
}

pub(super) async fn small_blob(
    session: &Session,
    digest: &str,
    size: u64,
) -> Result<Vec<u8>, Failure> {
    let mut blob = session.blob(digest, 0).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = blob.next().await? {
        if bytes.len() as u64 + piece.len() as u64 > size {
            let lie = format!("blob {digest} is longer than {size} bytes");
            return Err(Failure::Misbehaves(lie));
        }
        bytes.extend_from_slice(&piece);
    }
    match bytes.len() as u64 == size {
        true => Ok(bytes),
        false => Err(Failure::Broken(format!("{} of {size} bytes came", bytes.len()))),
    }
}

/// A digest as progress shows it.
pub(super) fn short(digest: &Digest) -> &str {
    digest.hex().get(..12).unwrap_or_default()
}
