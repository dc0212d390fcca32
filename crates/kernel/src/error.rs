//! What can go wrong at the door to the kernel, in kinds that callers decide on.
//!
//! In: errno values and the kernel's own words about them. Out: [`Error`] (operation, object,
//! cause, hint) and [`ApplyError`] (which change). It does not choose HTTP statuses.

use std::io;

use hawser_hoststate::Key;

/// What callers can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The host port is bound by somebody else (EADDRINUSE).
    PortTaken,
    /// The host has no such address (EADDRNOTAVAIL).
    AddressMissing,
    /// Something else of that identity is there and is not what was asked for.
    Exists,
    /// What was named is not there.
    NotFound,
    /// No more room: the 1,024th port of a bridge (EXFULL), all ports of a range, memory.
    NoSpace,
    /// Not allowed (not root, read-only `/proc/sys`).
    Permission,
    /// The kernel lacks it, or a program is not installed.
    Unsupported,
    /// The value asked for is not valid to the kernel.
    Invalid,
    /// Anything else.
    Other,
}

/// Why the kernel, or we on its behalf, said no.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// A system call failed.
    #[error(transparent)]
    Os(#[from] io::Error),
    /// A netlink request was refused; `text` is the kernel's own explanation, often empty.
    #[error("{}{}{text}", io::Error::from_raw_os_error(*errno), separator(text))]
    Refused {
        /// The error number.
        errno: i32,
        /// The extended acknowledgement.
        text: String,
    },
    /// What came or was found is not as it must be.
    #[error("{0}")]
    Unexpected(String),
}

/// A failed operation.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {object}")]
pub struct Error {
    /// What was tried: a verb, and a noun if the object does not say.
    pub operation: &'static str,
    /// On what.
    pub object: String,
    /// What callers can tell apart.
    pub kind: ErrorKind,
    /// What to do about it, as a sentence; empty when there is nothing to say.
    pub hint: String,
    /// Why.
    #[source]
    pub cause: Cause,
}

/// A change that failed; those before it in its list are done, later ones may be.
#[derive(Debug, thiserror::Error)]
#[error("apply change {index}")]
pub struct ApplyError {
    /// Its place in the list.
    pub index: usize,
    /// The object that it was about.
    pub object: Box<Key>,
    /// Why.
    #[source]
    pub error: Error,
}

impl Cause {
    /// The error number, when the kernel gave one.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Os(error) => error.raw_os_error(),
            Self::Refused { errno, .. } => Some(*errno),
            Self::Unexpected(_) => None,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self.errno() {
            Some(libc::EADDRINUSE) => ErrorKind::PortTaken,
            Some(libc::EADDRNOTAVAIL) => ErrorKind::AddressMissing,
            Some(libc::EEXIST) => ErrorKind::Exists,
            Some(libc::ENOENT | libc::ENODEV | libc::ESRCH | libc::ENXIO) => ErrorKind::NotFound,
            Some(libc::EXFULL | libc::ENOSPC | libc::ENOMEM | libc::ENFILE | libc::EMFILE) => {
                ErrorKind::NoSpace
            }
            Some(libc::EPERM | libc::EACCES | libc::EROFS) => ErrorKind::Permission,
            Some(libc::EOPNOTSUPP | libc::EPROTONOSUPPORT | libc::EAFNOSUPPORT) => {
                ErrorKind::Unsupported
            }
            Some(libc::EINVAL | libc::ERANGE) => ErrorKind::Invalid,
            _ => ErrorKind::Other,
        }
    }
}

impl Error {
    pub(crate) fn new(
        operation: &'static str,
        object: impl Into<String>,
        cause: impl Into<Cause>,
    ) -> Self {
        let cause = cause.into();
        let hint = hint(cause.errno()).to_owned();
        Self { operation, object: object.into(), kind: cause.kind(), hint, cause }
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The error number, when the kernel gave one.
    pub fn errno(&self) -> Option<i32> {
        self.cause.errno()
    }
}

fn separator(text: &str) -> &'static str {
    if text.is_empty() { "" } else { ": " }
}

fn hint(errno: Option<i32>) -> &'static str {
    match errno {
        Some(libc::EXFULL) => "a bridge has at most 1,023 ports: use a second network",
        Some(libc::EPERM | libc::EACCES) => "the engine must run as root",
        Some(libc::EROFS) => "/proc/sys is read-only here",
        _ => "",
    }
}
