//! `POST /containers/{name}/kill`.

use axum::extract::{Path, State};

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    engine.container_kill(&name, query.word("signal")).await?;
    Ok(answer::no_content())
}
