//! Progress of pulls and pushes, and their end when nobody looks on.
//!
//! In: steps from a task. Out: a [`Transfer`], the stream of them. Dropping it ends the task: a
//! client that is gone has cancelled what it asked for.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Result;

/// Steps on their way to a client that reads slowly.
const STEPS: usize = 256;

/// Something to be told of a pull or push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A sentence, about a tag if that is given.
    Say {
        /// The tag.
        id: Option<String>,
        /// The sentence.
        text: String,
    },
    /// What goes on with a layer.
    Layer {
        /// Twelve digits.
        id: String,
        /// As `Downloading`.
        status: String,
        /// Bytes done, and of how many.
        bytes: Option<(u64, u64)>,
    },
    /// An image was pushed.
    Pushed {
        /// Its tag.
        tag: String,
        /// Digest of its manifest.
        digest: String,
        /// Bytes of the manifest.
        size: usize,
    },
}

/// A pull or push that goes on; a stream of steps, the last of which may be a failure.
#[derive(Debug)]
pub struct Transfer {
    steps: mpsc::Receiver<Result<Step>>,
    _task: Task,
}

impl Transfer {
    /// Starts the work.
    pub(super) fn start<F>(work: impl FnOnce(Reporter) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (sender, steps) = mpsc::channel(STEPS);
        let reporter = Reporter(sender.clone());
        let work = work(reporter);
        let task = tokio::spawn(async move {
            if let Err(error) = work.await {
                // Nobody who hears it: nobody who needs it.
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { steps, _task: Task(task) }
    }
}

impl Stream for Transfer {
    type Item = Result<Step>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.steps.poll_recv(context)
    }
}

/// A task that ends with this value.
#[derive(Debug)]
pub(super) struct Task(pub JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Where steps are told.
#[derive(Clone, Debug)]
pub(super) struct Reporter(mpsc::Sender<Result<Step>>);

impl Reporter {
    pub(super) async fn say(&self, text: impl Into<String>) {
        self.step(Step::Say { id: None, text: text.into() }).await;
    }

    pub(super) async fn say_of(&self, id: &str, text: impl Into<String>) {
        self.step(Step::Say { id: Some(id.to_owned()), text: text.into() }).await;
    }

    pub(super) async fn layer(&self, id: &str, status: &str) {
        self.step(Step::Layer { id: id.to_owned(), status: status.to_owned(), bytes: None }).await;
    }

    /// How far it is. A client that reads slowly misses some of these.
    pub(super) fn bytes(&self, id: &str, status: &str, done: u64, total: u64) {
        let (id, status) = (id.to_owned(), status.to_owned());
        let _ = self.0.try_send(Ok(Step::Layer { id, status, bytes: Some((done, total)) }));
    }

    pub(super) async fn step(&self, step: Step) {
        // Whose client is gone is about to be ended.
        let _ = self.0.send(Ok(step)).await;
    }
}
