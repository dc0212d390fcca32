//! Applies changes in few batches.
//!
//! In: changes in the order of `diff`. Out: nothing, or which change failed and why. Links,
//! namespaces and ports are made one by one; what is on links is queued and sent together, per
//! namespace, and nftables elements in one transaction before what is in namespaces. It does not
//! undo.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::OwnedFd;

use hawser_hoststate::{Change, IfName, NameServer, NamespaceName, Neighbour, Ns, Object, Route};

use crate::announce::Announcement;
use crate::batch::{Batch, Failure};
use crate::diverted::Diverted;
use crate::error::{Cause, Error, ErrorKind};
use crate::namespace::Inside;
use crate::netlink::Socket;
use crate::nft::Step;
use crate::route::RouteRecord;
use crate::{ApplyError, Kernel, address, link, neighbour, nft, route, sysctl};

/// Index of the loopback in every namespace.
const LOOPBACK: u32 = 1;

/// One call of `apply`.
pub(crate) struct Run<'k> {
    pub(crate) kernel: &'k Kernel,
    pub(crate) host: Batch,
    pub(crate) rooms: BTreeMap<NamespaceName, Room>,
    steps: Vec<Step>,
    /// Name servers to make, each with its change, when the loopback they listen on is up.
    servers: Vec<(usize, NameServer)>,
    pub(crate) indexes: HashMap<(Ns, IfName), u32>,
    /// Namespaces that go with this run.
    pub(crate) leaving: BTreeSet<NamespaceName>,
    /// New ports and their bridges, whose pending events the kernel shall process at the end.
    pub(crate) fresh: Vec<u32>,
    announcements: Vec<Announcement>,
    /// Addresses that have lost their owner: forgotten when nothing leads there any more.
    lost: Vec<IpAddr>,
    /// Groups that new IPv6 addresses are asked for in, and the index of their link.
    pub(crate) joining: BTreeMap<NamespaceName, BTreeSet<(u32, Ipv6Addr)>>,
}

/// A namespace during a run.
pub(crate) struct Room {
    pub(crate) inside: Inside,
    pub(crate) settings: Vec<Setting>,
    pub(crate) batch: Batch,
}

/// A setting to write in a namespace.
pub(crate) struct Setting {
    pub(crate) change: usize,
    pub(crate) name: String,
    pub(crate) value: String,
    /// Passed over where the kernel lacks it (IPv6 switched off at boot).
    pub(crate) optional: bool,
}

/// Applies `changes`; see [`Kernel::apply`].
pub(crate) fn apply(kernel: &Kernel, changes: &[Change]) -> Result<(), ApplyError> {
    let mut run = Run::new(kernel, changes);
    let done = changes
        .iter()
        .enumerate()
        .try_for_each(|(change, what)| run.step(change, what))
        .and_then(|()| run.flush())
        .and_then(|()| run.wake_fresh_links(changes.len().saturating_sub(1)));
    if done.is_ok() {
        run.wait_for_groups();
    }
    // What a failure left.
    kernel.forgetter.forget(std::mem::take(&mut run.lost));
    // Soon, while few notices of it are waiting. What can't be heard now is asked for later.
    let _ = kernel.foreign().attend();
    // Now that the new ports forward.
    run.announcements.iter().for_each(|announcement| kernel.announcer.announce(*announcement));
    done.map_err(|(index, error)| ApplyError {
        index,
        object: Box::new(key(&changes[index])),
        error,
    })
}

fn key(change: &Change) -> hawser_hoststate::Key {
    match change {
        Change::Add(object) | Change::Remove(object) | Change::Replace { new: object, .. } => {
            object.key()
        }
    }
}

impl<'k> Run<'k> {
    fn new(kernel: &'k Kernel, changes: &[Change]) -> Self {
        let leaving = |change: &Change| match change {
            Change::Remove(Object::Namespace(name)) => Some(name.clone()),
            _ => None,
        };
        Self {
            kernel,
            host: Batch::default(),
            rooms: BTreeMap::new(),
            steps: Vec::new(),
            servers: Vec::new(),
            indexes: HashMap::new(),
            leaving: changes.iter().filter_map(leaving).collect(),
            fresh: Vec::new(),
            announcements: Vec::new(),
            lost: Vec::new(),
            joining: BTreeMap::new(),
        }
    }

