//! `POST /exec/{id}/start`: the connection becomes the process's streams, unless it is detached.

use axum::extract::{Path, State};
use hawser_engine::exec::ExecStart;
use serde::Deserialize;

use crate::Shared;
use crate::answer;
use crate::body::Json;
use crate::error::Result;
use crate::stream::Hijack;

/// The body.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Body {
    detach: bool,
    tty: bool,
    console_size: Option<[u16; 2]>,
}

pub async fn handle(
    State(engine): Shared,
    Path(id): Path<String>,
    hijack: Hijack,
    Json(body): Json<Body>,
) -> Result {
    let body = body.unwrap_or_default();
    let options = ExecStart { detach: body.detach, tty: body.tty, console_size: body.console_size };
    // A program that cannot be run is no error here: clients read the reason from the stream, and
    // the exit code from `inspect`.
    match engine.exec_start(&id, options).await? {
        Some(attachment) => Ok(hijack.respond(attachment)),
        None => Ok(answer::done()),
    }
}
