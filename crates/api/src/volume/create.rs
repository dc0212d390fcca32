//! `POST /volumes/create`.

use std::collections::BTreeMap;

use axum::extract::State;
use hawser_engine::volume::CreateVolume;
use serde::Deserialize;

use super::view;
use crate::Shared;
use crate::answer;
use crate::body::Json;
use crate::error::{ApiError, Result};

/// A volume asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
pub struct Body {
    name: Option<String>,
    driver: Option<String>,
    driver_opts: Option<BTreeMap<String, String>>,
    labels: Option<BTreeMap<String, String>>,
    cluster_volume_spec: Option<serde_json::Value>,
}

pub async fn handle(State(engine): Shared, body: Json<Body>) -> Result {
    let Body { name, driver, driver_opts, labels, cluster_volume_spec } =
        body.0.unwrap_or_default();
    if cluster_volume_spec.is_some() {
        return Err(ApiError::not_implemented("volumes of a cluster: there is no swarm"));
    }
    let request = CreateVolume {
        name: name.unwrap_or_default(),
        driver: driver.unwrap_or_default(),
        labels: labels.unwrap_or_default(),
        options: driver_opts.unwrap_or_default(),
    };
    Ok(answer::created(&view::volume(&engine.volume_create(request).await?)))
}
