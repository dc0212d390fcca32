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
    let exec = engine.exec_inspect(&id).await?;
    let options = ExecStart { detach: body.detach, tty: body.tty, console_size: body.console_size };
    match engine.exec_start(&id, options).await {
        Ok(Some(attachment)) => Ok(hijack.respond(attachment)),
        Ok(None) => Ok(answer::done()),
        Err(error) if body.detach => Err(error.into()),
        // Clients read the reason from the stream, and the exit code from `inspect`.
        Err(error) => Ok(hijack.refuse(exec.config.tty, &error.to_string())),
    }
}
