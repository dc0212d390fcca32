//! The one way in which networks change: model, plan, store, kernel.
//!
//! In: a function on the model. Out: its value, with the host as the plan says; or its error, with
//! model, store and host as they were. One change at a time; readers take snapshots and never wait.

use std::sync::{Arc, PoisonError, RwLock};

use hawser_hoststate::{Change, HostState, Object, diff};
use hawser_kernel::{ApplyError, ErrorKind, Kernel, Ownership, Repairs};
use hawser_model::{Model, Sandbox, Touched};
use hawser_plan::{Published, plan, published_ports, relays, relays_all};
use hawser_store::{Embedded, Store, Transaction};
use serde::Serialize;

use super::ports::not_published;
use super::relays::Relaying;
use crate::engine::{blocking, system};
use crate::error::{Error, Kind, Result};

/// How often a change begins again when its tables are taken away under it.
const MENDINGS: usize = 10;

/// The model with the doors that a change goes through.
pub(super) struct Writer {
    store: Arc<Embedded>,
    kernel: Arc<Kernel>,
    relaying: Relaying,
    settings: hawser_plan::Settings,
    model: RwLock<Arc<Model>>,
    /// Held by the work itself, not by who asked for it: a client that goes away must not let the
    /// next change in before this one is done.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// A change that was made, or was only thought through.
pub(super) struct Done<T> {
    /// What the change gave.
    pub value: T,
    /// The steps on the host, in order.
    pub changes: Vec<Change>,
}

/// A change before it happens: everything that can be known without touching anything.
struct Draft<T> {
    old: Arc<Model>,
    new: Arc<Model>,
    touched: Touched,
    before: HostState,
    after: HostState,
    done: Done<T>,
}

/// Records that are not the model's and change with it.
#[derive(Default)]
pub(crate) struct Beside(pub Vec<Rewritten>);

/// A record before and after, as it is stored.
pub(crate) struct Rewritten {
    pub key: String,
    pub old: Vec<u8>,
    pub new: Vec<u8>,
}

impl Beside {
    fn writes(&self, t: Transaction, of: impl Fn(&Rewritten) -> &Vec<u8>) -> Transaction {
        self.0.iter().fold(t, |t, record| t.put(record.key.clone(), of(record).clone()))
    }
}

impl Writer {
    /// A writer of what the store holds.
    pub(super) fn open(
        store: Arc<Embedded>,
        kernel: Arc<Kernel>,
        settings: hawser_plan::Settings,
    ) -> Result<Self> {
        let model = super::records::load(&store)?;
        let model = RwLock::new(Arc::new(model));
        let relaying = Relaying::new(Arc::clone(&kernel));
        Ok(Self { store, kernel, relaying, settings, model, turn: Arc::default() })
    }

