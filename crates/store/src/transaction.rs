//! A transaction: preconditions and writes that hold together.
//!
//! In: keys, values, expected revisions. Out: a value that a backend commits as a whole.
//! It touches no store itself.

use crate::{Error, MAX_KEY, MAX_OPERATIONS, MAX_VALUE, Result, Revision};

/// What must hold for a key when the transaction is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing is stored under the key.
    Absent(String),
    /// The key holds the value written by this revision.
    At(String, Revision),
}

impl Expect {
    /// The key that is spoken of.
    pub fn key(&self) -> &str {
        match self {
            Self::Absent(key) | Self::At(key, _) => key,
        }
    }
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Stores the value under the key, whatever was there.
    Put(String, Vec<u8>),
    /// Removes the key; no error if it is absent.
    Delete(String),
}

impl Write {
    /// The key that is written.
    pub fn key(&self) -> &str {
        match self {
            Self::Put(key, _) | Self::Delete(key) => key,
        }
    }
}

/// Preconditions and writes, committed together or not at all.
///
/// ```
/// use hawser_store::Transaction;
/// let t = Transaction::new().absent("network/1").put("network/1", "{}").delete("network/0");
/// assert_eq!(t.writes().len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    expects: Vec<Expect>,
    writes: Vec<Write>,
}

impl Transaction {
    /// Expects nothing, writes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds: nothing may be stored under `key`.
    #[must_use]
    pub fn absent(mut self, key: impl Into<String>) -> Self {
        self.expects.push(Expect::Absent(key.into()));
        self
    }

    /// Adds: `key` must hold what `revision` wrote.
    #[must_use]
    pub fn at(mut self, key: impl Into<String>, revision: Revision) -> Self {
        self.expects.push(Expect::At(key.into(), revision));
        self
    }

    /// Adds a put.
    #[must_use]
    pub fn put(mut self, key: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.writes.push(Write::Put(key.into(), value.into()));
        self
    }

    /// Adds a delete.
    #[must_use]
    pub fn delete(mut self, key: impl Into<String>) -> Self {
        self.writes.push(Write::Delete(key.into()));
        self
    }

    /// The preconditions, in order.
    pub fn expects(&self) -> &[Expect] {
        &self.expects
    }

    /// The writes, in order. A later write of a key wins over an earlier one.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// Checks the limits that hold for every backend.
    ///
    /// Errors: [`Error::InvalidKey`], [`Error::ValueTooLong`], [`Error::TooManyOperations`].
    pub fn check(&self) -> Result<()> {
        let count = self.expects.len().max(self.writes.len());
        if count > MAX_OPERATIONS {
            return Err(Error::TooManyOperations { count });
        }
        let expected = self.expects.iter().map(Expect::key);
        expected.chain(self.writes.iter().map(Write::key)).try_for_each(check_key)?;
        self.writes.iter().try_for_each(check_value)
    }
}

/// A key is `/`-separated parts, none empty, without control characters, at most [`MAX_KEY`] bytes.
pub(crate) fn check_key(key: &str) -> Result<()> {
    let bad_part = |part: &str| part.is_empty() || part.contains(char::is_control);
    if key.len() > MAX_KEY || key.split('/').any(bad_part) {
        return Err(Error::InvalidKey { key: key.chars().take(MAX_KEY).collect() });
    }
    Ok(())
}

fn check_value(write: &Write) -> Result<()> {
    match write {
        Write::Put(key, value) if value.len() > MAX_VALUE => {
            Err(Error::ValueTooLong { key: key.clone(), length: value.len() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_no_empty_parts_and_no_control_characters() {
        for good in ["a", "network/1f", "a/b c/d"] {
            assert!(check_key(good).is_ok(), "{good:?}");
        }
        let long = "a".repeat(MAX_KEY + 1);
        for bad in ["", "/a", "a/", "a//b", "a\n", &long] {
            assert!(matches!(check_key(bad), Err(Error::InvalidKey { .. })), "{bad:?}");
        }
    }

    #[test]
    fn limits_are_checked() {
        let big = Transaction::new().put("a", vec![0; MAX_VALUE + 1]);
        assert!(matches!(big.check(), Err(Error::ValueTooLong { .. })));
        let many = (0..=MAX_OPERATIONS).fold(Transaction::new(), |t, n| t.delete(format!("k/{n}")));
        assert!(
            matches!(many.check(), Err(Error::TooManyOperations { count }) if count == MAX_OPERATIONS + 1)
        );
        assert!(Transaction::new().absent("a/b").put("a/b", "x").check().is_ok());
    }
}
