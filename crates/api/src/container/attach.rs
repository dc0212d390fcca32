//! `POST /containers/{name}/attach`: the connection becomes the container's streams.

use axum::extract::{Path, State};
use hawser_engine::container::AttachOptions;

use crate::Shared;
use crate::error::Result;
use crate::query::Query;
use crate::stream::Hijack;

pub async fn handle(
    State(engine): Shared,
    Path(name): Path<String>,
    query: Query,
    hijack: Hijack,
) -> Result {
    let options = AttachOptions {
        stdin: query.bool("stdin"),
        stdout: query.bool("stdout"),
        stderr: query.bool("stderr"),
        stream: query.bool("stream"),
        logs: query.bool("logs"),
        detach_keys: query.string("detachKeys"),
    };
    Ok(hijack.respond(engine.container_attach(&name, options).await?))
}
