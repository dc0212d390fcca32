//! Waiting for what happens soon: polls a condition until it holds or a time is over.
//!
//! In: a closure; out: its value, or a panic that says what was waited for. No sleeping for a
//! guessed time anywhere else.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Polls `probe` until it gives a value, for at most 10 seconds.
///
/// # Panics
/// When the time is over; `what` is in the message.
pub fn eventually<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    eventually_within(Duration::from_secs(10), what, probe)
}

/// Polls `probe` until it gives a value, for at most `limit`.
///
/// # Panics
/// When the time is over; `what` is in the message.
pub fn eventually_within<T>(
    limit: Duration,
    what: &str,
    mut probe: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain: {what}");
        sleep(Duration::from_millis(20));
    }
}
