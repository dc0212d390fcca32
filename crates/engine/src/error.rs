//! The one error type of the engine's verbs: a kind, a message, and the cause behind it.
//!
//! The message is what the user reads; where Docker's clients match on text it is Docker's.
//! The edge turns the kind into an HTTP status; nothing else is decided from an error.

use std::fmt;

/// What sort of failure it is; the edge maps each to one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request makes no sense (400).
    Invalid,
    /// Who asks is not known, or not well enough (401).
    Unauthorized,
    /// It may not be done (403).
    Forbidden,
    /// What was named is not there (404).
    NotFound,
    /// It contradicts what is there (409).
    Conflict,
    /// There is nothing to do: the wanted state is already there (304).
    NotModified,
    /// It is not something this engine does (501).
    NotImplemented,
    /// A part that is needed is missing or down (503).
    Unavailable,
    /// Anything else (500).
    System,
}

/// A failed operation.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Result of a verb.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of a kind with the message that the user reads.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same with the cause behind it; the message should not repeat the cause.
    pub fn caused(
        kind: Kind,
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, message: message.into(), source: Some(source.into()) }
    }

    /// [`Kind::Invalid`] with a message.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// [`Kind::NotFound`] with a message.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// [`Kind::Conflict`] with a message.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = self.source.as_deref().map(|e| e as &dyn std::error::Error);
        while let Some(e) = cause {
            write!(f, ": {e}")?;
            cause = e.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
