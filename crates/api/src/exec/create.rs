//! `POST /containers/{name}/exec`.

use axum::extract::{Path, State};
use hawser_engine::spec::ExecConfig;
use serde_json::json;

use crate::Shared;
use crate::answer;
use crate::body::Json;
use crate::error::Result;

pub async fn handle(
    State(engine): Shared,
    Path(name): Path<String>,
    body: Json<ExecConfig>,
) -> Result {
    let id = engine.exec_create(&name, body.required()?).await?;
    Ok(answer::created(&json!({"Id": id})))
}
