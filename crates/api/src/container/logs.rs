//! `GET /containers/{name}/logs`.

use axum::extract::{Path, State};
use axum::response::Response;
use hawser_engine::container::LogOptions;
use http::{HeaderValue, header};

use crate::Shared;
use crate::error::Result;
use crate::query::Query;
use crate::stream;
use crate::time;
use crate::version::ApiVersion;

pub async fn handle(
    State(engine): Shared,
    Path(name): Path<String>,
    query: Query,
    version: ApiVersion,
) -> Result {
    let logs = engine.container_logs(&name, options(&query)?).await?;
    let media = HeaderValue::from_static(stream::media_type(logs.tty, version));
    let mut response = Response::new(stream::body(logs.tty, logs.output));
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    Ok(response)
}

fn options(query: &Query) -> Result<LogOptions> {
    // Zero is what clients send for "not given".
    let point = |key| match query.word(key) {
        None | Some("0") => Ok(None),
        Some(text) => time::nanoseconds(key, text).map(Some),
    };
    Ok(LogOptions {
        stdout: query.bool("stdout"),
        stderr: query.bool("stderr"),
        since: point("since")?,
        until: point("until")?,
        // `all` and whatever else is no number means all, as Docker has it.
        tail: query.word("tail").and_then(|tail| tail.parse().ok()),
        timestamps: query.bool("timestamps"),
        follow: query.bool("follow"),
        details: query.bool("details"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let of = |text| options(&Query::parse(text)).unwrap();
        assert_eq!(of("stdout=1&tail=all&since=0").tail, None);
        assert_eq!(of("tail=10").tail, Some(10));
        assert_eq!(of("tail=-1").tail, None);
        assert_eq!(of("since=0&until=2.5").until, Some(2_500_000_000));
        assert!(of("follow=1&stdout=true").follow);
        assert_eq!(options(&Query::parse("since=yesterday")).unwrap_err().status(), 400);
    }
}
