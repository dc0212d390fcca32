//! `GET /distribution/{name}/json`.

use axum::extract::{Path, State};
use http::HeaderMap;
use serde_json::json;

use crate::Shared;
use crate::answer;
use crate::credentials;
use crate::error::Result;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, headers: HeaderMap) -> Result {
    let view = engine.image_remote(&name, &credentials::of_header(&headers)?).await?;
    let descriptor =
        json!({"mediaType": view.media_type, "digest": view.digest, "size": view.size});
    Ok(answer::ok(&json!({"Descriptor": descriptor, "Platforms": view.platforms})))
}
