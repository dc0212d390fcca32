//! `POST /containers/prune`.

use axum::extract::State;
use serde_json::json;

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, query: Query) -> Result {
    let pruned = engine.container_prune(&query.filters()?).await?;
    let deleted = (!pruned.deleted.is_empty()).then_some(pruned.deleted);
    Ok(answer::ok(&json!({
        "ContainersDeleted": deleted,
        "SpaceReclaimed": pruned.space_reclaimed,
    })))
}
