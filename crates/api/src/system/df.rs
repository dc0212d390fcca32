//! `GET /system/df`: what takes place on the disk.

use std::collections::BTreeMap;

use axum::extract::State;
use hawser_engine::container::ListContainers;
use hawser_engine::filters::Filters;
use serde_json::{Map, Value, json};

use crate::Shared;
use crate::answer;
use crate::container;
use crate::error::Result;
use crate::image;
use crate::query::Query;
use crate::version::ApiVersion;
use crate::volume;

pub async fn handle(State(engine): Shared, query: Query, version: ApiVersion) -> Result {
    let types: Vec<&str> = query.all("type").collect();
    let wanted = |kind| types.is_empty() || types.contains(&kind);
    let mut usage = Map::new();
    if wanted("image") {
        let images = engine.image_list(&Filters::default()).await?;
        // One size per image: layers that images share are counted once each.
        let sizes: BTreeMap<&str, u64> =
            images.iter().map(|view| (view.image.id.as_str(), view.image.size)).collect();
        let list: Vec<_> = images.iter().map(|view| image::Summary::new(view, version)).collect();
        usage.insert("LayersSize".into(), json!(sizes.values().sum::<u64>()));
        usage.insert("Images".into(), json!(list));
    }
    if wanted("container") {
        let all = ListContainers { all: true, size: true, ..ListContainers::default() };
        let views = engine.container_list(all).await?;
        let list: Vec<_> = views.iter().map(container::Summary::new).collect();
        usage.insert("Containers".into(), json!(list));
    }
    if wanted("volume") {
        let volumes = engine.volume_usage().await?;
        let list: Vec<_> = volumes.iter().map(volume::with_usage).collect();
        usage.insert("Volumes".into(), json!(list));
    }
    usage.insert("BuildCache".into(), json!([]));
    Ok(answer::ok(&Value::Object(usage)))
}
