//! `POST /images/{name}/tag`.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::StatusCode;

use crate::Shared;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    let repo = query.word("repo").unwrap_or_default();
    let target = match query.word("tag") {
        Some(tag) => format!("{repo}:{tag}"),
        None => repo.to_owned(),
    };
    engine.image_tag(&name, &target).await?;
    Ok(StatusCode::CREATED.into_response())
}
