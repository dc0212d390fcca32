//! `POST /networks/{name}/connect`.

use axum::extract::{Path, State};
use hawser_engine::spec::EndpointSettings;
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
    endpoint_config: Option<EndpointSettings>,
}

pub async fn handle(State(engine): Shared, Path(name): Path<String>, body: Json<Body>) -> Result {
    let body = body.required()?;
    let settings = body.endpoint_config.unwrap_or_default();
    engine.network_connect(&name, &body.container, settings).await?;
    Ok(answer::done())
}
