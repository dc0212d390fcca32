//! How often, and after how long, a request is tried again.
//!
//! In: failures. Out: patience, or the failure when it is of the lasting kind or one too many.

use std::future::Future;
use std::time::Duration;

use crate::error::{Error, Result};

/// As often as Docker.
const ATTEMPTS: u32 = 5;
const FIRST: Duration = Duration::from_millis(500);
/// A registry that wants to be left alone for longer gets what it wants: the request fails.
const LONGEST: Duration = Duration::from_secs(60);

/// Tries that are left.
#[derive(Debug)]
pub struct Backoff {
    left: u32,
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { left: ATTEMPTS - 1, next: FIRST }
    }
}

impl Backoff {
    /// How long to wait after this failure.
    ///
    /// # Errors
    /// The failure itself if trying again is of no use.
    pub fn after(&mut self, error: Error) -> Result<Duration> {
        let asked = match &error {
            Error::Busy { after, .. } => after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        if !error.is_transient() || self.left == 0 || asked > LONGEST {
            return Err(error);
        }
        self.left -= 1;
        let wait = self.next.max(asked);
        self.next *= 2;
        Ok(wait)
    }

    /// Starts anew: something was achieved.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Does `work` until it succeeds or there is no point in it any more.
pub(crate) async fn retrying<T, F>(work: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut backoff = Backoff::default();
    loop {
        match work().await {
            Err(error) => tokio::time::sleep(backoff.after(error)?).await,
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(seconds: u64) -> Error {
        let after = Some(Duration::from_secs(seconds));
        Error::Busy { message: "slow down".to_owned(), after }
    }

    #[test]
    fn waits_grow_and_end() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = std::iter::from_fn(|| backoff.after(busy(0)).ok())
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waits, [500, 1000, 2000, 4000]);
        backoff.reset();
        assert_eq!(backoff.after(busy(7)).unwrap().as_secs(), 7);
        assert!(backoff.after(busy(61)).is_err(), "that is too long");
        assert!(Backoff::default().after(Error::NotFound(String::new())).is_err());
    }
}
