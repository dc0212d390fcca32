//! `DELETE /volumes/{name}`.

use axum::extract::{Path, State};

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    engine.volume_remove(&name, query.bool("force")).await?;
    Ok(answer::no_content())
}
