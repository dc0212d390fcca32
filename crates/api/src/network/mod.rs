//! Paths of networks; one file per verb.
//!
//! In: requests. Out: one call of the engine each, and its answer in Docker's form.

mod connect;
mod create;
mod disconnect;
mod inspect;
mod list;
mod prune;
mod remove;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use hawser_engine::Engine;

/// Paths of networks.
pub fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/networks", get(list::handle))
        .route("/networks/", get(list::handle))
        .route("/networks/create", post(create::handle))
        .route("/networks/prune", post(prune::handle))
        .route("/networks/{name}", get(inspect::handle).delete(remove::handle))
        .route("/networks/{name}/connect", post(connect::handle))
        .route("/networks/{name}/disconnect", post(disconnect::handle))
}
