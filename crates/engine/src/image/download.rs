//! Downloads of blobs: three at a time, shared by all who want the same one.
//!
//! In: a session, a digest and a size. Out: the blob as a whole and checked part of the store. A
//! connection that breaks is gone on with where it broke; a download that nobody waits for any more
//! ends, and what is there of it stays for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hawser_images::{Digest, Images, Part};
use hawser_registry::{Backoff, Error as Failure, Session};
use tokio::sync::{Semaphore, mpsc, watch};

use super::progress::{Reporter, Task};
use super::pull::short;
use crate::engine::blocking;
use crate::error::{Error, Kind, Result};

/// As many as Docker.
const SLOTS: usize = 3;
/// Pieces between the connection and the disk.
const PIECES: usize = 32;
/// How often bytes are told of.
const GLANCE: Duration = Duration::from_millis(100);
/// A connection that brought so much before it broke was worth another try.
const WORTHWHILE: u64 = 1 << 20;

/// How far a download is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Others come first.
    Waiting,
    /// So many bytes are there.
    At(u64),
    /// Tried again in so many seconds, rounded up.
    Retrying(u64),
    /// All bytes are there, and are looked at.
    Verifying,
    /// All is well.
    Done,
    /// It came to nothing.
    Failed(Kind, String),
}

/// A blob to be fetched.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub session: Arc<Session>,
    pub images: Arc<Images>,
    pub digest: Digest,
    pub size: u64,
}

/// A download that goes on as long as somebody has one of these.
pub(super) struct Download {
    stage: watch::Receiver<Stage>,
    _task: Task,
}

/// All downloads that go on.
pub(crate) struct Downloads {
    running: Mutex<HashMap<Digest, Weak<Download>>>,
    slots: Arc<Semaphore>,
}

impl Default for Downloads {
    fn default() -> Self {
        Self { running: Mutex::default(), slots: Arc::new(Semaphore::new(SLOTS)) }
    }
}

impl Downloads {
    /// Has a blob fetched; `told` hears how far it is. Joins a download that goes on already; if
    /// that fails (its user may have had no right to the blob), tries by itself.
    pub(super) async fn fetch(&self, wanted: &Wanted, told: &Reporter) -> Result<()> {
        let (download, joined) = self.join(wanted);
        match follow(&download, wanted, told).await {
            Err(_) if joined => {
                drop(download);
                let (download, _) = self.join(wanted);
                follow(&download, wanted, told).await
            }
            done => done,
        }
    }

    /// The download of the blob, and whether it was there already.
    fn join(&self, wanted: &Wanted) -> (Arc<Download>, bool) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|_, download| download.strong_count() > 0);
        let live = running.get(&wanted.digest).and_then(Weak::upgrade);
        if let Some(download) = live.filter(|download| download.is_good()) {
            return (download, true);
        }
        let (sender, stage) = watch::channel(Stage::Waiting);
        let (wanted, slots) = (wanted.clone(), Arc::clone(&self.slots));
        let digest = wanted.digest.clone();
        let task = tokio::spawn(async move {
            let end = match fetch(&wanted, &slots, &sender).await {
                Ok(()) => Stage::Done,
                Err(error) => Stage::Failed(error.kind(), error.to_string()),
            };
            sender.send_replace(end);
        });
        let download = Arc::new(Download { stage, _task: Task(task) });
        running.insert(digest, Arc::downgrade(&download));
        (download, false)
    }
}

impl Download {
    fn is_good(&self) -> bool {
        !matches!(*self.stage.borrow(), Stage::Failed(..))
    }
}

async fn follow(download: &Download, wanted: &Wanted, told: &Reporter) -> Result<()> {
    let mut stage = download.stage.clone();
    let mut told_at: Option<Instant> = None;
    loop {
        let now = stage.borrow_and_update().clone();
        // Bytes come more often than anybody wants to hear of them.
        let is_bytes = matches!(now, Stage::At(_));
        if !is_bytes || told_at.is_none_or(|time| time.elapsed() >= GLANCE) {
            tell(told, wanted, &now).await;
            told_at = is_bytes.then(Instant::now).or(told_at);
        }
        match now {
            Stage::Done => return Ok(()),
            Stage::Failed(kind, why) => return Err(Error::new(kind, why)),
            _ => {}
        }
        if stage.changed().await.is_err() {
            return Err(Error::new(Kind::System, "the download ended early"));
        }
    }
}

