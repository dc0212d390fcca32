//! A process that is told from a later one with the same number.
//!
//! In: a pid. Out: a [`ProcessId`] to store, and a pidfd to wait on and to signal. It starts nothing.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal};
use serde::{Deserialize, Serialize};
use tokio::io::Interest;

use crate::raw;

/// A process: its number and when it started, so that a reused number is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number in the daemon's pid namespace.
    pub pid: i32,
    /// Clock ticks from boot to its start (field 22 of `/proc/<pid>/stat`).
    pub start: u64,
}

impl ProcessId {
    /// The process that has this number now.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(pid: i32) -> io::Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let start = start_time(&stat)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unreadable /proc stat"))?;
        Ok(Self { pid, start })
    }

    /// A handle on the process, which may have ended but is not yet reaped.
    ///
    /// # Errors
    /// `NotFound` when it is gone, also when its number is another's now.
    pub fn open(&self) -> io::Result<OwnedFd> {
        let pid = Pid::from_raw(self.pid).ok_or(io::ErrorKind::NotFound)?;
        let gone = |_| io::Error::from(io::ErrorKind::NotFound);
        let fd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(gone)?;
        // Only now: what holds the number cannot change any more without the handle saying so.
        match Self::of(self.pid) {
            Ok(now) if now == *self => Ok(fd),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Whether it runs: a zombie does not.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.open().is_ok_and(|fd| !has_ended(&fd))
    }
}

/// Field 22 of a `stat` line. The second field is a name that may hold blanks and brackets.
fn start_time(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Whether the process behind the pidfd has ended.
pub(crate) fn has_ended(pidfd: &OwnedFd) -> bool {
    let mut poll = [rustix::event::PollFd::new(pidfd, rustix::event::PollFlags::IN)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut poll, Some(&now)).is_ok_and(|ready| ready > 0)
}

/// Waits until the process behind the pidfd has ended.
pub(crate) async fn ended(pidfd: &OwnedFd) -> io::Result<()> {
    // A copy: one descriptor can be registered with the reactor once only, and many may wait.
    let fd = raw::watch(pidfd.try_clone()?, Interest::READABLE)?;
    fd.readable().await.map(|_| ())
}

/// Sends a signal; a process that has ended is not an error.
pub(crate) fn signal(pidfd: &OwnedFd, signal: Signal) -> io::Result<()> {
    match rustix::process::pidfd_send_signal(pidfd, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_brackets_does_not_shift_the_fields() {
        let fields: Vec<String> = (3..=22).map(|n| n.to_string()).collect();
        let stat = format!("7 (a b) c) {}", fields.join(" "));
        assert_eq!(start_time(&stat), Some(22));
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let me = ProcessId::of(std::process::id().cast_signed()).unwrap();
        assert!(me.is_alive());
        assert!(!ProcessId { start: me.start + 1, ..me }.is_alive());
    }
}
