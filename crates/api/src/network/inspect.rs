//! `GET /networks/{name}`.

use axum::extract::{Path, State};
use http::StatusCode;

use super::view::Network;
use crate::Shared;
use crate::answer;
use crate::error::{ApiError, Result};
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    let details = engine.network_inspect(&name)?;
    if query.word("scope").is_some_and(|scope| scope != details.scope) {
        return Err(ApiError::new(StatusCode::NOT_FOUND, format!("network {name} not found")));
    }
    Ok(answer::ok(&Network::new(&details)))
}