    /// The model as it is now.
    pub(super) fn model(&self) -> Arc<Model> {
        Arc::clone(&self.model.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the model, the store and the host, or nothing.
    pub(super) async fn change<T, F>(self: &Arc<Self>, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Model, &Kernel) -> Result<(T, Touched)> + Send + 'static,
    {
        let done = self.change_with(change, |go| go(&Beside::default())).await?;
        Ok(done.value)
    }

    /// The same; `around` makes it happen when it calls what it is given, with the records of
    /// others that change in the same transaction of the store.
    pub(super) async fn change_with<T, F, A>(
        self: &Arc<Self>,
        change: F,
        around: A,
    ) -> Result<Done<T>>
    where
        T: Send + 'static,
        F: FnOnce(&mut Model, &Kernel) -> Result<(T, Touched)> + Send + 'static,
        A: FnOnce(&mut dyn FnMut(&Beside) -> Result<()>) -> Result<()> + Send + 'static,
    {
        let writer = Arc::clone(self);
        let turn = Arc::clone(&self.turn).lock_owned().await;
        blocking(move || {
            let _turn = turn;
            let draft = writer.draft(change)?;
            around(&mut |beside| writer.carry_out(&draft, beside))?;
            Ok(draft.done)
        })
        .await
    }

    /// Changes what the model knows beside its records: nothing is stored or done to the host.
    pub(super) async fn note(&self, note: impl FnOnce(&mut Model)) {
        let _turn = self.turn.lock().await;
        let mut new = Model::clone(&self.model());
        note(&mut new);
        *self.model.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
    }

    /// What a change would do to the host. Nothing is changed.
    pub(super) async fn preview<T, F>(self: &Arc<Self>, change: F) -> Result<Done<T>>
    where
        T: Send + 'static,
        F: FnOnce(&mut Model, &Kernel) -> Result<(T, Touched)> + Send + 'static,
    {
        let writer = Arc::clone(self);
        blocking(move || writer.draft(change).map(|draft| draft.done)).await
    }

    /// What the host has of some networks, sandboxes and endpoints, as the plan says.
    pub(super) fn planned(&self, model: &Model, touched: &Touched) -> HostState {
        plan(model, touched, &self.settings)
    }

    /// The published ports of a sandbox, and who may reach them.
    pub(super) fn published(&self, model: &Model, sandbox: &Sandbox) -> Vec<Published> {
        published_ports(model, sandbox, &self.settings)
    }

    /// What the host has without any network, as the plan says.
    pub(super) fn planned_always(&self) -> HostState {
        hawser_plan::engine_wide(&self.settings)
    }

    fn draft<T>(
        &self,
        change: impl FnOnce(&mut Model, &Kernel) -> Result<(T, Touched)>,
    ) -> Result<Draft<T>> {
        let old = self.model();
        let mut new = Model::clone(&old);
        let (value, touched) = change(&mut new, &self.kernel)?;
        let before = plan(&old, &touched, &self.settings);
        let after = plan(&new, &touched, &self.settings);
        let done = Done { value, changes: diff(&before, &after) };
        Ok(Draft { old, new: Arc::new(new), touched, before, after, done })
    }

    fn carry_out<T>(&self, draft: &Draft<T>, beside: &Beside) -> Result<()> {
        let Draft { old, new, touched, .. } = draft;
        let records = beside.writes(writes(old, new, touched)?, |record| &record.new);
        self.store.commit(records).map_err(|e| system("save the change of the networks", e))?;
        if let Err(error) = self.build(draft) {
            self.way_back(draft, beside);
            return Err(error);
        }
        *self.model.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(new);
        Ok(())
    }

    fn apply(&self, changes: &[Change]) -> std::result::Result<(), ApplyError> {
        let mut done = self.kernel.apply(changes);
        for _ in 0..MENDINGS {
            match done {
                // Somebody took the table away, and its repair waits for this very change.
                Err(error) if lacks_firewall(&error) => {
                    self.mend().map_err(|mending| ApplyError { error: mending, ..error })?;
                    done = self.kernel.apply(changes);
                }
                done => return done,
            }
        }
        done
    }

    /// Makes the firewall what the model says.
    fn mend(&self) -> std::result::Result<Repairs, hawser_kernel::Error> {
        self.kernel.mend_firewall(&self.planned_all())
    }

    fn planned_all(&self) -> HostState {
        hawser_plan::plan_all(&self.model(), &self.settings)
    }

    /// The same, between changes.
    pub(super) async fn mend_firewall(self: &Arc<Self>) -> Result<Repairs> {
        let writer = Arc::clone(self);
        let turn = Arc::clone(&self.turn).lock_owned().await;
        blocking(move || {
            let _turn = turn;
            writer.mend().map_err(|e| system("repair the firewall", e))
        })
        .await
    }

    /// Makes the firewall of the model, whatever there is of it; for the start of the daemon.
    pub(super) async fn load_firewall(self: &Arc<Self>, ownership: Ownership) -> Result<Repairs> {
        let writer = Arc::clone(self);
        let turn = Arc::clone(&self.turn).lock_owned().await;
        blocking(move || {
            let _turn = turn;
            let wanted = writer.planned_all();
            let load = writer.kernel.load_firewall(hawser_plan::SKELETONS, ownership, &wanted);
            load.map_err(|e| {
                let hint = if e.hint.is_empty() { String::new() } else { format!(" ({})", e.hint) };
                system(&format!("load the firewall{hint}"), e)
            })
        })
        .await
    }

    /// Makes the host what the change says, and what is relayed with it.
    fn build<T>(&self, draft: &Draft<T>) -> Result<()> {
        let Draft { old, new, touched, .. } = draft;
        let (before, after) = (relays(old, touched), relays(new, touched));
        self.relaying.end(&before, &after);
        self.apply(&draft.done.changes).map_err(|error| refused_of(draft, error))?;
        self.relaying.begin(&after)
    }

    /// Makes host and store what they were. What fails here is told and left to the next start,
    /// which compares everything.
    fn way_back<T>(&self, draft: &Draft<T>, beside: &Beside) {
        let (before, after) =
            (relays(&draft.old, &draft.touched), relays(&draft.new, &draft.touched));
        self.relaying.end(&after, &before);
        if let Err(error) = self.apply(&diff(&draft.after, &draft.before)) {
            tracing::error!(%error, cause = %error.error, "the way back of a failed change failed too");
        }
        self.relaying.begin_what_can_be(before);
        let saved = writes(&draft.new, &draft.old, &draft.touched).and_then(|t| {
            let t = beside.writes(t, |record| &record.old);
            self.store.commit(t).map_err(|e| system("save the way back", e))
        });
        if let Err(error) = saved {
            tracing::error!(%error, "the records of a failed change could not be put back");
        }
    }

    /// Makes the name servers that the model says, before the host is looked at: containers wait for
    /// them, and nobody else has them yet. What can't be had is told by [`Writer::reconcile`].
    pub(super) async fn raise_name_servers(self: &Arc<Self>) -> Result<()> {
        let writer = Arc::clone(self);
        let turn = Arc::clone(&self.turn).lock_owned().await;
        blocking(move || {
            let _turn = turn;
            let wanted = writer.planned_all();
            let server = |object: &Object| matches!(object, Object::NameServer(_));
            for (_, object) in wanted.iter().filter(|(_, object)| server(object)) {
                if let Err(error) = writer.kernel.apply(&[Change::Add(object.clone())]) {
                    tracing::debug!(%error, "not yet");
                }
            }
            Ok(())
        })
        .await
    }

    /// Makes the whole host what the model says; for the start of the daemon.
    pub(super) async fn reconcile(self: &Arc<Self>) -> Result<usize> {
        let writer = Arc::clone(self);
        let turn = Arc::clone(&self.turn).lock_owned().await;
        blocking(move || {
            let _turn = turn;
            let observed = writer.kernel.observe().map_err(|e| system("observe the host", e))?;
            let mut changes = diff(&observed, &writer.planned_all());
            let all = changes.len();
            while let Err(error) = writer.kernel.apply(&changes) {
                if error.index >= changes.len() {
                    return Err(refused(error));
                }
                // Somebody took a port while no daemon held it; a container that may administer
                // its network took away what the rest stands on. That is no reason to leave all
                // others without an engine: what was applied is confirmed, and the rest goes on.
                changes.remove(error.index);
                let object = format!("{:?}", error.object);
                tracing::error!(object, error = %refused(error), "cannot be had as the records say");
            }
            writer.relaying.begin_what_can_be(relays_all(&writer.model()));
            Ok(all)
        })
        .await
    }
}

/// The writes that lead from the records of one model to those of another; what is the same in
/// both is not written.
fn writes(from: &Model, to: &Model, touched: &Touched) -> Result<Transaction> {
    let mut t = Transaction::new();
    for id in &touched.networks {
        t = write(t, format!("network/{id}"), from.network(*id), to.network(*id))?;
    }
    for id in &touched.sandboxes {
        t = write(t, format!("sandbox/{id}"), from.sandbox(*id), to.sandbox(*id))?;
    }
    for id in &touched.endpoints {
        t = write(t, format!("endpoint/{id}"), from.endpoint(*id), to.endpoint(*id))?;
    }
    Ok(t)
}

fn write<R: Serialize + PartialEq>(
    t: Transaction,
    key: String,
    from: Option<&Arc<R>>,
    to: Option<&Arc<R>>,
) -> Result<Transaction> {
    match to {
        _ if from == to => Ok(t),
        None => Ok(t.delete(key)),
        Some(record) => {
            let value = serde_json::to_vec(&**record);
            Ok(t.put(key, value.map_err(|e| system("write a record", e))?))
        }
    }
}

/// Whether a change found no table, or no set, to write an element to.
fn lacks_firewall(error: &ApplyError) -> bool {
    let element = matches!(&*error.object, hawser_hoststate::Key::Element(_));
    element && error.error.kind == ErrorKind::NotFound
}

/// The same, with Docker's words around a port that could not be published.
fn refused_of<T>(draft: &Draft<T>, error: ApplyError) -> Error {
    let is_port = matches!(&*error.object, hawser_hoststate::Key::HeldPort(_));
    let error = refused(error);
    match draft.touched.sandboxes.first() {
        Some(id) if is_port => {
            // Whoever starts gets his ports; who gets another network has them, wherever they led.
            let ports = |model: &Model| model.sandbox(*id).map(|it| it.publications.clone());
            let starts = ports(&draft.old) != ports(&draft.new);
            not_published(&draft.new, *id, starts, error)
        }
        _ => error,
    }
}

/// What the user reads when the kernel refuses a change.
fn refused(error: ApplyError) -> Error {
    use hawser_hoststate::Key;
    let cause = &error.error;
    let hint = if cause.hint.is_empty() { String::new() } else { format!(" ({})", cause.hint) };
    if let Key::HeldPort(port) = &*error.object {
        let socket = std::net::SocketAddr::new(port.address, port.port);
        let why = match cause.kind {
            ErrorKind::PortTaken => "address already in use".to_owned(),
            ErrorKind::AddressMissing => "cannot assign requested address".to_owned(),
            _ => cause.cause.to_string(),
        };
        let text = format!("failed to bind host port {socket}/{}: {why}{hint}", port.transport);
        return Error::new(Kind::System, text);
    }
    Error::caused(Kind::System, format!("failed to set up the network{hint}"), error.error)
}
