//! Paths of the engine itself: ping, version, info, events, disk usage.
//!
//! In: requests. Out: one call of the engine each, and its answer in Docker's form.

mod auth;
mod df;
mod events;
mod info;
mod ping;
mod version;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use hawser_engine::Engine;

/// Paths of the engine.
pub fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/_ping", get(ping::handle))
        .route("/auth", post(auth::handle))
        .route("/events", get(events::handle))
        .route("/info", get(info::handle))
        .route("/system/df", get(df::handle))
        .route("/version", get(version::handle))
}
