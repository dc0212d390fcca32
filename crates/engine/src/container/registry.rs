//! The registry of containers: who there is, under which names, and what each is doing.
//!
//! In: records. Out: [`Entry`]s, found by id, name or unique id prefix. A record is changed in one
//! place, [`Entry::update`], which writes the store first; readers take snapshots and never wait
//! for an operation. It starts nothing.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use hawser_store::{Embedded, Store, Transaction};
use tokio::sync::{Notify, watch};

use super::health::HealthState;
use super::stream::Waiting;
use super::task::in_place;
use super::wait::Ends;
use crate::engine::system;
use crate::error::{Error, Result};
use crate::network::{Beside, Rewritten};
use crate::record::{Container, ContainerId};

/// Digits of an id that is short, but nobody else's: what `docker ps` shows.
const SHORT_ID: usize = 12;

/// All containers of the engine.
pub struct Containers {
    index: RwLock<Index>,
}

#[derive(Default)]
struct Index {
    by_id: BTreeMap<ContainerId, Arc<Entry>>,
    names: HashMap<String, ContainerId>,
}

/// One container.
pub(crate) struct Entry {
    /// Its id.
    pub(crate) id: ContainerId,
    /// Held by what changes its phase (start, the end of its process, remove, pause), one at a
    /// time. Stopping only asks for the end, so it does not hold it.
    pub(crate) lifecycle: tokio::sync::Mutex<()>,
    /// Counts its ends; see `wait.rs`.
    pub(crate) ends: watch::Sender<Ends>,
    /// The last wait before a restart by the policy.
    restart_wait: Mutex<Option<Duration>>,
    /// Wakes a restart that waits for its time.
    pub(crate) cancel_restart: Notify,
    /// Set while a restart runs: its end is then not the container's.
    pub(crate) keep: AtomicBool,
    /// Clients that attach.
    clients: Mutex<Clients>,
    /// Results of its health checks.
    pub(crate) health: Mutex<Option<HealthState>>,
    record: RwLock<Arc<Container>>,
    /// Held while the record is changed: the store is slow, readers must not wait for it. It says
    /// whether there is a record: who waited for a removal must not write it anew.
    writer: Mutex<Recorded>,
}

/// Whether a container has a record in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recorded {
    Yes,
    Removed,
}

/// Clients that attached, or want to.
#[derive(Default)]
pub(crate) struct Clients {
    /// Whether a process is there that further clients connect to themselves.
    pub(crate) joined: bool,
    /// Those that wait for the process.
    pub(crate) queue: Vec<Waiting>,
}

impl Containers {
    /// Reads the records from the store.
    ///
    /// # Errors
    /// The store cannot be read, or holds what is no record.
    pub(crate) fn open(store: &Embedded) -> Result<Self> {
        let listing = store.list("container/").map_err(|e| system("list the containers", e))?;
        let mut index = Index::default();
        for stored in listing.entries {
            let record: Container = serde_json::from_slice(&stored.value)
                .map_err(|e| system(&format!("read the record {}", stored.key), e))?;
            index.insert(Entry::new(record));
        }
        Ok(Self { index: RwLock::new(index) })
    }

    /// Adds a container whose name is reserved; the record is stored before it is seen.
    ///
    /// # Errors
    /// The store cannot be written.
    pub(crate) fn add(&self, store: &Embedded, record: Container) -> Result<Arc<Entry>> {
        let entry = Entry::new(record);
        entry.store(store, &entry.record())?;
        self.write().insert(Arc::clone(&entry));
        Ok(entry)
    }

    /// Takes a name for a container.
    ///
    /// # Errors
    /// Conflict, in Docker's words, if another has it.
    pub(crate) fn reserve(&self, name: &str, id: &ContainerId) -> Result<()> {
        let mut index = self.write();
        match index.names.get(name) {
            Some(holder) if holder != id => Err(taken(name, holder)),
            _ => {
                index.names.insert(name.to_owned(), id.clone());
                Ok(())
            }
        }
    }

    /// Refuses a name that a container has; takes none.
    ///
    /// # Errors
    /// As [`Containers::reserve`].
    pub(crate) fn check_free(&self, name: &str) -> Result<()> {
        self.read().names.get(name).map_or(Ok(()), |holder| Err(taken(name, holder)))
    }

    /// Gives a name back, if this container has it.
    pub(crate) fn release(&self, name: &str, id: &ContainerId) {
        let mut index = self.write();
        if index.names.get(name) == Some(id) {
            index.names.remove(name);
        }
    }

    /// Forgets a container, in the store as well.
    pub(crate) fn remove(&self, store: &Embedded, entry: &Entry) -> Result<()> {
        let transaction = Transaction::new().delete(key(&entry.id));
        let mut recorded = entry.writer();
        store.commit(transaction).map_err(|e| system("remove the container's record", e))?;
        *recorded = Recorded::Removed;
        drop(recorded);
        let name = entry.record().name.clone();
        self.release(&name, &entry.id);
        self.write().by_id.remove(&entry.id);
        Ok(())
    }

