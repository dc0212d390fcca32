//! What can go wrong, in Docker's words where Docker's clients read them.
//!
//! In: the OCI runtime's own message. Out: [`CreateError`] with the text and the exit code that `docker run`
//! gives. It prints nothing.

use std::io;
use std::path::Path;

use crate::user::UserError;

/// Why a program could not be started in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There is no such program: exit code 127.
    NotFound,
    /// It cannot be executed: exit code 126.
    NotExecutable,
    /// Anything else: exit code 128 in the container's state, 125 from `docker run`.
    Other,
}

/// A container or a command in it could not be made. `Display` is the message for Docker's clients.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The OCI runtime refused.
    #[error("{message}")]
    Runtime {
        /// What kind of refusal.
        failure: Failure,
        /// Docker's words for it.
        message: String,
    },
    /// The user or a group is not in the container's files.
    #[error(transparent)]
    User(#[from] UserError),
    /// The request cannot be right.
    #[error("{0}")]
    Invalid(String),
    /// The container is not known, or something of the host failed.
    #[error(transparent)]
    Host(#[from] Error),
}

impl CreateError {
    /// The container's exit code in Docker's state: 126, 127 or 128.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::Runtime { failure: Failure::NotFound, .. } => 127,
            Self::Runtime { failure: Failure::NotExecutable, .. } => 126,
            _ => 128,
        }
    }
}

/// An operation on a container failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No container of this id was created or taken up.
    #[error("no container {0} in the runtime")]
    Unknown(String),
    /// It has ended.
    #[error("container {0} is not running")]
    NotRunning(String),
    /// The OCI runtime answered with an error.
    #[error("oci runtime {command} failed: {message}")]
    Refused {
        /// Its command.
        command: &'static str,
        /// What it wrote.
        message: String,
    },
    /// A system call failed.
    #[error("{operation}")]
    Io {
        /// What was tried, and on what.
        operation: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The request cannot be right.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    /// For `map_err`: names what was tried.
    pub(crate) fn io(operation: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let operation = operation.into();
        move |source| Self::Io { operation, source }
    }
}

/// Docker's words for an OCI runtime's refusal to `create` or `exec`.
pub(crate) fn refused(
    verb: &'static str,
    program: &Path,
    message: &str,
    args: &[String],
) -> CreateError {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let (failure, reason) = reason(message, args.first().map_or("", String::as_str));
    let message = if verb == "exec" {
        format!("OCI runtime exec failed: exec failed: {reason}: unknown")
    } else {
        format!(
            "failed to create task for container: failed to create shim task: OCI runtime create failed: {name} create failed: {reason}: unknown"
        )
    };
    CreateError::Runtime { failure, message }
}

/// What is wrong, in the words that Docker's clients tell exit codes 126 and 127 by.
fn reason(message: &str, program: &str) -> (Failure, String) {
    let is = |words: &str| message.contains(words);
    let why = if is("open executable: Operation not permitted") {
        // A folder is opened, but is nothing that could be executed: crun reports that as a refusal.
        "is a directory".to_owned()
    } else if is("open executable: Permission denied") {
        "permission denied".to_owned()
    } else if is("executable file") && program.contains('/') {
        format!("stat {program}: no such file or directory")
    } else if is("executable file") {
        "executable file not found in $PATH".to_owned()
    } else {
        // runc uses the same words as Docker.
        let own = message.split("unable to start container process: ").last().unwrap_or(message);
        let text = format!("unable to start container process: {}", plain(own));
        return (kind(&text), text);
    };
    let text = format!("unable to start container process: exec: \"{program}\": {why}");
    (kind(&text), text)
}

/// As Docker's daemon and client do, from the text.
fn kind(text: &str) -> Failure {
    let any = |words: &[&str]| words.iter().any(|words| text.contains(words));
    if any(&["executable file not found", "no such file or directory"]) {
        Failure::NotFound
    } else if any(&["permission denied", "is a directory"]) {
        Failure::NotExecutable
    } else {
        Failure::Other
    }
}

/// The last line; the system's words for an error start small in Go.
fn plain(message: &str) -> String {
    let line = message.lines().last().unwrap_or("no message").trim();
    let Some((before, system)) = line.rsplit_once(": ") else { return line.to_owned() };
    let mut letters = system.chars();
    match letters.next() {
        Some(first) if letters.clone().next().is_some_and(char::is_lowercase) => {
            format!("{before}: {}{}", first.to_lowercase(), letters.as_str())
        }
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_are_gos() {
        let (kind, text) = reason("chdir to `/none`: No such file or directory", "ls");
        assert_eq!(
            text,
            "unable to start container process: chdir to `/none`: no such file or directory"
        );
        assert_eq!(kind, Failure::NotFound);
        assert_eq!(reason("something: EPERM", "ls").0, Failure::Other);
    }
}
