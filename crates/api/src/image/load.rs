//! `POST /images/load`.

use axum::body::Body;
use axum::extract::State;
use hawser_engine::image::Loaded;
use serde_json::json;

use crate::Shared;
use crate::error::Result;
use crate::stream::{self, Lines};

pub async fn handle(State(engine): Shared, body: Body) -> Result {
    let loaded = engine.image_load(stream::reader(body)).await?;
    let mut lines = Lines::default();
    for image in &loaded {
        lines.push(&json!({"stream": format!("{}\n", sentence(image))}));
    }
    Ok(lines.respond())
}

/// What the client prints of an image.
fn sentence(loaded: &Loaded) -> String {
    match loaded {
        Loaded::Tag(tag) => format!("Loaded image: {tag}"),
        Loaded::Id(id) => format!("Loaded image ID: {id}"),
        Loaded::Renamed { tag, old } => format!(
            "The image {tag} already exists, renaming the old one with ID {old} to empty string"
        ),
    }
}
