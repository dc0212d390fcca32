//! Waiting for a log to grow.
//!
//! In: the log's path and the container that fills it. Out: whether to read on.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::container::Container;
use crate::raw;

/// A log that may grow.
#[derive(Debug)]
pub(super) struct Follow {
    changes: AsyncFd<OwnedFd>,
    container: Arc<Container>,
    /// Set when the container has ended: what is there now is all there will be.
    last: bool,
}

impl Follow {
    pub(super) fn new(path: &Path, container: Arc<Container>) -> io::Result<Self> {
        let fd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        inotify::add_watch(&fd, path, WatchFlags::MODIFY)?;
        Ok(Self { changes: raw::watch(fd, Interest::READABLE)?, container, last: false })
    }

    /// Waits until there can be more to read; false when there never will, or `until` is over.
    pub(super) async fn wait(&mut self, until: Option<SystemTime>) -> io::Result<bool> {
        if self.last {
            return Ok(false);
        }
        let left = until.map(|until| until.duration_since(SystemTime::now()).unwrap_or_default());
        let over = async {
            match left {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        // The events themselves say nothing that the next read does not.
        let mut events = [0; 1024];
        let read = |fd: &OwnedFd| Ok(rustix::io::read(fd, &mut events)?);
        tokio::select! {
            changed = self.changes.async_io(Interest::READABLE, read) => changed.map(|_| true),
            () = over => Ok(false),
            exit = self.container.wait() => {
                self.last = true;
                exit.map(|_| true)
            }
        }
    }
}
