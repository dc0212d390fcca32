//! `POST /exec/{id}/resize`.

use axum::extract::{Path, State};

use crate::Shared;
use crate::answer;
use crate::container;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(id): Path<String>, query: Query) -> Result {
    let (height, width) = container::size(&query)?;
    engine.exec_resize(&id, height, width).await?;
    Ok(answer::done())
}
