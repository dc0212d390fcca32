//! `GET` and `HEAD /_ping`: is anybody there, and of what version.

use axum::response::{IntoResponse, Response};
use http::Method;

pub async fn handle(method: Method) -> Response {
    let headers = [
        // Version 2 would make clients build through an endpoint that is not here.
        ("builder-version", "1"),
        ("cache-control", "no-cache, no-store, must-revalidate"),
        ("content-type", "text/plain; charset=utf-8"),
        ("pragma", "no-cache"),
        ("swarm", "inactive"),
    ];
    let body = if method == Method::HEAD { "" } else { "OK" };
    (headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_methods_carry_the_headers() {
        for (method, wanted) in [(Method::GET, "OK"), (Method::HEAD, "")] {
            let response = handle(method).await;
            assert_eq!(response.headers()["swarm"], "inactive");
            assert_eq!(response.headers()["cache-control"], "no-cache, no-store, must-revalidate");
            let body = axum::body::to_bytes(response.into_body(), 16).await.unwrap();
            assert_eq!(body, wanted);
        }
    }
}
