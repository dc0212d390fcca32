//! Paths of containers; one file per verb, and one for each shape that they are shown in.
//!
//! In: requests. Out: one call of the engine each, and its answer in Docker's form.

mod attach;
mod create;
mod inspect;
mod kill;
mod list;
mod logs;
mod pause;
mod prune;
mod remove;
mod rename;
mod resize;
mod restart;
mod settings;
mod start;
mod state;
mod stats;
mod stop;
mod top;
mod wait;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};
use hawser_engine::Engine;

pub use create::Body as CreateBody;
pub use list::Summary;
pub use resize::size;

/// Paths of containers.
pub fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/containers/create", post(create::handle))
        .route("/containers/json", get(list::handle))
        .route("/containers/prune", post(prune::handle))
        .route("/containers/{name}", delete(remove::handle))
        .route("/containers/{name}/attach", post(attach::handle))
        .route("/containers/{name}/json", get(inspect::handle))
        .route("/containers/{name}/kill", post(kill::handle))
        .route("/containers/{name}/logs", get(logs::handle))
        .route("/containers/{name}/pause", post(pause::pause))
        .route("/containers/{name}/rename", post(rename::handle))
        .route("/containers/{name}/resize", post(resize::handle))
        .route("/containers/{name}/restart", post(restart::handle))
        .route("/containers/{name}/start", post(start::handle))
        .route("/containers/{name}/stats", get(stats::handle))
        .route("/containers/{name}/stop", post(stop::handle))
        .route("/containers/{name}/top", get(top::handle))
        .route("/containers/{name}/unpause", post(pause::unpause))
        .route("/containers/{name}/wait", post(wait::handle))
}
