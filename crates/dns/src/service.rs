//! The service: which sandboxes are answered, and what they see.
//!
//! In: sockets, views, zones. Out: a [`Task`] for each sandbox, which does the answering.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::task::{Task, Upstreams, Zones};
use crate::{Sockets, Upstream, View};
use hawser_hoststate::Zone;

/// Queries of all sandboxes that are being forwarded: each has a socket.
const MAX_FORWARDED_IN_ALL: usize = 1024;

/// The name service of the daemon, for all sandboxes. Cloning it gives another handle.
#[derive(Clone)]
pub struct Dns {
    runtime: Handle,
    zones: Arc<Zones>,
    sandboxes: Arc<Mutex<HashMap<String, Serving>>>,
    forwarding: Arc<Semaphore>,
}

/// A sandbox that is served.
struct Serving {
    view: Arc<RwLock<Arc<View>>>,
    upstreams: Arc<RwLock<Upstreams>>,
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
    pub fn new(runtime: Handle) -> Self {
        let forwarding = Arc::new(Semaphore::new(MAX_FORWARDED_IN_ALL));
        Self { runtime, zones: Arc::default(), sandboxes: Arc::default(), forwarding }
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
        sockets.udp.set_nonblocking(true)?;
        sockets.tcp.set_nonblocking(true)?;
        // Registering sockets needs the runtime, and the caller may be on any thread.
        let _inside = self.runtime.enter();
        let udp = UdpSocket::from_std(sockets.udp)?;
        let tcp = TcpListener::from_std(sockets.tcp)?;
        let view = Arc::new(RwLock::new(Arc::new(view)));
        let (zones, forwarding) = (Arc::clone(&self.zones), Arc::clone(&self.forwarding));
        let upstreams = Arc::new(RwLock::new(Upstreams::from(upstreams)));
        let task = Task::new(Arc::clone(&view), zones, Arc::clone(&upstreams), forwarding);
        let (end, ended) = oneshot::channel();
        let task = self.runtime.spawn(Arc::new(task).run(udp, tcp, ended));
        self.sandboxes().insert(sandbox.to_owned(), Serving { view, upstreams, _end: end, task });
        Ok(())
    }

    /// Changes what a sandbox sees, at once; nothing if it is not served.
    pub fn set_view(&self, sandbox: &str, view: View) {
        if let Some(serving) = self.sandboxes().get(sandbox) {
            *serving.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        }
    }

    /// Changes who is asked what is not ours, at once; nothing if the sandbox is not served.
    pub fn set_upstreams(&self, sandbox: &str, upstreams: Vec<Upstream>) {
        if let Some(serving) = self.sandboxes().get(sandbox) {
            *serving.upstreams.write().unwrap_or_else(PoisonError::into_inner) = upstreams.into();
        }
    }

    /// Puts a zone (a network's names) in place of the one of this key, at once and whole.
    pub fn set_zone(&self, key: &str, zone: Zone) {
        let mut zones = self.zones.write().unwrap_or_else(PoisonError::into_inner);
        zones.insert(key.to_owned(), Arc::new(zone));
    }

    /// Forgets a zone.
    pub fn remove_zone(&self, key: &str) {
        self.zones.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Stops answering in a sandbox and closes its sockets; nothing if it is not served.
    /// They are closed when [`Stopped::closed`] has ended, very soon after.
    pub fn stop(&self, sandbox: &str) -> Stopped {
        Stopped(self.sandboxes().remove(sandbox).map(|serving| serving.task))
    }

    /// Whether the sandbox is served.
    pub fn serves(&self, sandbox: &str) -> bool {
        self.sandboxes().contains_key(sandbox)
    }

    fn sandboxes(&self) -> MutexGuard<'_, HashMap<String, Serving>> {
        // Only whole values are put there: a panic elsewhere cannot have spoilt it.
        self.sandboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
