//! Paths of volumes; one file per verb.
//!
//! In: requests. Out: one call of the engine each, and its answer in Docker's form.

mod create;
mod inspect;
mod list;
mod prune;
mod remove;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use hawser_engine::Engine;

pub use view::with_usage;

/// Paths of volumes.
pub fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/volumes", get(list::handle))
        .route("/volumes/create", post(create::handle))
        .route("/volumes/prune", post(prune::handle))
        .route("/volumes/{name}", get(inspect::handle).delete(remove::handle))
}