    fn step(&mut self, change: usize, what: &Change) -> Result<(), Failure> {
        match what {
            Change::Add(object) => self.add(change, object),
            Change::Remove(object) => self.remove(change, object),
            Change::Replace { old, new } => self.replace(change, old, new),
        }
    }

    fn add(&mut self, change: usize, object: &Object) -> Result<(), Failure> {
        let at = |error| (change, error);
        match object {
            Object::Namespace(name) => self.add_namespace(change, name),
            Object::HeldPort(port) => self.kernel.ports.hold(port).map_err(at),
            Object::Link(link) => self.add_link(change, link),
            Object::Sysctl(setting) => {
                self.set(change, &setting.ns, setting.name.clone(), setting.value.clone(), false)
            }
            Object::Address(a) => {
                self.expect_questions(a).map_err(at)?;
                self.queue(change, &a.ns, &a.link, &[], |index| address::add(index, a.address))
            }
            Object::Neighbour(n) => self.add_neighbour(change, n),
            Object::Fdb(fdb) => self.queue(change, &Ns::Host, &fdb.port, &[], |index| {
                neighbour::add_fdb(index, fdb.mac)
            }),
            Object::Route(r) => self.add_route(change, r),
            Object::Element(element, data) => {
                self.steps.push(Step { change, add: true, element: element.clone(), data: *data });
                Ok(())
            }
            Object::NameServer(server) => {
                self.servers.push((change, server.clone()));
                Ok(())
            }
        }
    }

