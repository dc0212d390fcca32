//! What every request passes first: the version and the slashes of names leave the path, and what
//! every answer passes last: the headers that clients read before they read anything else.
//!
//! In: routes of unversioned paths. Out: a service for all paths. It knows no route.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Uri};
use tower::ServiceExt;

use crate::error::ApiError;
use crate::path;
use crate::version::{self, ApiVersion};

const SERVER: &str = concat!("hawser/", env!("CARGO_PKG_VERSION"), " (linux)");

/// Puts versions, names and headers around the routes.
pub fn service(routes: Router) -> Router {
    let routes = routes
        .fallback(|| async { ApiError::page_not_found() })
        .method_not_allowed_fallback(|| async { ApiError::page_not_found() });
    Router::new().fallback(move |request: Request| pass(routes.clone(), request))
}

async fn pass(routes: Router, mut request: Request) -> Response {
    let mut response = match rewrite(&request) {
        Ok((version, uri)) => {
            tracing::debug!(method = %request.method(), uri = %request.uri(), "request");
            *request.uri_mut() = uri;
            request.extensions_mut().insert(version);
            let Ok(response) = routes.oneshot(request).await;
            response
        }
        Err(error) => error.into_response(),
    };
    let current = ApiVersion::CURRENT.to_string();
    let headers = response.headers_mut();
    for (name, value) in [
        ("api-version", current.as_str()),
        ("docker-experimental", "false"),
        ("ostype", "linux"),
        ("server", SERVER),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The path that the routes know, and the version that it was asked in.
fn rewrite(request: &Request) -> Result<(ApiVersion, Uri), ApiError> {
    let (version, bare) = version::split(request.uri().path())?;
    let escaped = path::escape_name(request.method(), bare);
    let mut target = escaped.unwrap_or_else(|| bare.to_owned());
    if let Some(query) = request.uri().query() {
        target.push('?');
        target.push_str(query);
    }
    let target = PathAndQuery::try_from(target)
        .map_err(|error| ApiError::bad_request(format!("invalid path: {error}")))?;
    Ok((version, Uri::from(target)))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Path;
    use axum::routing::get;
    use http::Method;

    use super::*;

    fn app() -> Router {
        let name = |Path(name): Path<String>, version: ApiVersion| async move {
            format!("{name} {version}")
        };
        service(Router::new().route("/images/{name}/json", get(name)))
    }

    async fn ask(method: Method, path: &str) -> (u16, http::HeaderMap, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = app().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
        (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn paths_are_rewritten() {
        let (status, headers, body) = ask(Method::GET, "/v1.43/images/x.io/a/b:c/json").await;
        assert_eq!((status, body.as_str()), (200, "x.io/a/b:c 1.43"));
        assert_eq!(headers["api-version"], "1.51");
        assert_eq!(headers["ostype"], "linux");
        assert_eq!(headers["docker-experimental"], "false");
        assert!(headers["server"].to_str().unwrap().starts_with("hawser/"));
        assert_eq!(ask(Method::GET, "/images/busybox/json").await.2, "busybox 1.51");
    }

    #[tokio::test]
    async fn unknown_paths_and_methods_are_not_found() {
        for (method, path) in [
            (Method::GET, "/nothing"),
            (Method::GET, "/v1.51/nothing"),
            (Method::PATCH, "/images/busybox/json"),
            (Method::GET, "/"),
        ] {
            let (status, headers, body) = ask(method, path).await;
            assert_eq!((status, body.as_str()), (404, "{\"message\":\"page not found\"}\n"));
            assert_eq!(headers["content-type"], "application/json");
            assert_eq!(headers["api-version"], "1.51");
        }
    }

    #[tokio::test]
    async fn versions_out_of_range_are_refused() {
        let (status, _, body) = ask(Method::GET, "/v1.99/images/busybox/json").await;
        assert_eq!(status, 400);
        let wanted = "client version 1.99 is too new. Maximum supported API version is 1.51";
        assert_eq!(body, format!("{{\"message\":\"{wanted}\"}}\n"));
    }
}
