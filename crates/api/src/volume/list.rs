//! `GET /volumes`.

use axum::extract::State;
use serde_json::{Value, json};

use super::view;
use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, query: Query) -> Result {
    let volumes = engine.volume_list(&query.filters()?).await?;
    let volumes: Vec<Value> = volumes.iter().map(view::volume).collect();
    Ok(answer::ok(&json!({"Volumes": volumes, "Warnings": null})))
}
