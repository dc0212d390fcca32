//! Images: the verbs of crate `images`, made asynchronous, with their events; pulls and pushes, which
//! put it and crate `registry` together.
//!
//! In: references, archives. Out: images and what was done, in those crates' types. How images are
//! kept is none of its business; who uses them is.

mod distribution;
mod download;
mod list;
mod load;
mod login;
mod progress;
mod prune;
mod pull;
mod push;
mod registry;
mod remove;
mod save;
mod tag;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use hawser_images::{Image, ImportOptions, Loaded, Removed};

pub use distribution::RemoteView;
pub use hawser_registry::Credentials;
pub use list::ImageView;
pub use progress::{Step, Transfer};
pub use prune::ImagesPruned;
pub use pull::PullRequest;
pub(crate) use registry::Registry;

use crate::Engine;
use crate::error::{Error, Kind, Result};

impl From<hawser_images::Error> for Error {
    fn from(error: hawser_images::Error) -> Self {
        let kind = match error.kind() {
            hawser_images::Kind::NotFound => Kind::NotFound,
            hawser_images::Kind::Conflict => Kind::Conflict,
            hawser_images::Kind::InvalidParameter => Kind::Invalid,
            hawser_images::Kind::System => Kind::System,
        };
        match kind {
            // The system's own words are in the cause.
            Kind::System => Self::caused(kind, "images", error),
            _ => Self::new(kind, error.to_string()),
        }
    }
}

impl Engine {
    /// The image of a name, id or unique id prefix; its history is in its configuration.
    ///
    /// # Errors
    /// NotFound, Invalid for a malformed reference.
    pub async fn image_inspect(self: &Arc<Self>, reference: &str) -> Result<Image> {
        Ok(self.images.resolve(reference)?)
    }
}

/// Tells an event of an image.
fn image_event(engine: &Engine, action: &str, id: &str, name: &str) {
    let attributes = BTreeMap::from([("name".to_owned(), name.to_owned())]);
    engine.events.publish("image", action, id, attributes);
}

/// Tells an event of an image that went from or to a registry.
fn transfer_event(engine: &Engine, action: &str, name: &hawser_images::Reference) {
    image_event(engine, action, &name.familiar(), &name.familiar_name());
}
