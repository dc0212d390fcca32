//! `push`: an image, or all tags of a repository, to a registry.
//!
//! In: a name, credentials. Out: a [`Transfer`]. The image goes out as it came in: its layers are
//! sent as they are kept, five at a time, straight from disk.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hawser_images::{Outgoing, OutgoingBlob, Reference};
use hawser_registry::{
    Access, Backoff, Credentials, Error as Failure, Manifest, Mounted, Session, UploadBody,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::progress::{Reporter, Step, Transfer};
use super::pull::short;
use super::registry::push_failed;
use super::transfer_event;
use crate::Engine;
use crate::engine::blocking;
use crate::error::{Error, Kind, Result};

const PIECE: usize = 64 << 10;
/// How often progress is told.
const GLANCE: Duration = Duration::from_millis(100);
/// Most repositories that a blob is looked for in, to save sending it.
const MAX_MOUNTS: usize = 3;

impl Engine {
    /// Begins a push; a name without a tag stands for all its tags. It goes on until the transfer is
    /// dropped.
    ///
    /// # Errors
    /// Invalid for what is no name with a tag.
    pub async fn image_push(
        self: &Arc<Self>,
        reference: &str,
        credentials: Credentials,
    ) -> Result<Transfer> {
        let name = Reference::parse(reference)?;
        if name.digest().is_some() {
            return Err(Error::invalid("cannot push a digest reference"));
        }
        let engine = Arc::clone(self);
        Ok(Transfer::start(move |reporter| async move {
            let place = name.name();
            reporter.say(format!("The push refers to repository [{place}]")).await;
            let names = match name.tag() {
                Some(_) => vec![name.clone()],
                None => engine.images.tags_of(&name),
            };
            if names.is_empty() {
                let message = "An image does not exist locally with the tag";
                return Err(Error::not_found(format!("{message}: {}", name.familiar_name())));
            }
            for name in names {
                engine.push_one(&name, &credentials, &reporter).await?;
            }
            Ok(())
        }))
    }

    async fn push_one(
        self: &Arc<Self>,
        name: &Reference,
        credentials: &Credentials,
        reporter: &Reporter,
    ) -> Result<()> {
        let (images, wanted) = (Arc::clone(&self.images), name.clone());
        let outgoing = blocking(move || Ok(images.outgoing(&wanted)?)).await;
        let outgoing = Arc::new(outgoing.map_err(|e| match e.kind() {
            Kind::NotFound => Error::not_found(format!("tag does not exist: {}", name.familiar())),
            _ => e,
        })?);
        let tag = name.tag().unwrap_or_default();
        let registries = &self.registry.registries;
        let candidate =
            registries.sessions(name.domain(), name.path(), Access::Push, credentials).pop();
        let candidate = candidate.ok_or_else(|| Error::not_found("no registry"))?;
        let mut session = candidate.open().await.map_err(push_failed)?;
        let sources = self.sources(name, &outgoing, &mut session);
        self.push_blobs(&outgoing, Arc::new(session), &sources, reporter, tag).await?;
        let (images, repository) = (Arc::clone(&self.images), name.clone());
        let done = Arc::clone(&outgoing);
        blocking(move || Ok(images.note_digest(&repository, &done.digest, &done.id)?)).await?;
        transfer_event(self, "push", name);
        Ok(())
    }

    /// Which repositories of the registry each layer could be taken over from.
    fn sources(
        &self,
        name: &Reference,
        outgoing: &Outgoing,
        session: &mut Session,
    ) -> Vec<Vec<String>> {
        let of = |blob: &OutgoingBlob| {
            let mut found = self.images.repositories_with(&blob.digest, name);
            found.truncate(MAX_MOUNTS);
            found
        };
        let all: Vec<Vec<String>> = outgoing.layers.iter().map(of).collect();
        let mut distinct: Vec<&String> = all.iter().flatten().collect();
        distinct.sort();
        distinct.dedup();
        distinct.into_iter().for_each(|repository| session.also_read(repository));
        all
    }

    async fn push_blobs(
        self: &Arc<Self>,
        outgoing: &Arc<Outgoing>,
        session: Arc<Session>,
        sources: &[Vec<String>],
        reporter: &Reporter,
        tag: &str,
    ) -> Result<()> {
        for layer in &outgoing.layers {
            reporter.layer(short(&layer.shown), "Preparing").await;
        }
        let mut sending = JoinSet::new();
        for (layer, sources) in outgoing.layers.iter().zip(sources) {
            let (engine, session) = (Arc::clone(self), Arc::clone(&session));
            let (layer, sources) = (layer.clone(), sources.clone());
            let told = Some(reporter.clone());
            sending.spawn(async move {
                let reporter = told.as_ref();
                engine.push_blob(&session, &layer, &sources, reporter).await
            });
        }
        while let Some(sent) = sending.join_next().await {
            sent.map_err(|e| Error::caused(Kind::System, "send a layer", e))??;
        }
        self.push_blob(&session, &outgoing.config, &[], None).await?;
        let (media_type, bytes) = (outgoing.media_type.clone(), outgoing.manifest.clone());
        let size = bytes.len();
        let manifest = Manifest { media_type, bytes };
        session.put_manifest(tag, &manifest).await.map_err(push_failed)?;
        let (tag, digest) = (tag.to_owned(), outgoing.digest.to_string());
        reporter.say(format!("{tag}: digest: {digest} size: {size}")).await;
        reporter.step(Step::Pushed { tag, digest, size }).await;
        Ok(())
    }

    /// Makes sure that the registry has a blob. With a reporter it is a layer, and told of.
    async fn push_blob(
        &self,
        session: &Session,
        blob: &OutgoingBlob,
        sources: &[String],
        reporter: Option<&Reporter>,
    ) -> Result<()> {
        let id = short(&blob.shown);
        let uploads = &self.registry.uploads;
        if uploads.available_permits() == 0 {
            tell(reporter, id, "Waiting").await;
        }
        let _slot = uploads.acquire().await.map_err(|e| Error::caused(Kind::System, "push", e))?;
        let digest = blob.digest.as_str();
        if session.has_blob(digest).await.map_err(push_failed)? {
            tell(reporter, id, "Layer already exists").await;
            return Ok(());
        }
        let mut backoff = Backoff::default();
        loop {
            match send(session, blob, sources, reporter).await {
                Ok(None) => {
                    tell(reporter, id, "Pushed").await;
                    return Ok(());
                }
                Ok(Some(source)) => {
                    tell(reporter, id, &format!("Mounted from {source}")).await;
                    return Ok(());
                }
                Err(failure) => {
                    let wait = backoff.after(failure).map_err(push_failed)?;
                    let seconds = wait.as_millis().div_ceil(1000);
                    tell(reporter, id, &format!("Retrying in {seconds} seconds")).await;
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }
}

async fn tell(reporter: Option<&Reporter>, id: &str, status: &str) {
    if let Some(reporter) = reporter {
        reporter.layer(id, status).await;
    }
}

/// Sends a blob, or has it taken over from the repository that is given back.
async fn send(
    session: &Session,
    blob: &OutgoingBlob,
    sources: &[String],
    reporter: Option<&Reporter>,
) -> Result<Option<String>, Failure> {
    let digest = blob.digest.as_str();
    let mut place = None;
    for source in sources {
        match session.begin_upload(digest, Some(source)).await? {
            Mounted::There => return Ok(Some(source.clone())),
            Mounted::SendTo(to) => place = Some(to),
        }
    }
    let place = match place {
        Some(place) => place,
        None => match session.begin_upload(digest, None).await? {
            Mounted::SendTo(to) => to,
            Mounted::There => return Ok(None),
        },
    };
    let sent = Arc::new(AtomicU64::new(0));
    let (pieces, size) = read(blob);
    let body = UploadBody { pieces, size, sent: Arc::clone(&sent) };
    let mut upload = std::pin::pin!(session.upload(&place, digest, body));
    let id = short(&blob.shown);
    loop {
        match tokio::time::timeout(GLANCE, &mut upload).await {
            Ok(done) => return done.map(|()| None),
            Err(_) => {
                if let Some(reporter) = reporter {
                    reporter.bytes(id, "Pushing", sent.load(Ordering::Relaxed), size);
                }
            }
        }
    }
}

/// The blob's bytes, read as they are wanted on a thread that may block.
fn read(blob: &OutgoingBlob) -> (mpsc::Receiver<std::io::Result<Bytes>>, u64) {
    let (sender, pieces) = mpsc::channel(4);
    let (path, size) = (blob.path.clone(), blob.size);
    tokio::task::spawn_blocking(move || {
        let mut file = match File::open(&path) {
            Ok(file) => file.take(size),
            Err(error) => return drop(sender.blocking_send(Err(error))),
        };
        loop {
            let mut buffer = vec![0; PIECE];
            let piece = match file.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => {
                    buffer.truncate(read);
                    Ok(Bytes::from(buffer))
                }
                Err(error) => Err(error),
            };
            let failed = piece.is_err();
            if sender.blocking_send(piece).is_err() || failed {
                return;
            }
        }
    });
    (pieces, size)
}
