//! The host's resolvers as they are now, for sandboxes that run.
//!
//! In: the host's resolv.conf and what stands behind it, watched by inotify. Out: name services that
//! ask the new ones, and resolv.conf files that say so, without a restart of anything.
//!
//! A file that is replaced is another one, and links may lead through directories that come and go:
//! watched are the names on the way, in their directories, and the way is looked up anew after each
//! change. What inotify does not tell (a mount over the file, a link of the host's that was made
//! anew) is found by looking again now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use hawser_hoststate::Ns;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::resolv_conf::{BEHIND_STUB, RESOLV_CONF, Resolver, Server};
use super::resolver::Asking;
use super::{Networks, sandbox_id};
use crate::engine::{Engine, blocking, system};
use crate::error::Result;
use crate::record::ContainerId;

/// How often is looked without being told to.
const LOOK: Duration = Duration::from_secs(5);
/// How long a file may be away, or empty, while it is written anew.
const SETTLED: Duration = Duration::from_millis(200);
/// Links that are followed to a file, as in the kernel.
const LINKS: usize = 40;

/// What the host's resolv.conf comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// The file itself, which containers with the host's network have word for word.
    file: String,
    resolver: Resolver,
    /// Where its servers are asked from the host: links may have got another index.
    addresses: Vec<Option<SocketAddr>>,
}

impl Networks {
    /// What the host's resolvers are.
    pub(crate) fn known_resolvers(&self) -> Known {
        let resolver = Resolver::of_host();
        let servers = resolver.servers.iter().map(|text| Server::parse(text));
        let addresses = servers.map(|server| self.socket_address(&server?, &Ns::Host)).collect();
        let file = std::fs::read_to_string(RESOLV_CONF).unwrap_or_default();
        Known { file, resolver, addresses }
    }

    /// Lets sandboxes follow the host's resolvers from now on; `known` is what they follow already.
    pub(crate) fn watch_resolvers(&self, engine: &Arc<Engine>, known: Known) -> Result<()> {
        let (sender, told) = channel(1);
        let thread = std::thread::Builder::new().name("resolvers".to_owned());
        let listen = move || listen(&sender);
        thread.spawn(listen).map_err(|e| system("watch the host's resolvers", e))?;
        tokio::spawn(keep_up(told, Arc::downgrade(engine), known));
        Ok(())
    }

    /// Makes files and name services of all sandboxes those of the host's resolvers of now.
    async fn follow_host(&self, engine: &Arc<Engine>) {
        for entry in engine.containers.all() {
            if let Err(error) = self.follow_host_in(engine, &entry.id).await {
                tracing::warn!(container = %entry.id, %error, "it does not follow the host's resolvers");
            }
        }
    }

    async fn follow_host_in(&self, engine: &Arc<Engine>, id: &ContainerId) -> Result<()> {
        let sandbox = sandbox_id(id)?;
        let Some(entry) = engine.containers.get(id) else { return Ok(()) };
        if self.writer.model().sandbox(sandbox).is_none() {
            return Ok(());
        }
        let asking = Asking::of(&entry.record(), &engine.settings);
        if asking.is_unsettled(&self.writer.model(), sandbox) {
            let settle = move |model: &mut _, _: &_| Ok(((), asking.settle(model, sandbox)?));
            self.writer.change(settle).await?;
        }
        let (engine, id) = (Arc::clone(engine), id.clone());
        blocking(move || {
            engine.networks.write_etc(&engine, &id)?;
            engine.networks.answer_names(&engine, &id)
        })
        .await
    }
}

/// Says when to look, as long as somebody wants to know.
fn listen(tell: &Sender<()>) {
    while !tell.is_closed() {
        // First, so that nothing is missed between looking and waiting.
        let watch = Watch::arm(Path::new("/"));
        // Where one waits to be heard already, that one will do.
        let _ = tell.try_send(());
        match watch {
            Ok(watch) => _ = watch.wait(LOOK),
            Err(error) => {
                tracing::debug!(%error, "the host's resolv.conf is not watched");
                std::thread::sleep(LOOK);
            }
        }
    }
}

/// Follows the host's resolvers as long as the engine lives.
async fn keep_up(mut told: Receiver<()>, engine: Weak<Engine>, mut known: Known) {
    while let (Some(()), Some(engine)) = (told.recv().await, engine.upgrade()) {
        known = look(&engine, known).await;
    }
}

async fn look(engine: &Arc<Engine>, known: Known) -> Known {
    let mut now = engine.networks.known_resolvers();
    if now != known && now.resolver.servers.is_empty() {
        tokio::time::sleep(SETTLED).await;
        now = engine.networks.known_resolvers();
    }
    if now != known {
        tracing::info!(servers = now.resolver.servers.join(" "), "the host has other resolvers");
        engine.networks.follow_host(engine).await;
    }
    now
}

/// Names that are watched, each in its directory.
struct Watch {
    inotify: OwnedFd,
    /// By the kernel's number of the directory; no names: the file itself.
    names: BTreeMap<i32, BTreeSet<OsString>>,
}

