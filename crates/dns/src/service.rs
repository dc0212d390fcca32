//! The service: which sandboxes are answered, and what they see.
//!
//! In: sockets, views, zones. Out: a [`Task`] for each sandbox, which does the answering.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::sleep;

use crate::counters::{Counters, Tally};
use crate::explain::explain;
use crate::explanation::{Explanation, Unexplained};
use crate::sandbox::{Sandbox, Zones};
use crate::task::Task;
use crate::{Names, Settings, Sockets, Upstream, View, Zone};

/// How often what is not needed any longer is let go of, while there is such.
const SWEEP: Duration = Duration::from_secs(5);

/// The name service of the daemon, for all sandboxes. Cloning it gives another handle.
#[derive(Clone)]
pub struct Dns(Arc<Service>);

struct Service {
    runtime: Handle,
    settings: Settings,
    zones: Arc<Zones>,
    sandboxes: Arc<Mutex<Sandboxes>>,
    sweeper: Arc<Notify>,
    sweeping: AbortHandle,
}

#[derive(Default)]
struct Sandboxes {
    served: HashMap<String, Serving>,
    /// What those have counted that are served no more.
    gone: Tally,
}

/// A sandbox that is served.
struct Serving {
    sandbox: Arc<Sandbox>,
    /// Dropped to end the task.
    _end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// A service that was told to stop. It does so whether or not this is waited for.
#[derive(Debug)]
pub struct Stopped(Option<JoinHandle<()>>);

impl Stopped {
    /// Waits until the sockets are closed (and others may be opened in their place).
    pub async fn closed(self) {
        if let Some(task) = self.0 {
            // It cannot be cancelled, and a panic in it closed the sockets as well.
            drop(task.await);
        }
    }
}

impl Dns {
    /// A name service whose tasks run on this runtime; it serves nothing yet.
    pub fn new(runtime: Handle, settings: Settings) -> Self {
        let (sandboxes, sweeper): (Arc<Mutex<Sandboxes>>, Arc<Notify>) = Default::default();
        let sweeping = runtime.spawn(sweep(Arc::downgrade(&sandboxes), Arc::clone(&sweeper)));
        let sweeping = sweeping.abort_handle();
        let zones = Arc::default();
        Self(Arc::new(Service { runtime, settings, zones, sandboxes, sweeper, sweeping }))
    }

    /// Starts to answer on these sockets, in place of what served this sandbox before.
    /// `upstreams` are asked in order; none: names that are not ours get SERVFAIL.
    pub fn serve(
        &self,
        sandbox: &str,
        sockets: Sockets,
        view: View,
        upstreams: Vec<Upstream>,
    ) -> io::Result<()> {
        let service = &self.0;
        sockets.udp.set_nonblocking(true)?;
        sockets.tcp.set_nonblocking(true)?;
        // Registering sockets needs the runtime, and the caller may be on any thread.
        let _inside = service.runtime.enter();
        let udp = UdpSocket::from_std(sockets.udp)?;
        let tcp = TcpListener::from_std(sockets.tcp)?;
        let (zones, sweeper) = (Arc::clone(&service.zones), Arc::clone(&service.sweeper));
        let state = Sandbox::new(view, zones, upstreams, service.settings.cache, sweeper);
        let state = Arc::new(state);
        let (end, ended) = oneshot::channel();
        let task = service.runtime.spawn(Task::new(Arc::clone(&state), udp, tcp).run(ended));
        let serving = Serving { sandbox: state, _end: end, task };
        let mut sandboxes = self.sandboxes();
        let before = sandboxes.served.insert(sandbox.to_owned(), serving);
        sandboxes.retire(before.as_ref());
        Ok(())
    }

    /// Changes what a sandbox sees, at once; nothing if it is not served.
    pub fn set_view(&self, sandbox: &str, view: View) {
        if let Some(sandbox) = self.sandbox(sandbox) {
            sandbox.set_view(view);
        }
    }

    /// Changes who is asked what is not ours, at once; nothing if the sandbox is not served. What
    /// others have said is forgotten.
    pub fn set_upstreams(&self, sandbox: &str, upstreams: Vec<Upstream>) {
        if let Some(sandbox) = self.sandbox(sandbox) {
            sandbox.set_upstreams(upstreams);
        }
    }

    /// Puts a zone (a network's names) in place of the one of this key, at once and whole.
    pub fn set_zone(&self, key: &str, zone: Zone) {
        let mut zones = self.0.zones.write().unwrap_or_else(PoisonError::into_inner);
        let before = zones.insert(key.to_owned(), zone);
        // Nobody waits while the old names are freed.
        drop(zones);
        drop(before);
    }

