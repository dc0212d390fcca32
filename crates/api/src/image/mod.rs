//! Paths of images; one file per verb.
//!
//! In: requests and archives. Out: one call of the engine each, and its answer in Docker's form.

mod create;
mod distribution;
mod history;
mod inspect;
mod list;
mod load;
mod progress;
mod prune;
mod push;
mod remove;
mod save;
mod tag;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};
use hawser_engine::Engine;

pub use list::Summary;

/// Paths of images.
pub fn routes() -> Router<Arc<Engine>> {
    // Archives have no bound: they are read piece by piece, never held in memory.
    let archives = Router::new()
        .route("/images/create", post(create::handle))
        .route("/images/load", post(load::handle))
        .layer(DefaultBodyLimit::disable());
    Router::new()
        .merge(archives)
        .route("/distribution/{name}/json", get(distribution::handle))
        .route("/images/get", get(save::many))
        .route("/images/json", get(list::handle))
        .route("/images/prune", post(prune::handle))
        .route("/images/{name}", delete(remove::handle))
        .route("/images/{name}/get", get(save::one))
        .route("/images/{name}/history", get(history::handle))
        .route("/images/{name}/push", post(push::handle))
        .route("/images/{name}/json", get(inspect::handle))
        .route("/images/{name}/tag", post(tag::handle))
}
