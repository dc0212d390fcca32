//! The embedded store: one file, the default backend.
//!
//! In: transactions. Out: entries. On redb: copy-on-write B-trees, one fsync per commit, readers
//! see the last commit and never wait for a writer. The file is locked while it is open.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, Table, TableDefinition};

use crate::transaction::check_key;
use crate::watch::Watchers;
use crate::{Entry, Error, Expect, Listing, Result, Revision, Store, Transaction, Watch, Write};

/// Key → (revision that wrote it, value).
const ENTRIES: TableDefinition<&str, (u64, &[u8])> = TableDefinition::new("entries");
/// `format` and `revision`.
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
const FORMAT: u64 = 1;

/// A store in one file.
#[derive(Debug)]
pub struct Embedded {
    database: Database,
    /// Held over a whole commit, so that events come in the order of the commits.
    watchers: Mutex<Watchers>,
}

impl Embedded {
    /// Opens the file, or makes it. After a crash it repairs itself here.
    ///
    /// Errors: [`Error::InUse`] when another process has it open, [`Error::Format`], [`Error::Open`].
    pub fn open(path: &Path) -> Result<Self> {
        let open =
            |source: redb::Error| Error::Open { path: path.to_owned(), source: Box::new(source) };
        let database = Database::create(path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => Error::InUse { path: path.to_owned() },
            other => open(other.into()),
        })?;
        let store = Self { database, watchers: Mutex::default() };
        let found = store.initialise()?;
        if found != FORMAT {
            return Err(Error::Format { path: path.to_owned(), found, expected: FORMAT });
        }
        Ok(store)
    }

    /// Makes the tables of a new file; returns the format that the file has now.
    fn initialise(&self) -> Result<u64> {
        if let Some(format) = self.format()? {
            return Ok(format);
        }
        let transaction = self.database.begin_write().map_err(Error::write)?;
        transaction.open_table(ENTRIES).map_err(Error::write)?;
        {
            let mut meta = transaction.open_table(META).map_err(Error::write)?;
            meta.insert("format", FORMAT).map_err(Error::write)?;
            meta.insert("revision", 0).map_err(Error::write)?;
        }
        transaction.commit().map_err(Error::write)?;
        Ok(FORMAT)
    }

    fn format(&self) -> Result<Option<u64>> {
        let transaction = self.database.begin_read().map_err(Error::read)?;
        match transaction.open_table(META) {
            Ok(meta) => Ok(meta.get("format").map_err(Error::read)?.map(|format| format.value())),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(Error::read(error)),
        }
    }
}

impl Store for Embedded {
    fn get(&self, key: &str) -> Result<Option<Entry>> {
        check_key(key)?;
        let transaction = self.database.begin_read().map_err(Error::read)?;
        let entries = transaction.open_table(ENTRIES).map_err(Error::read)?;
        let found = entries.get(key).map_err(Error::read)?;
        Ok(found.map(|guard| entry(key, guard.value())))
    }

    fn list(&self, prefix: &str) -> Result<Listing> {
        let transaction = self.database.begin_read().map_err(Error::read)?;
        let meta = transaction.open_table(META).map_err(Error::read)?;
        let revision = current(&meta).map_err(Error::read)?;
        let table = transaction.open_table(ENTRIES).map_err(Error::read)?;
        let mut entries = Vec::new();
        for item in table.range(prefix..).map_err(Error::read)? {
            let (key, value) = item.map_err(Error::read)?;
            if !key.value().starts_with(prefix) {
                break;
            }
            entries.push(entry(key.value(), value.value()));
        }
        Ok(Listing { entries, revision })
    }

    fn commit(&self, transaction: Transaction) -> Result<Revision> {
        transaction.check()?;
        // A panic while it was held cannot leave the list of watchers half-changed.
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let writing = self.database.begin_write().map_err(Error::write)?;
        let revision = {
            let mut meta = writing.open_table(META).map_err(Error::write)?;
            let mut entries = writing.open_table(ENTRIES).map_err(Error::write)?;
            check(&entries, transaction.expects())?;
            let revision = Revision(current(&meta).map_err(Error::write)?.0 + 1);
            write(&mut entries, revision, transaction.writes()).map_err(Error::write)?;
            meta.insert("revision", revision.0).map_err(Error::write)?;
            revision
        };
        writing.commit().map_err(Error::write)?;
        watchers.tell(revision, transaction.writes());
        Ok(revision)
    }

    fn watch(&self, prefix: &str) -> Result<Watch> {
        Ok(self.watchers.lock().unwrap_or_else(PoisonError::into_inner).add(prefix))
    }
}

type Entries<'txn> = Table<'txn, &'static str, (u64, &'static [u8])>;

fn entry(key: &str, (revision, value): (u64, &[u8])) -> Entry {
    Entry { key: key.to_owned(), value: value.to_vec(), revision: Revision(revision) }
}

fn current(meta: &impl ReadableTable<&'static str, u64>) -> Result<Revision, redb::StorageError> {
    Ok(Revision(meta.get("revision")?.map_or(0, |revision| revision.value())))
}

fn check(entries: &Entries<'_>, expects: &[Expect]) -> Result<()> {
    for expect in expects {
        let found = entries.get(expect.key()).map_err(Error::write)?;
        let found = found.map(|guard| Revision(guard.value().0));
        let holds = match expect {
            Expect::Absent(_) => found.is_none(),
            Expect::At(_, revision) => found == Some(*revision),
        };
        if !holds {
            return Err(Error::Conflict { key: expect.key().to_owned() });
        }
    }
    Ok(())
}

fn write(
    entries: &mut Entries<'_>,
    revision: Revision,
    writes: &[Write],
) -> Result<(), redb::StorageError> {
    for write in writes {
        match write {
            Write::Put(key, value) => {
                entries.insert(key.as_str(), (revision.0, value.as_slice()))?;
            }
            Write::Delete(key) => {
                entries.remove(key.as_str())?;
            }
        }
    }
    Ok(())
}
