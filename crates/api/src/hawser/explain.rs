//! `GET /hawser/explain/{term}`: how a person would build a container's or network's part of the host.

use axum::extract::{Path, State};
use serde_json::json;

use crate::Shared;
use crate::answer;
use crate::error::Result;

pub async fn handle(State(engine): Shared, Path(term): Path<String>) -> Result {
    let it = engine.explain(&term).await?;
    Ok(answer::ok(&json!({"Kind": it.kind, "Name": it.name, "Commands": it.commands})))
}
