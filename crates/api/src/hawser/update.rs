//! `POST /hawser/networks/{name}/update`.

use axum::extract::{Path, State};
use hawser_engine::spec::NetworkUpdate;

use super::commands;
use crate::Shared;
use crate::body::Json;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(
    State(engine): Shared,
    Path(name): Path<String>,
    query: Query,
    body: Json<NetworkUpdate>,
) -> Result {
    let update = body.required()?;
    let lines = match query.bool("dryRun") {
        true => engine.network_update_plan(&name, update).await?,
        false => engine.network_update(&name, update).await?,
    };
    Ok(commands(&lines))
}
