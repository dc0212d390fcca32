//! What can go wrong with images.

use std::io;
use std::path::{Path, PathBuf};

/// The result of an operation on images.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is: the edge makes a status of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What was named is not there.
    NotFound,
    /// The state of things forbids it.
    Conflict,
    /// The caller gave something malformed: a reference, an archive.
    InvalidParameter,
    /// The machine failed us.
    System,
}

/// Why an operation on images failed. Messages that Docker's clients match are Docker's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No image has that name or id.
    #[error("No such image: {0}")]
    NoSuchImage(String),
    /// The text is not a reference (Docker's words).
    #[error("{0}")]
    InvalidReference(String),
    /// The image cannot be removed (Docker's words).
    #[error("{0}")]
    Conflict(String),
    /// An import's change is not a Dockerfile instruction that is allowed there.
    #[error("{0}")]
    InvalidChange(String),
    /// An archive is malformed or hostile.
    #[error("invalid archive: {0}")]
    InvalidArchive(String),
    /// An image is for another platform than asked for.
    #[error("{0}")]
    WrongPlatform(String),
    /// A container has no root file system.
    #[error("no root file system for container {0}")]
    NoRootfs(String),
    /// A system call failed.
    #[error("{operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoSuchImage(_) | Self::NoRootfs(_) | Self::WrongPlatform(_) => Kind::NotFound,
            Self::Conflict(_) => Kind::Conflict,
            Self::InvalidReference(_) | Self::InvalidChange(_) | Self::InvalidArchive(_) => {
                Kind::InvalidParameter
            }
            Self::Io { .. } => Kind::System,
        }
    }

    /// Whether a file was not there.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    pub(crate) fn io(
        operation: &'static str,
        path: &Path,
    ) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { operation, path, source }
    }

    /// A failure while bytes of an archive were read or acted on: theirs or the machine's.
    pub(crate) fn archive_io(operation: &'static str, path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{
            FileTooLarge, InvalidData, InvalidInput, NotADirectory, NotFound, UnexpectedEof,
        };
        match source.kind() {
            InvalidData | UnexpectedEof | FileTooLarge | InvalidInput | NotADirectory
            | NotFound => Self::InvalidArchive(source.to_string()),
            _ => Self::io(operation, path)(source),
        }
    }
}
