//! `DELETE /containers/{name}`.

use axum::extract::{Path, State};
use hawser_engine::container::RemoveOptions;

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    let options = RemoveOptions {
        force: query.bool("force"),
        volumes: query.bool("v"),
        link: query.bool("link"),
    };
    engine.container_remove(&name, options).await?;
    Ok(answer::no_content())
}
