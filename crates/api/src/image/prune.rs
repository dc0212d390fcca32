//! `POST /images/prune`.

use axum::extract::State;
use serde_json::json;

use super::remove::encode;
use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, query: Query) -> Result {
    let pruned = engine.image_prune(&query.filters()?).await?;
    let deleted = (!pruned.removed.is_empty()).then(|| encode(&pruned.removed));
    Ok(answer::ok(&json!({
        "ImagesDeleted": deleted,
        "SpaceReclaimed": pruned.space_reclaimed,
    })))
}
