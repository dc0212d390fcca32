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

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn passes_the_contract() {
        let directory = tempfile::tempdir().unwrap();
        let mut count = 0;
        crate::contract::check(|| {
            count += 1;
            Embedded::open(&directory.path().join(format!("{count}.redb"))).unwrap()
        });
    }

    #[test]
    fn what_was_committed_is_there_after_reopening() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.redb");
        let store = Embedded::open(&path).unwrap();
        let revision = store.commit(Transaction::new().put("a", "1")).unwrap();
        drop(store);
        let store = Embedded::open(&path).unwrap();
        assert_eq!(store.get("a").unwrap().unwrap().revision, revision);
        assert!(store.commit(Transaction::new().put("a", "2")).unwrap() > revision);
    }

    #[test]
    fn a_second_opener_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.redb");
        let _first = Embedded::open(&path).unwrap();
        let error = Embedded::open(&path).unwrap_err();
        assert!(matches!(error, Error::InUse { .. }), "{error}");
        assert!(error.to_string().contains("in use by another daemon"), "{error}");
    }

    #[test]
    fn another_format_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.redb");
        let store = Embedded::open(&path).unwrap();
        let writing = store.database.begin_write().unwrap();
        writing.open_table(META).unwrap().insert("format", 7).unwrap();
        writing.commit().unwrap();
        drop(store);
        assert!(matches!(Embedded::open(&path), Err(Error::Format { found: 7, .. })));
    }

    #[test]
    fn a_file_that_is_not_a_store_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.redb");
        std::fs::write(&path, b"this is no store, whatever its name may say").unwrap();
        assert!(matches!(Embedded::open(&path), Err(Error::Open { .. })));
    }

    #[test]
    fn a_reader_does_not_wait_for_a_writer() {
        let directory = tempfile::tempdir().unwrap();
        let store = Embedded::open(&directory.path().join("s.redb")).unwrap();
        store.commit(Transaction::new().put("a", "1")).unwrap();
        let writing = store.database.begin_write().unwrap();
        assert_eq!(store.get("a").unwrap().unwrap().value, b"1");
        assert_eq!(store.list("").unwrap().entries.len(), 1);
        writing.abort().unwrap();
    }

    /// Where the child of `what_was_acknowledged_survives_kill` finds its file.
    const CHILD: &str = "HAWSER_STORE_TEST_FILE";

    #[test]
    #[ignore = "the child process of what_was_acknowledged_survives_kill"]
    fn commits_until_it_is_killed() {
        let path = std::env::var_os(CHILD).unwrap();
        let store = Embedded::open(Path::new(&path)).unwrap();
        let start = store.list("n/").unwrap().entries.len();
        for n in start.. {
            store
                .commit(
                    Transaction::new().absent(format!("n/{n:08}")).put(format!("n/{n:08}"), "x"),
                )
                .unwrap();
            println!("\nacknowledged {n}");
        }
    }

    #[test]
    fn what_was_acknowledged_survives_kill() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.redb");
        let mut acknowledged = 0;
        for round in 1..=5 {
            acknowledged = kill_after(&path, acknowledged + 20 * round);
            let store = Embedded::open(&path).unwrap();
            let entries = store.list("n/").unwrap().entries;
            assert!(entries.len() > acknowledged, "{} of {acknowledged}", entries.len());
            for (n, entry) in entries.iter().enumerate() {
                assert_eq!(entry.key, format!("n/{n:08}"));
            }
        }
    }

    /// Runs the committing child, kills it once it has acknowledged `enough`; returns the last
    /// number that it acknowledged.
    fn kill_after(path: &Path, enough: usize) -> usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "embedded::tests::commits_until_it_is_killed",
                "--nocapture",
                "--ignored",
            ])
            .env(CHILD, path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut last = 0;
        for line in lines.map_while(Result::ok) {
            let Some(n) = line.strip_prefix("acknowledged ") else { continue };
            last = n.parse().unwrap();
            if last >= enough {
                // SIGKILL; lines that it wrote before are still read.
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(last >= enough, "the child ended early, after {last}");
        last
    }
}