impl Watch {
    /// Watches what leads to the files that tell of resolvers, below `root`.
    fn arm(root: &Path) -> io::Result<Self> {
        loop {
            let places = places(root);
            let watch = Self::of(root, &places)?;
            // Else a link was changed under way.
            if self::places(root) == places {
                return Ok(watch);
            }
        }
    }

    fn of(root: &Path, places: &BTreeSet<(PathBuf, OsString)>) -> io::Result<Self> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let mut names: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let gone = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
        let entries = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::CLOSE_WRITE;
        for (directory, name) in places {
            // One that has gone since is seen when its parent is armed.
            if let Ok(number) = inotify::add_watch(&fd, directory, gone | entries) {
                names.entry(number).or_default().insert(name.clone());
            }
        }
        // A file that is mounted over this one has another directory.
        for file in [RESOLV_CONF, BEHIND_STUB] {
            let file = below(root, file);
            if let Ok(number) = inotify::add_watch(&fd, &file, gone | WatchFlags::CLOSE_WRITE) {
                names.entry(number).or_default();
            }
        }
        Ok(Self { inotify: fd, names })
    }

    /// Waits until something happens to what is watched, or no longer than that; whether it did.
    fn wait(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        loop {
            let left = Timespec::try_from(end.saturating_duration_since(Instant::now())).ok();
            let mut wanted = [PollFd::new(&self.inotify, PollFlags::IN)];
            match rustix::event::poll(&mut wanted, left.as_ref()) {
                Ok(0) => return false,
                Ok(_) if self.hears() => return true,
                _ => {}
            }
        }
    }

    /// Reads what there is to hear; whether any of it is about the names.
    fn hears(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.inotify, &mut buffer);
        while let Ok(event) = events.next() {
            let Some(names) = self.names.get(&event.wd()) else { return true };
            let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
            if name.is_none_or(|name| names.contains(name)) {
                return true;
            }
        }
        false
    }
}

/// The names on the way to the files, links followed, each with its directory; of what is not there
/// the first name that is missing.
fn places(root: &Path) -> BTreeSet<(PathBuf, OsString)> {
    let mut places = BTreeSet::new();
    for file in [RESOLV_CONF, BEHIND_STUB] {
        let mut at = below(root, file);
        for _ in 0..LINKS {
            let Some((directory, name)) = first_missing(&at) else { break };
            let link = std::fs::read_link(directory.join(&name));
            places.insert((directory.clone(), name));
            match link {
                Ok(target) => at = directory.join(target),
                Err(_) => break,
            }
        }
    }
    places
}

/// Directory and name of a path; where the directory is missing, of its first part that is.
fn first_missing(path: &Path) -> Option<(PathBuf, OsString)> {
    let of = |path: &Path| Some((path.parent()?.to_owned(), path.file_name()?.to_owned()));
    let mut found = of(path)?;
    while !found.0.is_dir() {
        found = of(&found.0)?;
    }
    Some(found)
}

fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Whether a change of the files is told of; nothing is waited for that does not come.
    fn is_told(root: &Path, change: impl FnOnce()) -> bool {
        let watch = Watch::arm(root).unwrap();
        change();
        watch.wait(Duration::from_millis(100))
    }

    #[test]
    fn every_way_to_change_the_file_is_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let at = |path: &str| below(root, path);
        let write = |path: &str| fs::write(at(path), "nameserver 192.0.2.1\n").unwrap();
        fs::create_dir_all(at("/etc")).unwrap();
        fs::create_dir_all(at("/run")).unwrap();
        assert!(is_told(root, || write("/etc/resolv.conf")), "made");
        assert!(is_told(root, || write("/etc/resolv.conf")), "written");
        write("/etc/resolv.conf.new");
        let rename = || fs::rename(at("/etc/resolv.conf.new"), at("/etc/resolv.conf")).unwrap();
        assert!(is_told(root, rename), "replaced");
        assert!(is_told(root, || write("/etc/resolv.conf")), "written again");
        assert!(!is_told(root, || write("/etc/passwd")), "another file");
        assert!(is_told(root, || fs::remove_file(at("/etc/resolv.conf")).unwrap()), "gone");
        let link = || symlink("../run/systemd/resolve/stub.conf", at("/etc/resolv.conf")).unwrap();
        assert!(is_told(root, link), "a link to nowhere");
        let run = || fs::create_dir_all(at("/run/systemd/resolve")).unwrap();
        assert!(is_told(root, run), "where it leads to comes");
        assert!(is_told(root, || write("/run/systemd/resolve/stub.conf")), "its target");
        assert!(is_told(root, || write(BEHIND_STUB)), "behind the stub");
        assert!(!is_told(root, || write("/run/systemd/resolve/netif")), "beside it");
        let remove = || fs::remove_dir_all(at("/run/systemd")).unwrap();
        assert!(is_told(root, remove), "where it leads to goes");
    }

    #[test]
    fn links_in_a_circle_are_watched_too() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        symlink("resolv.conf", dir.path().join("etc/resolv.conf")).unwrap();
        let break_it = || fs::remove_file(dir.path().join("etc/resolv.conf")).unwrap();
        assert!(is_told(dir.path(), break_it));
    }
}
