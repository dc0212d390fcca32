//! What this engine does not do, refused so that clients understand it.
//!
//! In: requests for swarms, builds, searches, plugins. Out: Docker's answers of an engine
//! without them where clients match on them, else 501 and a sentence.

use axum::Router;
use axum::routing::{any, get, post};
use http::StatusCode;

use crate::answer;
use crate::error::ApiError;

const NOT_A_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \
    \"docker swarm join\" to connect this node to swarm and try again.";

/// Paths that are refused.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let mut routes = Router::new()
        .route("/swarm/init", post(no_swarm))
        .route("/swarm/join", post(no_swarm))
        .route("/swarm/leave", post(not_in_a_swarm))
        .route("/plugins", get(no_plugins))
        .route("/plugins/{*rest}", any(no_plugin_verbs));
    for path in ["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs"] {
        routes = routes.route(path, get(not_a_manager));
        routes = routes.route(&format!("{path}/{{*rest}}"), any(not_a_manager));
    }
    for (path, what) in [
        ("/images/search", "searching registries"),
        ("/build", "building images"),
        ("/build/{*rest}", "building images"),
        ("/session", "building images"),
        ("/grpc", "building images"),
        ("/commit", "making images of containers"),
        ("/containers/{name}/archive", "copying files from and to containers"),
        ("/containers/{name}/export", "exporting containers"),
        ("/containers/{name}/changes", "listing what a container changed"),
        ("/containers/{name}/update", "changing limits of containers"),
        ("/containers/{name}/attach/ws", "attaching over a web socket"),
    ] {
        routes = routes.route(path, any(move || not_here(what)));
    }
    routes
}

/// Clients that look for a name among objects of all kinds pass over what is "not supported".
async fn not_here(what: &'static str) -> ApiError {
    ApiError::not_implemented(format!("{what}: not supported by this version of hawser"))
}

async fn not_a_manager() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, NOT_A_MANAGER)
}

async fn not_in_a_swarm() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "This node is not part of a swarm")
}

async fn no_swarm() -> ApiError {
    not_here("swarms").await
}

async fn no_plugins() -> axum::response::Response {
    answer::ok(&[(); 0])
}

async fn no_plugin_verbs() -> ApiError {
    not_here("plugins").await
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use http::Method;
    use tower::ServiceExt;

    async fn ask(method: Method, path: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let app = crate::front::service(super::routes().with_state(()));
        let response = app.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn there_is_no_swarm() {
        for path in ["/swarm", "/v1.40/nodes", "/services", "/secrets/x", "/configs", "/tasks"] {
            let (status, body) = ask(Method::GET, path).await;
            assert_eq!(status, 503, "{path}");
            assert!(
                body.starts_with("{\"message\":\"This node is not a swarm manager. Use \\\"docker")
            );
        }
        assert_eq!(ask(Method::POST, "/services/create").await.0, 503);
        assert_eq!(ask(Method::POST, "/swarm/init").await.0, 501);
    }

    #[tokio::test]
    async fn other_refusals_say_what() {
        for (method, path, what) in [
            (Method::POST, "/build?t=x", "building images"),
            (Method::PUT, "/containers/x/archive", "copying files"),
        ] {
            let (status, body) = ask(method, path).await;
            assert_eq!(status, 501, "{path}");
            assert!(body.contains(what), "{body}");
        }
        assert_eq!(ask(Method::GET, "/plugins").await, (200, "[]\n".into()));
    }
}
