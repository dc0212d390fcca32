//! `GET /networks/{name}`.

use axum::extract::{Path, State};
use http::StatusCode;

use super::view::Network;
use crate::Shared;
use crate::answer;
use crate::error::{ApiError, Result};
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    verbose(&query)?;
    let details = engine.network_inspect(&name)?;
    if query.word("scope").is_some_and(|scope| scope != details.scope) {
        return Err(ApiError::new(StatusCode::NOT_FOUND, format!("network {name} not found")));
    }
    Ok(answer::ok(&Network::inspected(&details)))
}

/// Services are what a verbose answer would add, and those need a swarm; but what is no yes or no
/// is refused as Docker does.
fn verbose(query: &Query) -> Result<()> {
    let yes_or_no =
        ["1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"];
    match query.word("verbose") {
        Some(word) if !yes_or_no.contains(&word) => Err(ApiError::bad_request(format!(
            "invalid value for verbose: {word}: strconv.ParseBool: parsing {word:?}: invalid syntax"
        ))),
        _ => Ok(()),
    }
}
