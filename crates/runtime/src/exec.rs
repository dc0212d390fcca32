//! Commands run in a running container.

use crate::attach::Attachment;
use crate::bundle::TerminalSize;
use crate::error::Error;

/// A command just started in a container.
#[derive(Debug)]
pub struct ExecSession {
    /// The lasting handle.
    pub exec: Execed,
    /// Its output and input, from the first byte.
    pub attachment: Attachment,
}

/// A handle on a command, to be kept; cheap to clone.
#[derive(Debug, Clone)]
pub struct Execed;

impl Execed {
    /// Its process as the host numbers it.
    #[must_use]
    pub fn pid(&self) -> i32 {
        todo!()
    }

    /// Waits for its end and gives its exit code.
    pub async fn wait(&self) -> i32 {
        todo!()
    }

    /// Its exit code, when it has ended.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        todo!()
    }

    /// Sets the size of its terminal.
    ///
    /// # Errors
    /// It has ended.
    pub fn resize(&self, _size: TerminalSize) -> Result<(), Error> {
        todo!()
    }
}
