//! How a command fails: what it says and the code it exits with.

use crate::client;
use crate::output::listing::ListingError;
use crate::parse::Invalid;

/// A command that failed.
#[derive(Debug)]
pub struct Failure {
    /// What is written to the standard error; nothing if it is empty.
    pub message: String,
    /// The exit code.
    pub code: i32,
}

/// What a command comes to.
pub type Outcome = Result<(), Failure>;

impl Failure {
    /// With docker's usual code.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// With a code and nothing to say.
    pub fn silent(code: i32) -> Self {
        Self { message: String::new(), code }
    }

    /// With another code.
    pub fn with_code(self, code: i32) -> Self {
        Self { code, ..self }
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<Invalid> for Failure {
    fn from(error: Invalid) -> Self {
        Self::new(error.to_string())
    }
}

impl From<ListingError> for Failure {
    fn from(error: ListingError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            // Whoever read our output has seen enough (`hawser logs c1 | head`).
            return Self::silent(1);
        }
        Self::new(error.to_string())
    }
}

/// Fails with all the messages of what failed, one to a line; succeeds if there are none.
pub fn all(errors: Vec<String>) -> Outcome {
    if errors.is_empty() { Ok(()) } else { Err(Failure::new(errors.join("\n"))) }
}