async fn tell(told: &Reporter, wanted: &Wanted, stage: &Stage) {
    let id = short(&wanted.digest);
    match stage {
        Stage::Waiting => told.layer(id, "Waiting").await,
        Stage::At(at) => told.bytes(id, "Downloading", *at, wanted.size),
        Stage::Retrying(seconds) => {
            let unit = if *seconds == 1 { "second" } else { "seconds" };
            told.layer(id, &format!("Retrying in {seconds} {unit}")).await;
        }
        Stage::Verifying => told.layer(id, "Verifying Checksum").await,
        Stage::Done => told.layer(id, "Download complete").await,
        Stage::Failed(..) => {}
    }
}

async fn fetch(wanted: &Wanted, slots: &Semaphore, stage: &watch::Sender<Stage>) -> Result<()> {
    let _slot = slots.acquire().await.map_err(|e| Error::caused(Kind::System, "download", e))?;
    let (images, digest, size) = (Arc::clone(&wanted.images), wanted.digest.clone(), wanted.size);
    let mut part = blocking(move || Ok(images.part(&digest, size)?)).await?;
    let mut backoff = Backoff::default();
    while !part.is_whole() {
        let before = part.at();
        let outcome;
        (part, outcome) = attempt(wanted, part, stage).await?;
        let Err(failure) = outcome else { continue };
        if part.at() >= before.saturating_add(WORTHWHILE) {
            backoff.reset();
        }
        let wait = backoff.after(failure).map_err(|e| failed(&wanted.digest, &e))?;
        stage.send_replace(Stage::Retrying(wait.as_millis().div_ceil(1000) as u64));
        tokio::time::sleep(wait).await;
    }
    stage.send_replace(Stage::Verifying);
    blocking(move || Ok(part.finish()?)).await
}

fn failed(digest: &Digest, failure: &Failure) -> Error {
    let kind = match failure {
        Failure::Unauthorized(_) => Kind::Unauthorized,
        Failure::Denied(_) => Kind::Forbidden,
        Failure::NotFound(_) => Kind::NotFound,
        _ => Kind::System,
    };
    Error::new(kind, format!("cannot fetch {digest}: {failure}"))
}

/// One request, and as many bytes as it brings. The outer error is the disk's, or a lie.
async fn attempt(
    wanted: &Wanted,
    part: Part,
    stage: &watch::Sender<Stage>,
) -> Result<(Part, Result<(), Failure>)> {
    let mut blob = match wanted.session.blob(wanted.digest.as_str(), part.at()).await {
        Ok(blob) => blob,
        Err(failure) => return Ok((part, Err(failure))),
    };
    if blob.rest.is_some_and(|rest| blob.start.saturating_add(rest) != wanted.size) {
        let rest = blob.rest.unwrap_or_default();
        let lie = format!("it sends {rest} bytes from {} on of {}", blob.start, wanted.size);
        return Ok((part, Err(Failure::Misbehaves(lie))));
    }
    let (sender, receiver) = mpsc::channel(PIECES);
    let mut at = blob.start;
    let start = blob.start;
    let writer = tokio::spawn(blocking(move || write(part, start, receiver)));
    stage.send_replace(Stage::At(at));
    let outcome = loop {
        match blob.next().await {
            Ok(Some(piece)) => {
                at += piece.len() as u64;
                if sender.send(piece).await.is_err() {
                    break Ok(());
                }
                stage.send_replace(Stage::At(at));
            }
            Ok(None) if at < wanted.size => {
                break Err(Failure::Broken(format!("{at} of {} bytes came", wanted.size)));
            }
            Ok(None) => break Ok(()),
            Err(failure) => break Err(failure),
        }
    };
    drop(sender);
    let part = writer.await.map_err(|e| Error::caused(Kind::System, "write a blob", e))??;
    Ok((part, outcome))
}

/// Writes pieces until no more come.
fn write(mut part: Part, start: u64, mut pieces: mpsc::Receiver<Bytes>) -> Result<Part> {
    if start != part.at() {
        part.restart()?;
    }
    while let Some(piece) = pieces.blocking_recv() {
        part.write(&piece)?;
    }
    Ok(part)
}
