//! `GET /images/{name}/history`.

use axum::extract::{Path, State};
use hawser_engine::image::Image;
use serde_json::{Value, json};

use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::time;

pub async fn handle(State(engine): Shared, Path(name): Path<String>) -> Result {
    Ok(answer::ok(&encode(&engine.image_inspect(&name).await?)))
}

/// The steps, the youngest first; only the last one is an image that one can name.
fn encode(image: &Image) -> Vec<Value> {
    let steps = image.config.history.iter().rev().enumerate();
    steps
        .map(|(age, step)| {
            let (id, tags) = match age {
                0 => (image.id.as_str(), (!image.repo_tags.is_empty()).then_some(&image.repo_tags)),
                _ => ("<missing>", None),
            };
            json!({
                "Comment": step.comment,
                "Created": time::seconds(step.created.as_deref()),
                "CreatedBy": step.created_by,
                "Id": id,
                // The size of single layers is not kept: it is all told of the last one.
                "Size": if age == 0 { image.size } else { 0 },
                "Tags": tags,
            })
        })
        .collect()
}
