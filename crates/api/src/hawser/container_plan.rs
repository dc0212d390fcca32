//! `POST /hawser/containers/plan`: what `run` would do to the host's network.

use axum::extract::State;

use super::commands;
use crate::Shared;
use crate::body::Json;
use crate::container::CreateBody;
use crate::error::Result;
use crate::query::Query;
use crate::version::ApiVersion;

pub async fn handle(
    State(engine): Shared,
    version: ApiVersion,
    query: Query,
    body: Json<CreateBody>,
) -> Result {
    let (request, _) = CreateBody::request(body, &query, version)?;
    Ok(commands(&engine.container_plan(request).await?))
}
