//! Watching a prefix: every commit is told to those who asked.
//!
//! In: commits from a backend. Out: [`Event`]s to each [`Watch`], in the order of the commits.
//! A watch that is not read cannot hold up commits nor eat memory: when its queue is full it is
//! closed, and its reader, seeing the end, lists and watches again.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use crate::{Revision, Write};

/// Most events that wait in one watch.
const QUEUE: usize = 1024;

/// One key was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The commit that wrote it.
    pub revision: Revision,
    /// The key.
    pub key: String,
    /// What happened to it.
    pub change: Change,
}

/// What happened to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It now holds this value.
    Put(Vec<u8>),
    /// It is gone.
    Deleted,
}

/// A stream of events. Drop it to stop watching.
#[derive(Debug)]
pub struct Watch {
    events: Receiver<Event>,
}

/// Why no event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEvent {
    /// Nothing happened in the given time.
    #[error("no event yet")]
    Timeout,
    /// The watch is over: the store was closed or the reader fell behind. List and watch again.
    #[error("watch ended")]
    Ended,
}

impl Watch {
    /// The next event, waiting at most `patience`.
    pub fn next(&self, patience: Duration) -> Result<Event, NoEvent> {
        self.events.recv_timeout(patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => NoEvent::Timeout,
            RecvTimeoutError::Disconnected => NoEvent::Ended,
        })
    }
}

/// Those who watch one backend.
#[derive(Default, Debug)]
pub(crate) struct Watchers(Vec<(String, SyncSender<Event>)>);

impl Watchers {
    pub(crate) fn add(&mut self, prefix: &str) -> Watch {
        let (sender, events) = sync_channel(QUEUE);
        self.0.push((prefix.to_owned(), sender));
        Watch { events }
    }

    /// Tells what `revision` wrote; forgets those who left or fell behind.
    pub(crate) fn tell(&mut self, revision: Revision, writes: &[Write]) {
        self.0.retain(|(prefix, sender)| {
            let mine = writes.iter().filter(|write| write.key().starts_with(prefix.as_str()));
            mine.map(|write| event(revision, write)).all(|event| sender.try_send(event).is_ok())
        });
    }
}

fn event(revision: Revision, write: &Write) -> Event {
    let (key, change) = match write {
        Write::Put(key, value) => (key, Change::Put(value.clone())),
        Write::Delete(key) => (key, Change::Deleted),
    };
    Event { revision, key: key.clone(), change }
}
