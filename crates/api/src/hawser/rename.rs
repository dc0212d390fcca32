//! `POST /hawser/networks/{name}/rename`.

use axum::extract::{Path, State};

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    engine.network_rename(&name, query.word("name").unwrap_or_default()).await?;
    Ok(answer::no_content())
}
