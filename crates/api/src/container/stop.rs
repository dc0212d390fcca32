//! `POST /containers/{name}/stop`.

use axum::extract::{Path, State};
use hawser_engine::container::StopOptions;

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    engine.container_stop(&name, options(&query)?).await?;
    Ok(answer::no_content())
}

/// Signal and seconds of grace; also of `restart`.
pub fn options(query: &Query) -> Result<StopOptions> {
    Ok(StopOptions { signal: query.string("signal"), timeout: query.number("t")? })
}
