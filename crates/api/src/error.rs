//! From a failed verb to an HTTP answer: the only file that knows which kind has which status.
//!
//! In: the engine's [`Error`] or a refusal of the edge itself. Out: a status and Docker's error
//! body `{"message": …}`. What to say was decided where the error arose, not here.

use axum::response::{IntoResponse, Response};
use hawser_engine::{Error, Kind};
use http::StatusCode;
use serde::Serialize;

use crate::answer;

/// Docker's error body.
#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
}

/// A request that is answered with an error.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    message: String,
}

/// What handlers return.
pub type Result<T = Response> = std::result::Result<T, ApiError>;

impl ApiError {
    /// An error with a status of its own.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// The request makes no sense (400).
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// This engine does not do that (501).
    pub fn not_implemented(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, message)
    }

    /// No such path (404), in Docker's words.
    pub fn page_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "page not found")
    }

    /// The status of the answer.
    #[cfg(test)]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What the user reads.
    #[cfg(test)]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// The status of each kind of failure.
fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::NotModified => StatusCode::NOT_MODIFIED,
        Kind::NotImplemented => StatusCode::NOT_IMPLEMENTED,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::System => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::new(status_of(error.kind()), error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.status == StatusCode::NOT_MODIFIED {
            return self.status.into_response();
        }
        if self.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!("{}", self.message);
        }
        answer::json(self.status, &Body { message: &self.message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_body_is_dockers() {
        let error = ApiError::from(Error::not_found("No such container: x"));
        let response = error.into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()["content-type"], "application/json");
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        assert_eq!(&body[..], b"{\"message\":\"No such container: x\"}\n");
    }

    #[tokio::test]
    async fn not_modified_has_no_body() {
        let error = ApiError::from(Error::new(Kind::NotModified, "it runs"));
        let response = error.into_response();
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        assert!(body.is_empty());
    }
}
