//! A thread that visits namespaces, so that no other thread ever leaves its own.
//!
//! In: jobs, with the namespace to do them in. Out: their values. One job at a time, in order.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::error::{Cause, Error};

/// Gets a descriptor of the thread's home.
type Job = Box<dyn FnOnce(BorrowedFd<'_>) + Send>;

/// The thread. It ends with this value.
pub(crate) struct Worker {
    jobs: Mutex<Sender<Job>>,
}

impl Worker {
    /// A worker whose home is the calling thread's network namespace.
    pub(crate) fn new() -> io::Result<Self> {
        let home = current_namespace()?;
        let (sender, jobs) = channel::<Job>();
        let builder = std::thread::Builder::new().name("namespaces".to_owned());
        builder.spawn(move || jobs.iter().for_each(|job| job(home.as_fd())))?;
        Ok(Self { jobs: Mutex::new(sender) })
    }

    /// Does `job` at home; it may leave, the worker goes back.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.submit(None, job)
    }

    /// Does `job` in a namespace.
    pub(crate) fn run_in<T: Send + 'static>(
        &self,
        ns: OwnedFd,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.submit(Some(ns), job)
    }

    fn submit<T: Send + 'static>(
        &self,
        ns: Option<OwnedFd>,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = channel();
        let visit = move |home: BorrowedFd<'_>| {
            let value = match enter(ns.as_ref().map_or(home, AsFd::as_fd)) {
                Ok(()) => catch_unwind(AssertUnwindSafe(job)).map_err(|_| panicked()),
                Err(error) => Err(Error::new("enter", "network namespace", error)),
            };
            // At once, or the namespace could not go away. A failure shows at the next entry.
            let _ = enter(home);
            drop(ns);
            let _ = answer.send(value);
        };
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        jobs.send(Box::new(visit)).map_err(|_| panicked())?;
        answered.recv().unwrap_or_else(|_| Err(panicked()))
    }
}

/// Does `job` in a namespace on a thread made for it: for jobs that may take their time.
pub(crate) fn run_apart<T: Send + 'static>(
    ns: OwnedFd,
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let visit = move || enter(ns.as_fd()).map(|()| job());
    let fail = |error| Error::new("enter", "network namespace", error);
    let thread =
        std::thread::Builder::new().name("visitor".to_owned()).spawn(visit).map_err(fail)?;
    thread.join().map_err(|_| panicked())?.map_err(fail)
}

fn panicked() -> Error {
    let cause = Cause::Unexpected("the job panicked".to_owned());
    Error::new("run", "job in namespace", cause)
}

/// Moves the calling thread into a network namespace.
fn enter(ns: BorrowedFd<'_>) -> io::Result<()> {
    Ok(move_into_link_name_space(ns, Some(LinkNameSpaceType::Network))?)
}

/// The calling thread's network namespace.
pub(crate) fn current_namespace() -> io::Result<OwnedFd> {
    Ok(std::fs::File::open("/proc/thread-self/ns/net")?.into())
}
