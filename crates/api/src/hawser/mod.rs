//! Paths of our own, beside Docker's, below `/hawser/`; one file per verb. `docs/api.md` describes them.
//!
//! In: requests. Out: one call of the engine each. Commands come as
//! `{"Commands": ["ip link …", …]}`, one line of a shell each, in order.

mod container_plan;
mod dns;
mod explain;
mod metrics;
mod network_plan;
mod ports;
mod rename;
mod update;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use hawser_engine::Engine;
use serde_json::json;

use crate::answer;

/// Paths of our own.
pub fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/hawser/containers/plan", post(container_plan::handle))
        .route("/hawser/containers/{name}/dns", get(dns::handle))
        .route("/hawser/explain/{term}", get(explain::handle))
        .route("/hawser/metrics", get(metrics::handle))
        .route("/hawser/networks/plan", post(network_plan::handle))
        .route("/hawser/ports", get(ports::handle))
        .route("/hawser/networks/{name}/rename", post(rename::handle))
        .route("/hawser/networks/{name}/update", post(update::handle))
}

/// `/metrics` alone, as Prometheus looks for it.
pub fn metrics() -> Router<Arc<Engine>> {
    Router::new().route("/metrics", get(metrics::handle))
}

/// 200 with commands.
fn commands(lines: &[String]) -> Response {
    answer::ok(&json!({"Commands": lines}))
}
