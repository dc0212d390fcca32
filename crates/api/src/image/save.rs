//! `GET /images/{name}/get` and `GET /images/get?names=…`: images as an archive.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use hawser_engine::Engine;
use http::{HeaderValue, header};

use crate::Shared;
use crate::error::{ApiError, Result};
use crate::query::Query;
use crate::stream;

pub async fn one(State(engine): Shared, Path(name): Path<String>) -> Result {
    save(engine, vec![name]).await
}

pub async fn many(State(engine): Shared, query: Query) -> Result {
    let names: Vec<String> = query.all("names").map(str::to_owned).collect();
    if names.is_empty() {
        return Err(ApiError::bad_request("no image names given"));
    }
    save(engine, names).await
}

async fn save(engine: Arc<Engine>, names: Vec<String>) -> Result {
    // Names that are wrong are told before the head of the answer says that all is well.
    for name in &names {
        engine.image_inspect(name).await?;
    }
    let (out, failure, body) = stream::writer();
    tokio::spawn(async move {
        if let Err(error) = engine.image_save(names, out).await {
            tracing::warn!(%error, "cannot save images");
            failure.tell(error).await;
        }
    });
    let mut response = Response::new(body);
    let tar = HeaderValue::from_static("application/x-tar");
    response.headers_mut().insert(header::CONTENT_TYPE, tar);
    Ok(response)
}