    /// The container that a reference means: its id, its name, or the unique beginning of its id,
    /// in this order.
    ///
    /// # Errors
    /// NotFound or, for an ambiguous prefix, Invalid; in Docker's words.
    pub(crate) fn find(&self, reference: &str) -> Result<Arc<Entry>> {
        if reference.is_empty() {
            return Err(Error::invalid("No container name or ID supplied"));
        }
        let index = self.read();
        index.whole(reference).map_or_else(|| index.by_prefix(reference), Ok)
    }

    /// The container that a record goes on naming: by its name, or its id, whole or short. A few
    /// digits of an id that were typed once may be another's, or a name that is gone.
    pub(crate) fn find_kept(&self, reference: &str) -> Option<Arc<Entry>> {
        let index = self.read();
        let short = || index.by_prefix(reference).ok().filter(|_| reference.len() >= SHORT_ID);
        index.whole(reference).or_else(short)
    }

    /// The container with this id.
    pub(crate) fn get(&self, id: &ContainerId) -> Option<Arc<Entry>> {
        self.read().by_id.get(id).cloned()
    }

    /// All containers, in no order that means anything.
    pub(crate) fn all(&self) -> Vec<Arc<Entry>> {
        self.read().by_id.values().cloned().collect()
    }

    /// Changes the records that `change` gives anew, all in the one transaction that `commit` makes
    /// with what it is handed; an error of either changes none. Blocks.
    ///
    /// # Errors
    /// What `change` and `commit` say.
    pub(crate) fn update_together(
        &self,
        change: impl Fn(&Container) -> Result<Option<Container>>,
        commit: impl FnOnce(&Beside) -> Result<()>,
    ) -> Result<()> {
        let entries = self.all();
        let mut beside = Beside::default();
        let mut changed = Vec::new();
        for entry in &entries {
            let recorded = entry.writer();
            let old = entry.record();
            let next = if *recorded == Recorded::Yes { change(&old)? } else { None };
            if let Some(next) = next {
                let (old, new) = (encoded(&old)?, encoded(&next)?);
                beside.0.push(Rewritten { key: key(&entry.id), old, new });
                changed.push((entry, recorded, next));
            }
        }
        commit(&beside)?;
        for (entry, _recorded, next) in changed {
            entry.show(next);
        }
        Ok(())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn insert(&mut self, entry: Arc<Entry>) {
        self.names.insert(entry.record().name.clone(), entry.id.clone());
        self.by_id.insert(entry.id.clone(), entry);
    }

    /// By the whole id, or the name.
    fn whole(&self, reference: &str) -> Option<Arc<Entry>> {
        let id = reference.parse().ok().filter(|id: &ContainerId| self.by_id.contains_key(id));
        let name = reference.strip_prefix('/').unwrap_or(reference);
        let id = id.as_ref().or_else(|| self.names.get(name))?;
        self.by_id.get(id).cloned()
    }

    fn by_prefix(&self, prefix: &str) -> Result<Arc<Entry>> {
        let not_found = || Error::not_found(format!("No such container: {prefix}"));
        // Ids are hexadecimal text in order: those with the prefix follow it without a gap.
        let mut with_prefix = self
            .by_id
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(id, _)| id.as_str().starts_with(prefix));
        let (_, entry) = with_prefix.next().ok_or_else(not_found)?;
        match with_prefix.next() {
            None => Ok(Arc::clone(entry)),
            Some(_) => {
                Err(Error::invalid(format!("Multiple IDs found with provided prefix: {prefix}")))
            }
        }
    }
}

impl Entry {
    pub(crate) fn new(record: Container) -> Arc<Self> {
        Arc::new(Self {
            id: record.id.clone(),
            lifecycle: tokio::sync::Mutex::default(),
            ends: watch::Sender::new(Ends::default()),
            restart_wait: Mutex::default(),
            cancel_restart: Notify::new(),
            keep: AtomicBool::new(false),
            clients: Mutex::default(),
            health: Mutex::default(),
            record: RwLock::new(Arc::new(record)),
            writer: Mutex::new(Recorded::Yes),
        })
    }

