//! `POST /containers/{name}/restart`.

use axum::extract::{Path, State};

use super::stop::options;
use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    engine.container_restart(&name, options(&query)?).await?;
    Ok(answer::no_content())
}
