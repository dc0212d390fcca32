//! Volumes: this engine has none yet; the answers are those of an engine without volumes.
//!
//! In: requests for volumes. Out: empty lists, "no such volume", and a refusal to make one.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use hawser_engine::Engine;
use http::StatusCode;
use serde_json::json;

use crate::answer;
use crate::error::ApiError;

/// Paths of volumes.
pub fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/volumes", get(list))
        .route("/volumes/create", post(create))
        .route("/volumes/prune", post(prune))
        .route("/volumes/{name}", get(missing).delete(missing))
}

async fn list() -> Response {
    answer::ok(&json!({"Volumes": [], "Warnings": null}))
}

async fn create() -> ApiError {
    ApiError::not_implemented("volumes: not something that this version of hawser does")
}

async fn prune() -> Response {
    answer::ok(&json!({"VolumesDeleted": [], "SpaceReclaimed": 0}))
}

async fn missing(Path(name): Path<String>) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, format!("get {name}: no such volume"))
}
