//! Output of a container as a response body (`logs`; `attach` without an upgrade).
//!
//! In: an output stream. Out: a body. There is no way back to the container here.

use axum::body::Body;
use futures_util::StreamExt;
use hawser_engine::container::OutputStream;

use super::frame;
use crate::version::ApiVersion;

/// The content type of output: clients older than 1.42 know only one.
pub fn media_type(tty: bool, version: ApiVersion) -> &'static str {
    if tty || version.before(42) {
        "application/vnd.docker.raw-stream"
    } else {
        "application/vnd.docker.multiplexed-stream"
    }
}

/// Output as a body that ends with it.
pub fn body(tty: bool, output: OutputStream) -> Body {
    Body::from_stream(
        output.map(move |piece| piece.map(|(kind, bytes)| frame::encode(tty, kind, bytes))),
    )
}
