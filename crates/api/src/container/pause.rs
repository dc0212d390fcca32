//! `POST /containers/{name}/pause` and `…/unpause`.

use axum::extract::{Path, State};

use crate::Shared;
use crate::answer;
use crate::error::Result;

pub async fn pause(State(engine): Shared, Path(name): Path<String>) -> Result {
    engine.container_pause(&name).await?;
    Ok(answer::no_content())
}

pub async fn unpause(State(engine): Shared, Path(name): Path<String>) -> Result {
    engine.container_unpause(&name).await?;
    Ok(answer::no_content())
}
