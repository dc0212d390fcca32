//! Keys, revisions and transactions: where the engine's records are kept.
//!
//! In: keys (`/`-separated text), values (bytes) and [`Transaction`]s with preconditions.
//! Out: [`Entry`]s with the [`Revision`] that wrote them, and [`Event`]s of what was committed.
//! It does not know what it stores, interprets no value and makes no key.
//!
//! [`Store`] is what every backend offers; [`Embedded`] is the default one, a single file.
//! `contract.rs` holds the test that any backend must pass.

#[cfg(test)]
mod contract;
mod embedded;
mod error;
mod transaction;
mod watch;

pub use embedded::Embedded;
pub use error::{Error, Result};
pub use transaction::{Expect, Transaction, Write};
pub use watch::{Change, Event, NoEvent, Watch};

/// Longest key, in bytes (etcd and Consul take more; the engine's own are below 150).
pub const MAX_KEY: usize = 512;
/// Longest value, in bytes: what Consul takes, the tightest of the backends.
pub const MAX_VALUE: usize = 512 * 1024;
/// Most preconditions and writes in one transaction, each: a network with as many containers as a
/// bridge has ports gets another name in one (etcd takes more than 128 with `--max-txn-ops`).
pub const MAX_OPERATIONS: usize = 4096;

/// When something was written: a number that grows with every commit of the whole store.
/// 0 is before the first commit. (etcd: `mod_revision`, Consul: `ModifyIndex`.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// One key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, as it was put.
    pub key: String,
    /// The value, as it was put.
    pub value: Vec<u8>,
    /// The commit that wrote this value.
    pub revision: Revision,
}

/// What lay below a prefix at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The entries, ordered by key.
    pub entries: Vec<Entry>,
    /// The store's revision at that moment.
    pub revision: Revision,
}

/// What every backend offers. Calls block: an asynchronous caller uses a blocking thread.
pub trait Store: Send + Sync {
    /// The entry under `key`, or `None`.
    fn get(&self, key: &str) -> Result<Option<Entry>>;

    /// All entries whose key begins with `prefix` (`network/` lists the networks), at one moment.
    fn list(&self, prefix: &str) -> Result<Listing>;

    /// Checks all preconditions and makes all writes, or makes none. When it returns `Ok`, the
    /// writes survive a crash of the process and of the machine. The revision is the new one.
    ///
    /// Errors: [`Error::Conflict`] names the first precondition that does not hold.
    fn commit(&self, transaction: Transaction) -> Result<Revision>;

    /// Events of every commit from now on that touches a key beginning with `prefix`.
    /// To miss nothing: watch first, then list, and skip events up to the listing's revision.
    fn watch(&self, prefix: &str) -> Result<Watch>;
}
