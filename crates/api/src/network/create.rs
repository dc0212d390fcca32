//! `POST /networks/create`.

use axum::extract::State;
use hawser_engine::spec::NetworkCreate;
use serde_json::json;

use crate::Shared;
use crate::answer;
use crate::body::Json;
use crate::error::Result;

pub async fn handle(State(engine): Shared, body: Json<NetworkCreate>) -> Result {
    let created = engine.network_create(body.required()?).await?;
    Ok(answer::created(&json!({"Id": created.id, "Warning": created.warning})))
}
