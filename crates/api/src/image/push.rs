//! `POST /images/{name}/push`.

use axum::extract::{Path, State};
use http::HeaderMap;

use super::progress;
use crate::Shared;
use crate::credentials;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(
    State(engine): Shared,
    Path(name): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Result {
    let who = credentials::of_header(&headers)?;
    let name = match query.word("tag") {
        Some(tag) => format!("{name}:{tag}"),
        None => name,
    };
    Ok(progress::respond(engine.image_push(&name, who).await?))
}
