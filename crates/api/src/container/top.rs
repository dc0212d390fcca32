//! `GET /containers/{name}/top`.

use axum::extract::{Path, State};
use serde_json::json;

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    let top = engine.container_top(&name, query.word("ps_args").unwrap_or_default()).await?;
    Ok(answer::ok(&json!({"Processes": top.processes, "Titles": top.titles})))
}
