//! What can go wrong between the client and the engine, in the words that the user reads.

use http::StatusCode;
use thiserror::Error;

/// A request that failed.
#[derive(Debug, Error)]
pub enum Error {
    /// Nobody answers at the socket.
    #[error(
        "cannot connect to the hawser daemon at {host}: {source}\n\
         Is hawserd running? Start it with: systemctl start hawser (or, by hand: sudo hawserd)"
    )]
    Unreachable {
        /// The endpoint as the user would write it.
        host: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The socket is there, but not for this user.
    #[error(
        "permission denied while connecting to the hawser daemon at {host}: {source}\n\
         Run the command as root (sudo hawser …) or join the group that owns the socket"
    )]
    Forbidden {
        /// The endpoint as the user would write it.
        host: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The request would be about no thing in particular.
    #[error("invalid {0} name or ID: value is empty")]
    NoName(&'static str),
    /// The engine says no.
    #[error("Error response from daemon: {message}")]
    Response {
        /// The status of the answer.
        status: u16,
        /// The engine's words.
        message: String,
    },
    /// The engine lacks what makes hawserd more than another engine.
    #[error("the engine at {0} cannot do this: it takes a hawserd as new as this client")]
    NotHawserd(String),
    /// The engine does not hand its connection over.
    #[error("unable to upgrade to tcp, received {0}")]
    NoUpgrade(u16),
    /// The request cannot be written down as HTTP.
    #[error("invalid request: {0}")]
    Request(http::Error),
    /// The connection broke.
    #[error("error during connect: {}", chain(.0))]
    Connection(#[from] hyper::Error),
    /// The answer broke off, or is too long.
    #[error("cannot read the daemon's answer: {0}")]
    Body(String),
    /// The answer is not what was asked for.
    #[error("cannot read the daemon's answer: {0}")]
    Json(serde_json::Error),
}

/// The error and what caused it: hyper itself only says "connection error".
fn chain(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

impl Error {
    /// From an answer that is no success.
    pub(super) fn response(status: StatusCode, body: &[u8], path: &str) -> Self {
        let told: Option<String> = serde_json::from_slice::<serde_json::Value>(body)
            .ok()
            .and_then(|body| body.get("message")?.as_str().map(str::trim).map(str::to_owned));
        let plain = String::from_utf8_lossy(body).trim().to_owned();
        let message = told.unwrap_or(plain);
        let message = if message.is_empty() {
            format!(
                "request returned {status} for API route {path}, \
                 check if the server supports the requested API version"
            )
        } else {
            message
        };
        Self::Response { status: status.as_u16(), message }
    }

    /// The status of the engine's refusal, if it is one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Response { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the engine does not know the thing that was asked for.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }
}
