//! Paths of execs: further processes in running containers; one file per verb.
//!
//! In: requests. Out: one call of the engine each, and its answer in Docker's form.

mod create;
mod inspect;
mod resize;
mod start;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use hawser_engine::Engine;

/// Paths of execs.
pub fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/containers/{name}/exec", post(create::handle))
        .route("/exec/{id}/json", get(inspect::handle))
        .route("/exec/{id}/resize", post(resize::handle))
        .route("/exec/{id}/start", post(start::handle))
}
