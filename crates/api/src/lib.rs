//! The Docker Engine API over an [`Engine`]: paths, queries, bodies, statuses, streams, JSON.
//!
//! In: HTTP requests, with or without a version in the path (`/v1.24` … `/v1.51`). Out: what
//! dockerd would answer. It holds no logic: a handler decodes, calls one verb, encodes. Where it
//! listens, and who may connect, is `hawserd`'s.

mod answer;
mod body;
mod container;
mod credentials;
mod error;
mod exec;
mod front;
mod hawser;
mod image;
mod network;
mod path;
mod query;
mod refused;
mod stream;
mod system;
mod time;
mod version;
mod volume;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use hawser_engine::Engine;

pub use version::ApiVersion;

/// What handlers get of the engine.
type Shared = State<Arc<Engine>>;

/// The whole API as a service.
pub fn router(engine: Arc<Engine>) -> Router {
    front::service(routes().with_state(engine))
}

/// What the engine counts, at `/metrics`, and nothing else.
pub fn metrics_router(engine: Arc<Engine>) -> Router {
    hawser::metrics().with_state(engine)
}

fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .merge(container::routes())
        .merge(exec::routes())
        .merge(hawser::routes())
        .merge(image::routes())
        .merge(network::routes())
        .merge(system::routes())
        .merge(volume::routes())
        .merge(refused::routes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_routes_are_the_same() {
        // The router panics if they are.
        assert!(super::routes().has_routes());
    }
}
