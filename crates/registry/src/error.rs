//! What can go wrong with a registry, in words that a user reads.
//!
//! In: statuses and bodies of answers, failures of connections. Out: [`Error`]. A registry's own
//! words are cut short and stripped of control characters: they end up on terminals.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

/// The result of a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Longest message of a registry that is passed on.
const MAX_MESSAGE: usize = 500;

/// Why a request to a registry failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or none that can be trusted.
    #[error("cannot reach the registry at {place}: {why}")]
    Unreachable {
        /// Scheme, host and port.
        place: String,
        /// What the system or TLS said.
        why: String,
    },
    /// The credentials are wrong or missing.
    #[error("{0}")]
    Unauthorized(String),
    /// The registry knows who asks, and refuses.
    #[error("{0}")]
    Denied(String),
    /// There is no such thing there.
    #[error("{0}")]
    NotFound(String),
    /// The registry is too busy, or broken for now.
    #[error("{message}")]
    Busy {
        /// Its own words.
        message: String,
        /// When it wants to be asked again.
        after: Option<Duration>,
    },
    /// Another status that is no success.
    #[error("the registry answered {status}: {message}")]
    Status {
        /// The status.
        status: StatusCode,
        /// Its own words.
        message: String,
    },
    /// The connection broke off.
    #[error("the connection to the registry failed: {0}")]
    Broken(String),
    /// The registry does what the protocol forbids, or more than we bear.
    #[error("the registry misbehaves: {0}")]
    Misbehaves(String),
}

impl Error {
    /// Whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Broken(_))
    }

    /// From an answer that is no success, and the beginning of its body.
    pub(crate) fn answered(status: StatusCode, after: Option<Duration>, body: &[u8]) -> Self {
        let message = message(status, body);
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized(message),
            StatusCode::FORBIDDEN => Self::Denied(message),
            StatusCode::NOT_FOUND => Self::NotFound(message),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                Self::Busy { message, after }
            }
            status if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED => {
                let message = format!("the registry answered {status}: {message}");
                Self::Busy { message, after }
            }
            status => Self::Status { status, message },
        }
    }
}

#[derive(Deserialize)]
struct Body {
    errors: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// `manifest unknown: manifest unknown`: the codes in Docker's words.
fn message(status: StatusCode, body: &[u8]) -> String {
    let told = serde_json::from_slice::<Body>(body).ok().and_then(|body| {
        let first = body.errors.into_iter().next()?;
        let code = first.code.to_lowercase().replace('_', " ");
        Some(format!("{code}: {}", first.message))
    });
    let plain = String::from_utf8_lossy(body);
    let is_page = plain.trim_start().starts_with('<');
    let plain = if is_page || plain.trim().is_empty() { status.to_string() } else { plain.into() };
    clean(&told.unwrap_or(plain))
}

/// Short, on one line, and harmless on a terminal.
pub(crate) fn clean(text: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let line: String = text.chars().map(printable).collect();
    line.trim().chars().take(MAX_MESSAGE).collect()
}

/// An error with all that caused it: hyper itself only says "connection error".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_in_dockers_words() {
        let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
        let error = Error::answered(StatusCode::NOT_FOUND, None, body);
        assert!(
            matches!(&error, Error::NotFound(text) if text == "manifest unknown: manifest unknown")
        );
        let page = Error::answered(StatusCode::FORBIDDEN, None, b"<html>no</html>");
        assert_eq!(page.to_string(), "403 Forbidden");
    }

    #[test]
    fn what_a_registry_says_cannot_draw_on_terminals() {
        assert_eq!(clean("\u{1b}[2Ja\nb\u{7}"), "[2Ja b");
        assert_eq!(clean(&"x".repeat(9999)).len(), MAX_MESSAGE);
    }
}
