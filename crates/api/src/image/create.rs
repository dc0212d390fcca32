//! `POST /images/create`: import of an archive (`fromSrc=-`), or a pull (`fromImage`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use hawser_engine::Engine;
use hawser_engine::image::{ImportOptions, PullRequest};
use http::HeaderMap;
use serde_json::json;

use super::progress;
use crate::Shared;
use crate::credentials;
use crate::error::{ApiError, Result};
use crate::query::Query;
use crate::stream::{self, Lines};

pub async fn handle(State(engine): Shared, query: Query, headers: HeaderMap, body: Body) -> Result {
    if let Some(image) = query.word("fromImage") {
        let request = PullRequest {
            reference: reference(image, query.word("tag")),
            platform: query.string("platform"),
            credentials: credentials::of_header(&headers)?,
        };
        return Ok(progress::respond(engine.image_pull(request).await?));
    }
    match query.word("fromSrc") {
        Some("-") => import(&engine, &query, body).await,
        Some(_) => Err(ApiError::not_implemented(
            "import from an address: not supported by this version of hawser; fetch the archive \
             and import the file",
        )),
        None => Err(ApiError::bad_request("one of fromImage and fromSrc must be given")),
    }
}

async fn import(engine: &Arc<Engine>, query: &Query, body: Body) -> Result {
    let options = ImportOptions {
        reference: query.word("repo").map(|repo| reference(repo, query.word("tag"))),
        message: query.string("message").unwrap_or_default(),
        changes: query.all("changes").map(str::to_owned).collect(),
        platform: query.string("platform"),
    };
    let id = engine.image_import(stream::reader(body), options).await?;
    let mut lines = Lines::default();
    lines.push(&json!({"status": id}));
    Ok(lines.respond())
}

/// A name with the tag or digest that came beside it.
fn reference(name: &str, tag: Option<&str>) -> String {
    match tag {
        None => name.to_owned(),
        Some(digest) if digest.contains(':') => format!("{name}@{digest}"),
        Some(tag) => format!("{name}:{tag}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_tags_are_joined() {
        assert_eq!(reference("busybox", None), "busybox");
        assert_eq!(reference("busybox", Some("1.36")), "busybox:1.36");
        assert_eq!(reference("busybox", Some("sha256:ab")), "busybox@sha256:ab");
    }
}
