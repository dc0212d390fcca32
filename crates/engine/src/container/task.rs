//! Work that goes on when the client that asked for it goes away.
//!
//! The edge drops a verb's future when its connection breaks. What has begun on a container must
//! come to its end, or back, all the same.

use std::future::Future;

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::engine::system;
use crate::error::Result;

/// Runs work to its end, whether or not the caller waits for it.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(e) => Err(system("a task of the engine ended early", e)),
    }
}

/// Runs short blocking work where it stands, letting other tasks go on elsewhere meanwhile.
pub(crate) fn in_place<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
