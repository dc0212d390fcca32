//! `DELETE /images/{name}`.

use axum::extract::{Path, State};
use hawser_engine::image::Removed;
use serde_json::{Value, json};

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    let removed = engine.image_remove(&name, query.bool("force")).await?;
    Ok(answer::ok(&encode(&removed)))
}

/// What was done, in order; also of `prune`.
pub fn encode(removed: &[Removed]) -> Vec<Value> {
    let one = |step: &Removed| match step {
        Removed::Untagged(name) => json!({"Untagged": name}),
        Removed::Deleted(id) => json!({"Deleted": id}),
    };
    removed.iter().map(one).collect()
}