    /// Gives an owner in a zone these names instead of those it has, or none, at once. Whether the
    /// zone is there.
    pub fn set_names(&self, key: &str, owner: &str, names: Option<Names>) -> bool {
        let mut zones = self.0.zones.write().unwrap_or_else(PoisonError::into_inner);
        let zone = zones.get_mut(key);
        let known = zone.is_some();
        match (zone, names) {
            (Some(zone), Some(names)) => zone.set(owner, names),
            (Some(zone), None) => zone.remove(owner),
            (None, _) => {}
        }
        known
    }

    /// Forgets a zone.
    pub fn remove_zone(&self, key: &str) {
        self.0.zones.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Stops answering in a sandbox and closes its sockets; nothing if it is not served.
    /// They are closed when [`Stopped::closed`] has ended, very soon after.
    pub fn stop(&self, sandbox: &str) -> Stopped {
        let mut sandboxes = self.sandboxes();
        let serving = sandboxes.served.remove(sandbox);
        sandboxes.retire(serving.as_ref());
        Stopped(serving.map(|serving| serving.task))
    }

    /// Whether the sandbox is served.
    pub fn serves(&self, sandbox: &str) -> bool {
        self.sandboxes().served.contains_key(sandbox)
    }

    /// What has been asked and answered by now.
    pub fn counters(&self) -> Counters {
        let sandboxes = self.sandboxes();
        let mut counters = Counters { total: sandboxes.gone.clone(), ..Counters::default() };
        let mut healthy: BTreeMap<SocketAddr, bool> = BTreeMap::new();
        for (key, Serving { sandbox, .. }) in &sandboxes.served {
            let tally = sandbox.tally();
            counters.total.absorb(&tally);
            counters.sandboxes.insert(key.clone(), tally);
            for candidate in sandbox.candidates() {
                *healthy.entry(candidate.address).or_default() |= candidate.healthy;
            }
        }
        for (address, upstream) in &mut counters.total.upstreams {
            // Nothing is held against one that nobody has now.
            upstream.healthy = healthy.get(address).copied().unwrap_or(true);
        }
        counters
    }

    /// How a question of a sandbox is answered now, and why: it is asked, as the sandbox would ask.
    /// `kind` is the number of the type. It may take as long as any question, below 5 s.
    ///
    /// # Errors
    /// The sandbox is not served, or nothing can be called that.
    pub async fn explain(
        &self,
        sandbox: &str,
        name: &str,
        kind: u16,
    ) -> Result<Explanation, Unexplained> {
        let sandbox = self.sandbox(sandbox).ok_or(Unexplained::NotServed)?;
        let name = name.to_owned();
        // Its sockets belong to the runtime of the service, whoever asks.
        let explained = async move { explain(&sandbox, &name, kind).await };
        self.0.runtime.spawn(explained).await.unwrap_or(Err(Unexplained::NotServed))
    }

    fn sandbox(&self, sandbox: &str) -> Option<Arc<Sandbox>> {
        self.sandboxes().served.get(sandbox).map(|serving| Arc::clone(&serving.sandbox))
    }

    fn sandboxes(&self) -> MutexGuard<'_, Sandboxes> {
        // Only whole values are put there: a panic elsewhere cannot have spoilt it.
        self.0.sandboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sandboxes {
    fn retire(&mut self, serving: Option<&Serving>) {
        if let Some(serving) = serving {
            let mut tally = serving.sandbox.tally();
            // Numbers stay; how somebody was that is asked no more is not of now.
            for upstream in tally.upstreams.values_mut() {
                (upstream.latency, upstream.healthy) = (None, true);
            }
            self.gone.absorb(&tally);
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.sweeping.abort();
    }
}

/// Lets go of what is not needed any longer, from when there may be such until there is none.
async fn sweep(sandboxes: Weak<Mutex<Sandboxes>>, sweeper: Arc<Notify>) {
    loop {
        sweeper.notified().await;
        loop {
            sleep(SWEEP).await;
            let Some(sandboxes) = sandboxes.upgrade() else { return };
            let served: Vec<_> = {
                let sandboxes = sandboxes.lock().unwrap_or_else(PoisonError::into_inner);
                sandboxes.served.values().map(|serving| Arc::clone(&serving.sandbox)).collect()
            };
            if served.iter().filter(|sandbox| sandbox.sweep()).count() == 0 {
                break;
            }
        }
    }
}
