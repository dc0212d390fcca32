//! The only `unsafe` of this crate: calls whose rules the compiler cannot check.
//!
//! They are thin; whoever calls them need not know anything but what their documentation says.
#![expect(unsafe_code, reason = "calls that have no safe form; see each SAFETY note")]

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::Signal;
use rustix::thread::UnshareFlags;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Gives the calling thread a mount namespace, a root and working directory, and a table of file descriptors
/// of its own. From here on a descriptor that the thread opens or closes is open or closed *for it alone*:
/// owned descriptors of other threads must be borrowed, never dropped, by it.
pub(crate) fn unshare_mounts_and_files() -> io::Result<()> {
    let flags = UnshareFlags::NEWNS | UnshareFlags::FS | UnshareFlags::FILES;
    // SAFETY: the only hazard is FILES: descriptors would be closed here and stay open elsewhere, or the
    // reverse. The callers pass what they own back to a thread with the common table.
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(Into::into)
}

/// Gives the calling thread a mount namespace, and a root and working directory of its own.
pub(crate) fn unshare_mounts() -> io::Result<()> {
    // SAFETY: without FILES nothing that Rust relies on becomes different between threads.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS | UnshareFlags::FS) }
        .map_err(Into::into)
}

/// Registers a descriptor with the reactor.
pub(crate) fn watch(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` stays the same open descriptor until it is dropped, and the `AsyncFd` owns it.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(|error| error.into_parts().1)
}

/// The signal of this number, real-time ones included; none for a number that is no signal, or is one of the two
/// that the C library keeps for itself.
pub(crate) fn signal(number: i32) -> Option<Signal> {
    // SAFETY: the value is only ever sent to other programs; this process neither blocks nor handles it.
    matches!(number, 1..=31 | 34..=64).then(|| unsafe { Signal::from_raw_unchecked(number) })
}
