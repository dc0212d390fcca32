//! `pull`: not yet.

use std::sync::Arc;

use crate::Engine;
use crate::error::{Error, Kind, Result};

impl Engine {
    /// Refused: pulling comes with a later release.
    ///
    /// # Errors
    /// Always NotImplemented.
    pub async fn image_pull(self: &Arc<Self>, reference: &str) -> Result<()> {
        Err(Error::new(
            Kind::NotImplemented,
            format!(
                "cannot pull {reference}: pulling images comes with a later release; use \
                 `hawser load` or `hawser import`"
            ),
        ))
    }
}
