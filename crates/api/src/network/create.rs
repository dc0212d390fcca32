//! `POST /networks/create`.

use axum::extract::State;
use hawser_engine::spec::NetworkCreate;
use serde_json::json;

use crate::Shared;
use crate::answer;
use crate::body::Json;
use crate::error::Result;
use crate::version::ApiVersion;

pub async fn handle(
    State(engine): Shared,
    version: ApiVersion,
    body: Json<NetworkCreate>,
) -> Result {
    let mut request = body.required()?;
    if version.before(48) {
        // The field is younger than these clients.
        request.enable_ipv4 = None;
    }
    let created = engine.network_create(request).await?;
    Ok(answer::created(&json!({"Id": created.id, "Warning": created.warning})))
}
