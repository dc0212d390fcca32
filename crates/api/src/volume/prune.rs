//! `POST /volumes/prune`.

use axum::extract::State;
use serde_json::json;

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;
use crate::version::ApiVersion;

pub async fn handle(State(engine): Shared, query: Query, version: ApiVersion) -> Result {
    // Named ones went, too, until API 1.42.
    let pruned = engine.volume_prune(&query.filters()?, version.before(42)).await?;
    Ok(answer::ok(&json!({
        "VolumesDeleted": pruned.deleted,
        "SpaceReclaimed": pruned.space_reclaimed,
    })))
}