    /// The record as it is now.
    pub(crate) fn record(&self) -> Arc<Container> {
        Arc::clone(&self.record.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The record once a start that is under way has come to its end: output is seen before that,
    /// and what a client does about it is meant for the container that runs.
    pub(crate) async fn settled(&self) -> Arc<Container> {
        let record = self.record();
        if record.state.is_running() {
            return record;
        }
        let _one = self.lifecycle.lock().await;
        self.record()
    }

    /// Changes the record: stored first, then seen. Changes of one record are made one at a time.
    ///
    /// # Errors
    /// The store cannot be written, or the container was removed; nothing is changed then.
    pub(crate) fn update(
        &self,
        store: &Embedded,
        change: impl FnOnce(&mut Container),
    ) -> Result<Arc<Container>> {
        let recorded = self.writer();
        if *recorded == Recorded::Removed {
            return Err(Error::not_found(format!("No such container: {}", self.id)));
        }
        let mut next = Container::clone(&self.record());
        change(&mut next);
        in_place(|| self.store(store, &next))?;
        Ok(self.show(next))
    }

    /// Changes the record in the one transaction that `commit` makes with what it is handed: then
    /// all of it is changed, or nothing. Blocks.
    ///
    /// # Errors
    /// The container was removed; what `commit` says.
    pub(crate) fn update_beside(
        &self,
        change: impl FnOnce(&mut Container),
        commit: impl FnOnce(&Beside) -> Result<()>,
    ) -> Result<Arc<Container>> {
        let recorded = self.writer();
        if *recorded == Recorded::Removed {
            return Err(Error::not_found(format!("No such container: {}", self.id)));
        }
        let old = self.record();
        let mut next = Container::clone(&old);
        change(&mut next);
        let (old, new) = (encoded(&old)?, encoded(&next)?);
        commit(&Beside(vec![Rewritten { key: key(&self.id), old, new }]))?;
        Ok(self.show(next))
    }

    /// What is stored is seen from now on; the caller holds the writer.
    fn show(&self, next: Container) -> Arc<Container> {
        let next = Arc::new(next);
        *self.record.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        next
    }

    fn writer(&self) -> MutexGuard<'_, Recorded> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clients that attached before the start.
    pub(crate) fn waiting(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last wait before a restart by the policy.
    pub(crate) fn restart_wait(&self) -> MutexGuard<'_, Option<Duration>> {
        self.restart_wait.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, store: &Embedded, record: &Container) -> Result<()> {
        let transaction = Transaction::new().put(key(&self.id), encoded(record)?);
        store.commit(transaction).map_err(|e| system("store the container's record", e))?;
        Ok(())
    }
}

fn taken(name: &str, holder: &ContainerId) -> Error {
    Error::conflict(format!(
        "Conflict. The container name \"/{name}\" is already in use by container \"{holder}\". You \
         have to remove (or rename) that container to be able to reuse that name."
    ))
}

fn encoded(record: &Container) -> Result<Vec<u8>> {
    serde_json::to_vec(record).map_err(|e| system("encode a record", e))
}

fn key(id: &ContainerId) -> String {
    format!("container/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::record;
    use crate::error::Kind;

    fn store() -> (tempfile::TempDir, Embedded) {
        let dir = tempfile::tempdir().unwrap();
        let store = Embedded::open(&dir.path().join("db")).unwrap();
        (dir, store)
    }

    fn add(all: &Containers, store: &Embedded, name: &str, id: &str) -> Arc<Entry> {
        let mut record = record(name);
        record.id = format!("{id:0<64}").parse().unwrap();
        all.reserve(name, &record.id).unwrap();
        all.add(store, record).unwrap()
    }

    #[test]
    fn references_are_ids_names_and_prefixes() {
        let (_dir, store) = store();
        let all = Containers::open(&store).unwrap();
        let one = add(&all, &store, "one", "ab1");
        let two = add(&all, &store, "ab1", "ab2");
        assert_eq!(all.find(one.id.as_str()).unwrap().id, one.id);
        assert_eq!(all.find("/one").unwrap().id, one.id);
        assert_eq!(all.find("ab1").unwrap().id, two.id, "a name goes before a prefix");
        assert_eq!(all.find("ab10").unwrap().id, one.id);
        let message = |reference: &str| all.find(reference).map(|_| ()).unwrap_err().to_string();
        assert_eq!(message("ab"), "Multiple IDs found with provided prefix: ab");
        assert_eq!(message("nosuch"), "No such container: nosuch");
    }

    #[test]
    fn a_name_is_one_containers() {
        let (_dir, store) = store();
        let all = Containers::open(&store).unwrap();
        let one = add(&all, &store, "one", "a");
        let error = all.reserve("one", &ContainerId::random()).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        let wanted = format!(
            "Conflict. The container name \"/one\" is already in use by container \"{}\". You have \
             to remove (or rename) that container to be able to reuse that name.",
            one.id
        );
        assert_eq!(error.to_string(), wanted);
        all.remove(&store, &one).unwrap();
        assert!(all.reserve("one", &ContainerId::random()).is_ok());
    }

    #[test]
    fn what_was_removed_is_not_stored_anew() {
        let (_dir, store) = store();
        let all = Containers::open(&store).unwrap();
        let one = add(&all, &store, "one", "a");
        all.remove(&store, &one).unwrap();
        let error = one.update(&store, |record| record.name = "two".to_owned()).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        assert!(Containers::open(&store).unwrap().all().is_empty());
    }

    #[test]
    fn what_is_changed_is_stored() {
        let (_dir, store) = store();
        let all = Containers::open(&store).unwrap();
        let one = add(&all, &store, "one", "a");
        one.update(&store, |record| record.state.exit_code = 7).unwrap();
        let again = Containers::open(&store).unwrap().find("one").unwrap().record();
        assert_eq!(again.state.exit_code, 7);
    }
}