    fn remove(&mut self, change: usize, object: &Object) -> Result<(), Failure> {
        let done = match object {
            Object::Namespace(name) => self.remove_namespace(change, name),
            Object::HeldPort(port) => {
                self.flush()?;
                self.kernel.ports.release(port);
                Ok(())
            }
            Object::Link(link) => self.remove_link(change, link),
            Object::Sysctl(_) => Ok(()),
            Object::Address(a) => {
                let gone = &[libc::EADDRNOTAVAIL, libc::ENODEV];
                self.queue(change, &a.ns, &a.link, gone, |index| address::remove(index, a.address))
            }
            Object::Neighbour(n) => {
                let gone = &[libc::ENOENT, libc::ENODEV];
                self.forget_owner(n);
                self.queue(change, &n.ns, &n.link, gone, |index| neighbour::remove(index, n.ip))
            }
            Object::Fdb(fdb) => {
                // The last two: the link is no port, or of no bridge, any more.
                let gone = &[libc::ENOENT, libc::ENODEV, libc::EOPNOTSUPP, libc::EINVAL];
                self.queue(change, &Ns::Host, &fdb.port, gone, |index| {
                    neighbour::remove_fdb(index, fdb.mac)
                })
            }
            Object::Route(r) => {
                let gone = &[libc::ESRCH, libc::ENODEV];
                self.queue(change, &r.ns, &r.link, gone, |index| {
                    route::remove(r.destination, r.via, index)
                })
            }
            Object::Element(element, data) => {
                self.steps.push(Step { change, add: false, element: element.clone(), data: *data });
                Ok(())
            }
            Object::NameServer(server) => self.remove_server(change, server),
        };
        match done {
            // What it was in, or on, is gone, and it with it.
            Err((at, error)) if at == change && error.kind == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn replace(&mut self, change: usize, old: &Object, new: &Object) -> Result<(), Failure> {
        match (old, new) {
            (Object::Link(old), Object::Link(new)) => self.replace_link(change, old, new),
            // Written over.
            (_, Object::Sysctl(_)) => self.add(change, new),
            (Object::Neighbour(old), Object::Neighbour(_)) => {
                self.forget_owner(old);
                self.add(change, new)
            }
            _ => {
                self.remove(change, old)?;
                self.add(change, new)
            }
        }
    }

    /// Queues a message about something on a link; `gone` are errors that mean success.
    fn queue(
        &mut self,
        change: usize,
        ns: &Ns,
        link: &IfName,
        gone: &'static [i32],
        message: impl FnOnce(u32) -> crate::netlink::Message,
    ) -> Result<(), Failure> {
        let at = |error| (change, error);
        let index = self.index(ns, link).map_err(at)?;
        self.batch(ns).map_err(at)?.push(change, gone, message(index));
        Ok(())
    }

    /// An address that the host no longer finds on its bridge has lost its owner, with all that
    /// the owner talked about.
    fn forget_owner(&mut self, lost: &Neighbour) {
        if lost.ns != Ns::Host {
            return;
        }
        self.lost.push(lost.ip);
        if let Ok(bridge) = self.index(&Ns::Host, &lost.link) {
            let (ip, mac) = (lost.ip, lost.mac);
            self.kernel.announcer.note_lost(Announcement { bridge, ip, mac });
        }
    }

    fn add_neighbour(&mut self, change: usize, new: &Neighbour) -> Result<(), Failure> {
        let (ip, mac) = (new.ip, new.mac);
        if new.ns == Ns::Host {
            if self.lost.contains(&ip) {
                self.flush()?;
            }
            self.kernel.forgetter.wait_for(ip);
        }
        let add = |index| neighbour::add(index, ip, mac);
        self.queue(change, &new.ns, &new.link, &[], add)?;
        // What the host is told about a bridge, those on the bridge are told, too.
        if new.ns == Ns::Host {
            let bridge = self.index(&Ns::Host, &new.link).map_err(|error| (change, error))?;
            self.announcements.push(Announcement { bridge, ip, mac });
        }
        Ok(())
    }

    fn add_route(&mut self, change: usize, route: &Route) -> Result<(), Failure> {
        let at = |error| (change, error);
        let index = self.index(&route.ns, &route.link).map_err(at)?;
        let (destination, via) = (route.destination, route.via);
        let wanted = RouteRecord { destination, via, index, ours: true };
        self.batch(&route.ns).map_err(at)?.push_route(change, wanted);
        Ok(())
    }

    fn batch(&mut self, ns: &Ns) -> Result<&mut Batch, Error> {
        Ok(match ns {
            Ns::Host => &mut self.host,
            Ns::Named(name) => &mut self.room(name)?.batch,
        })
    }

    /// Writes a setting: at once in the host, with the next flush in a namespace.
    pub(crate) fn set(
        &mut self,
        change: usize,
        ns: &Ns,
        name: String,
        value: String,
        optional: bool,
    ) -> Result<(), Failure> {
        let at = |error| (change, error);
        let setting = Setting { change, name, value, optional };
        match ns {
            Ns::Host => setting.write().map_err(at)?,
            Ns::Named(name) => self.room(name).map_err(at)?.settings.push(setting),
        }
        Ok(())
    }

    fn add_namespace(&mut self, change: usize, name: &NamespaceName) -> Result<(), Failure> {
        let kernel = self.kernel;
        let inside =
            kernel.namespaces.create(&kernel.worker, name).map_err(|error| (change, error))?;
        let mut room = Room { inside, settings: Vec::new(), batch: Batch::default() };
        room.batch.push(change, &[], link::set_up(LOOPBACK));
        self.rooms.insert(name.clone(), room);
        Ok(())
    }

    /// The namespace, entered when first needed.
    pub(crate) fn room(&mut self, name: &NamespaceName) -> Result<&mut Room, Error> {
        if !self.rooms.contains_key(name) {
            let inside = self.kernel.namespaces.enter(&self.kernel.worker, name)?;
            let room = Room { inside, settings: Vec::new(), batch: Batch::default() };
            self.rooms.insert(name.clone(), room);
        }
        let missing = || Cause::Unexpected("it was not entered".to_owned());
        self.rooms.get_mut(name).ok_or_else(|| Error::new("enter", name.as_str(), missing()))
    }

    /// Index of a link, asked for when first needed.
    pub(crate) fn index(&mut self, ns: &Ns, name: &IfName) -> Result<u32, Error> {
        let key = (ns.clone(), name.clone());
        if let Some(index) = self.indexes.get(&key) {
            return Ok(*index);
        }
        let record = match ns {
            Ns::Host => find(&mut self.kernel.route_socket(), name)?,
            Ns::Named(inside) => find(&mut self.room(inside)?.inside.socket, name)?,
        };
        self.indexes.insert(key, record.index);
        Ok(record.index)
    }

    /// Notes the index of a new link.
    pub(crate) fn note_index(&mut self, ns: Ns, name: &IfName, index: u32) {
        self.indexes.insert((ns, name.clone()), index);
    }

    /// Sends everything queued.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.host.send(&mut self.kernel.route_socket())?;
        // The firewall is there before anybody in a namespace can send.
        if !self.steps.is_empty() {
            let steps = std::mem::take(&mut self.steps);
            let added = steps.iter().filter(|step| step.add);
            let diverted = added.filter_map(|step| Diverted::by(&step.element)).collect();
            nft::transact(&mut self.kernel.firewall().socket, steps)?;
            self.kernel.forgetter.divert(diverted);
        }
        self.kernel.forgetter.forget(std::mem::take(&mut self.lost));
        for room in self.rooms.values_mut() {
            room.flush(self.kernel)?;
        }
        for (change, server) in std::mem::take(&mut self.servers) {
            self.add_server(&server).map_err(|error| (change, error))?;
        }
        Ok(())
    }

    fn add_server(&mut self, server: &NameServer) -> Result<(), Error> {
        let kernel = self.kernel;
        let ns = self.room(&server.ns)?.visitor()?;
        kernel.servers.add(&kernel.worker, ns, server)
    }

    fn remove_server(&mut self, change: usize, server: &NameServer) -> Result<(), Failure> {
        self.flush()?;
        let at = |error| (change, error);
        let kernel = self.kernel;
        let ns = self.room(&server.ns).and_then(|room| room.visitor()).map_err(at)?;
        kernel.servers.remove(&kernel.worker, ns, server).map_err(at)
    }

    /// Asks for new ports and their bridges: the kernel then processes their pending link events
    /// first. Without it, the first packet of up to 40 % of new ports is lost, and ARP or TCP
    /// waits for a second.
    fn wake_fresh_links(&mut self, last_change: usize) -> Result<(), Failure> {
        let mut socket = self.kernel.route_socket();
        for index in self.fresh.drain(..) {
            match socket.get(link::get_by_index(index)) {
                // Somebody deleted it meanwhile: that is drift, not our failure.
                Err(cause) if cause.errno() == Some(libc::ENODEV) => {}
                Err(cause) => return Err((last_change, Error::new("ask for", "new link", cause))),
                Ok(_) => {}
            }
        }
        Ok(())
    }
}

impl Setting {
    fn write(&self) -> Result<(), Error> {
        match sysctl::write(&self.name, &self.value) {
            Err(error) if self.optional && error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::new("set", format!("{} = {}", self.name, self.value), error)),
            Ok(()) => Ok(()),
        }
    }
}

