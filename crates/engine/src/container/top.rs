//! `top`.

use crate::Engine;
use crate::error::Result;

/// Processes of a container as `ps` shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Top {
    /// Names of the columns.
    pub titles: Vec<String>,
    /// One row per process.
    pub processes: Vec<Vec<String>>,
}

impl Engine {
    /// Lists the processes of a running container; `ps_args` as of ps (`-ef` if empty).
    ///
    /// # Errors
    /// NotFound, Conflict if it does not run, System if `ps` fails.
    pub async fn container_top(&self, reference: &str, ps_args: &str) -> Result<Top> {
        let _ = (reference, ps_args);
        todo!()
    }
}
