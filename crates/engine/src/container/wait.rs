//! `wait`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::Engine;
use crate::error::Result;

/// What to wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitCondition {
    /// That it does not run; at once if it does not.
    #[default]
    NotRunning,
    /// Its next exit, even if it does not run yet.
    NextExit,
    /// That it is removed.
    Removed,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitOutcome {
    /// Exit code.
    pub code: i64,
    /// Why waiting failed (a removal that failed).
    pub error: Option<String>,
}

/// The end that is waited for.
pub type WaitFuture = Pin<Box<dyn Future<Output = Result<WaitOutcome>> + Send>>;

impl Engine {
    /// Begins to wait: when this returns the future is registered and misses nothing.
    ///
    /// # Errors
    /// NotFound.
    pub async fn container_wait(self: &Arc<Self>, reference: &str, condition: WaitCondition) -> Result<WaitFuture> {
        let _ = (reference, condition);
        todo!()
    }
}
