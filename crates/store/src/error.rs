//! What can go wrong in a store.
//!
//! In: errors of the backend's library. Out: errors that say which operation failed on what.

use std::path::PathBuf;

use crate::MAX_OPERATIONS;

/// The result of an operation on a store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on a store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A precondition does not hold; nothing was written.
    #[error("conflict on key {key:?}: it was changed by someone else")]
    Conflict {
        /// The key of the first precondition that does not hold.
        key: String,
    },
    /// The text cannot be a key.
    #[error("invalid key {key:?}: parts between '/' must not be empty, at most 512 bytes in all")]
    InvalidKey {
        /// The refused text (shortened if very long).
        key: String,
    },
    /// The value is longer than every backend takes.
    #[error("value of key {key:?} is too long: {length} bytes, at most 524288")]
    ValueTooLong {
        /// The key that was to be written.
        key: String,
        /// The value's length in bytes.
        length: usize,
    },
    /// The transaction has more preconditions or writes than every backend takes.
    #[error("transaction is too large: {count} operations, at most {MAX_OPERATIONS}")]
    TooManyOperations {
        /// How many there are.
        count: usize,
    },
    /// Another process has the file open.
    #[error("store {} is in use by another daemon: stop it, or choose another data root", path.display())]
    InUse {
        /// The store's file.
        path: PathBuf,
    },
    /// The file is of a format that this version does not know.
    #[error("store {} has format {found}, this version reads format {expected}", path.display())]
    Format {
        /// The store's file.
        path: PathBuf,
        /// The format found.
        found: u64,
        /// The format that this version writes.
        expected: u64,
    },
    /// The store cannot be opened.
    #[error("open store {}", path.display())]
    Open {
        /// The store's file.
        path: PathBuf,
        /// What the library says.
        source: Box<redb::Error>,
    },
    /// Reading or writing failed.
    #[error("{operation} store")]
    Backend {
        /// `read` or `write`.
        operation: &'static str,
        /// What the library says.
        source: Box<redb::Error>,
    },
}

impl Error {
    pub(crate) fn read(source: impl Into<redb::Error>) -> Self {
        Self::Backend { operation: "read", source: Box::new(source.into()) }
    }

    pub(crate) fn write(source: impl Into<redb::Error>) -> Self {
        Self::Backend { operation: "write", source: Box::new(source.into()) }
    }
}