impl Room {
    /// A descriptor of the namespace for the worker.
    fn visitor(&self) -> Result<OwnedFd, Error> {
        let fd = self.inside.fd.try_clone();
        fd.map_err(|error| Error::new("enter", "namespace", error))
    }

    /// Settings first: IPv6 is switched off before the link is up and asks around.
    fn flush(&mut self, kernel: &Kernel) -> Result<(), Failure> {
        if let Some(first) = self.settings.first() {
            let change = first.change;
            let settings = std::mem::take(&mut self.settings);
            let write_all = move || {
                let mut each = settings.iter();
                each.try_for_each(|setting| setting.write().map_err(|e| (setting.change, e)))
            };
            let fail = |error| (change, error);
            let visitor = self.visitor().map_err(fail)?;
            kernel.worker.run_in(visitor, write_all).map_err(fail)??;
        }
        self.batch.send(&mut self.inside.socket)
    }
}

/// A link by name; [`ErrorKind::NotFound`] when there is none.
pub(crate) fn find(socket: &mut Socket, name: &IfName) -> Result<link::LinkRecord, Error> {
    let fail = |cause| Error::new("find", format!("link {name}"), cause);
    let answer = socket.get(link::get_by_name(name)).map_err(fail)?;
    link::parse(&answer)
        .ok_or_else(|| fail(Cause::Unexpected("the kernel's answer is malformed".to_owned())))
}
