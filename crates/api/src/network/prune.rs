//! `POST /networks/prune`.

use axum::extract::State;
use serde_json::json;

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, query: Query) -> Result {
    let deleted = engine.network_prune(&query.filters()?).await?;
    Ok(answer::ok(&json!({"NetworksDeleted": (!deleted.is_empty()).then_some(deleted)})))
}
