//! `POST /hawser/networks/plan`: what `network create` would do to the host.

use axum::extract::State;
use hawser_engine::spec::NetworkCreate;

use super::commands;
use crate::Shared;
use crate::body::Json;
use crate::error::Result;

pub async fn handle(State(engine): Shared, body: Json<NetworkCreate>) -> Result {
    Ok(commands(&engine.network_plan(body.required()?).await?))
}
