//! JSON bodies of requests, bounded and checked as Docker checks them.
//!
//! In: a request. Out: the decoded value; an absent body is `None`. Archives are not read here.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use http_body_util::Limited;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, Result};

/// The most bytes of JSON that a request may have.
const LIMIT: usize = 4 << 20;

/// A JSON body, or none if the request has none.
pub struct Json<T>(pub Option<T>);

impl<T> Json<T> {
    /// The value; a missing body is refused as Docker refuses it.
    pub fn required(self) -> Result<T> {
        self.0.ok_or_else(|| {
            ApiError::bad_request("invalid JSON: got EOF while reading request body")
        })
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let text = read(body).await?;
        check_type(&parts.headers, text.is_empty())?;
        Ok(Self(if text.is_empty() { None } else { Some(decode(&text)?) }))
    }
}

/// Reads a body whole, up to the limit.
async fn read(body: Body) -> Result<Vec<u8>> {
    match Limited::new(body, LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("request body is larger than {LIMIT} bytes"),
        )),
        Err(error) => Err(ApiError::bad_request(format!("cannot read request body: {error}"))),
    }
}

fn check_type(headers: &HeaderMap, empty: bool) -> Result<()> {
    let given = match headers.get(header::CONTENT_TYPE) {
        None if empty => return Ok(()),
        None => "",
        Some(value) => value.to_str().unwrap_or("?"),
    };
    let media = given.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "unsupported Content-Type header ({given}): must be 'application/json'"
    )))
}

fn decode<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let mut decoder = serde_json::Deserializer::from_slice(text);
    let value = T::deserialize(&mut decoder)
        .map_err(|error| ApiError::bad_request(format!("invalid JSON: {error}")))?;
    decoder.end().map_err(|_| ApiError::bad_request("unexpected content after JSON"))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(kind: Option<&str>, body: &'static str) -> std::result::Result<u32, String> {
        let mut request = Request::builder();
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let request = request.body(Body::from(body)).unwrap();
        let json = Json::<u32>::from_request(request, &()).await;
        json.and_then(Json::required).map_err(|e| format!("{} {}", e.status(), e.message()))
    }

    #[tokio::test]
    async fn json_is_read() {
        assert_eq!(answer(Some("application/json"), "7").await, Ok(7));
        assert_eq!(answer(Some("application/json; charset=utf-8"), " 7\n").await, Ok(7));
    }

    #[tokio::test]
    async fn other_types_and_bad_json_are_refused() {
        let refusal = answer(Some("text/plain"), "7").await.unwrap_err();
        assert!(refusal.ends_with("(text/plain): must be 'application/json'"), "{refusal}");
        assert!(answer(None, "7").await.unwrap_err().starts_with("400"));
        let bad = answer(Some("application/json"), "{").await.unwrap_err();
        assert!(bad.starts_with("400 Bad Request invalid JSON: "), "{bad}");
        let more = answer(Some("application/json"), "7 8").await.unwrap_err();
        assert_eq!(more, "400 Bad Request unexpected content after JSON");
        let none = answer(None, "").await.unwrap_err();
        assert!(none.ends_with("invalid JSON: got EOF while reading request body"), "{none}");
    }

    #[tokio::test]
    async fn bodies_are_bounded() {
        let huge: &'static str = Box::leak(" ".repeat(LIMIT + 1).into_boxed_str());
        assert!(answer(Some("application/json"), huge).await.unwrap_err().starts_with("413"));
    }
}
