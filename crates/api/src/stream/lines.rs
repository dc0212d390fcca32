//! JSON lines: one value, one line, sent at once (`events`, `load`, `import`, `wait`).
//!
//! In: values. Out: a response whose head is sent before the first value exists.

use std::convert::Infallible;
use std::future::Future;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderValue, header};
use serde::Serialize;

/// Lines that are known already.
#[derive(Default)]
pub struct Lines(Vec<u8>);

impl Lines {
    /// One line more.
    pub fn push<T: Serialize>(&mut self, value: &T) {
        self.0.extend_from_slice(&line(value));
    }

    /// The response.
    pub fn respond(self) -> Response {
        respond(Body::from(self.0))
    }

    /// A response of lines that are still to come.
    pub fn stream<T: Serialize + 'static>(
        values: impl Stream<Item = T> + Send + 'static,
    ) -> Response {
        respond(Body::from_stream(values.map(|value| Ok::<_, Infallible>(line(&value)))))
    }
}

/// A response of one value that is still to come.
pub fn once<T: Serialize + 'static>(value: impl Future<Output = T> + Send + 'static) -> Response {
    Lines::stream(stream::once(value))
}

fn respond(body: Body) -> Response {
    let mut response = Response::new(body);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn line<T: Serialize>(value: &T) -> Bytes {
    let mut line = serde_json::to_vec(value).unwrap_or_else(|error| {
        tracing::error!(%error, "cannot encode a line of an answer");
        Vec::new()
    });
    line.push(b'\n');
    line.into()
}
