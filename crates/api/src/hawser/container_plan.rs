//! `POST /hawser/containers/plan`: what `run` would do to the host's network.

use axum::extract::State;

use super::commands;
use crate::Shared;
use crate::body::Json;
use crate::container::CreateBody;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, query: Query, body: Json<CreateBody>) -> Result {
    let request = CreateBody::request(body, &query)?;
    Ok(commands(&engine.container_plan(request).await?))
}
