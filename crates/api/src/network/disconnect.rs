//! `POST /networks/{name}/disconnect`.

use axum::extract::{Path, State};
use serde::Deserialize;

use crate::Shared;
use crate::answer;
use crate::body::Json;
use crate::error::Result;

/// The body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Body {
    #[serde(default)]
    container: String,
    #[serde(default)]
    force: bool,
}

pub async fn handle(State(engine): Shared, Path(name): Path<String>, body: Json<Body>) -> Result {
    let body = body.required()?;
    engine.network_disconnect(&name, &body.container, body.force).await?;
    Ok(answer::done())
}
