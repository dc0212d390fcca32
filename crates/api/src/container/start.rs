//! `POST /containers/{name}/start`.

use axum::extract::{Path, State};

use crate::Shared;
use crate::answer;
use crate::error::Result;

pub async fn handle(State(engine): Shared, Path(name): Path<String>) -> Result {
    engine.container_start(&name).await?;
    Ok(answer::no_content())
}
