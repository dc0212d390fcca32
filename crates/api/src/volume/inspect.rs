//! `GET /volumes/{name}`.

use axum::extract::{Path, State};

use super::view;
use crate::Shared;
use crate::answer;
use crate::error::Result;

pub async fn handle(State(engine): Shared, Path(name): Path<String>) -> Result {
    Ok(answer::ok(&view::volume(&engine.volume_inspect(&name).await?)))
}
