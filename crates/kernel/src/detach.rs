//! Takes links and namespaces away: out of work at once, out of the kernel when it likes.
//!
//! In: the link or the namespace. Out: nothing. A link that is not ours stays as it is.

use hawser_hoststate::{IfName, Link, LinkKind, NamespaceName, Ns, Peer};

use crate::apply::{Run, find};
use crate::batch::Failure;
use crate::error::{Error, ErrorKind};
use crate::link::{self, LinkRecord};
use crate::netlink::{Message, Refusal, Socket};
use crate::reaper::{Doomed, Names};

impl Run<'_> {
    /// Takes the pin of a namespace away.
    pub(crate) fn remove_namespace(
        &mut self,
        change: usize,
        name: &NamespaceName,
    ) -> Result<(), Failure> {
        self.flush()?;
        // Its descriptors would keep the namespace alive.
        self.rooms.remove(name);
        self.kernel.servers.forget(name);
        self.indexes.retain(|(ns, _), _| !matches!(ns, Ns::Named(inside) if inside == name));
        self.kernel.namespaces.remove(name).map_err(|error| (change, error))
    }

    /// Puts a link out of work and hands it to the reaper.
    pub(crate) fn remove_link(&mut self, change: usize, link: &Link) -> Result<(), Failure> {
        self.flush()?;
        self.forget_indexes(link);
        let at = |error| (change, error);
        let record = find(&mut self.kernel.route_socket(), &link.name).map_err(at)?;
        if !record.is_ours() {
            return Ok(());
        }
        let mut names = Names::of(link);
        match &link.kind {
            LinkKind::Veth(veth) if !self.leaving.contains(&veth.peer.ns) => {
                self.stop_far_end(&veth.peer, record.index).map_err(at)?;
            }
            // A namespace of that name is another one, and its names are free.
            _ => names.far = None,
        }
        self.stop_near_end(link, &record).map_err(at)?;
        self.kernel.reaper.doom(Doomed { index: record.index, names: Some(names) });
        Ok(())
    }

    /// Takes the names of a link that shall be made from those that are being deleted.
    pub(crate) fn free_names(&mut self, link: &Link) {
        let wanted = Names::of(link);
        for doomed in self.kernel.reaper.in_the_way(&wanted) {
            let Some(names) = &doomed.names else { continue };
            let near = names.near != wanted.near || self.free_near_end(doomed.index);
            let far = names.far.as_ref().filter(|far| wanted.far.as_ref() == Some(*far));
            if near && far.is_none_or(|(ns, name)| self.free_far_end(ns, name, doomed.index)) {
                self.kernel.reaper.nameless(doomed.index);
            }
        }
        // What could not be renamed.
        if !self.kernel.reaper.in_the_way(&wanted).is_empty() {
            self.kernel.reaper.wait_for_names(&wanted);
        }
    }

    fn free_near_end(&mut self, index: u32) -> bool {
        give_name_away(&mut self.kernel.route_socket(), index)
    }

    fn free_far_end(&mut self, ns: &NamespaceName, name: &IfName, near: u32) -> bool {
        let Ok(room) = self.room(ns) else { return true };
        match find(&mut room.inside.socket, name) {
            Ok(far) if far.other_end == near => give_name_away(&mut room.inside.socket, far.index),
            Ok(_) => true,
            Err(error) => error.kind == ErrorKind::NotFound,
        }
    }

    /// Brings the far end down in a namespace that stays: its addresses and routes must not stand
    /// in the way of those that come.
    fn stop_far_end(&mut self, peer: &Peer, near: u32) -> Result<(), Error> {
        let room = match self.room(&peer.ns) {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
            room => room?,
        };
        let socket = &mut room.inside.socket;
        let Ok(far) = find(socket, &peer.name) else { return Ok(()) };
        if far.other_end != near {
            return Ok(());
        }
        match socket.request(link::set_down(far.index)) {
            Err(cause) if cause.errno() != Some(libc::ENODEV) => {
                Err(Error::new("bring down", format!("link {} in {}", peer.name, peer.ns), cause))
            }
            _ => Ok(()),
        }
    }

    fn stop_near_end(&mut self, link: &Link, record: &LinkRecord) -> Result<(), Error> {
        let fail = |cause| Error::new("discard", format!("link {}", link.name), cause);
        let mut messages = vec![link::set_trash_group(record.index), stop(link, record)];
        let refused = self.kernel.route_socket().batch(&mut messages).map_err(fail)?;
        // A port whose other end is gone or down refuses a state: it carries nothing anyway.
        let failed = refused.into_iter().find(|refusal| refusal.position == 0);
        match failed.filter(|refusal| refusal.errno != libc::ENODEV) {
            Some(refusal) => Err(fail(refusal.into())),
            None => Ok(()),
        }
    }

    fn forget_indexes(&mut self, link: &Link) {
        self.indexes.remove(&(Ns::Host, link.name.clone()));
        if let LinkKind::Veth(veth) = &link.kind {
            let peer = &veth.peer;
            self.indexes.remove(&(Ns::Named(peer.ns.clone()), peer.name.clone()));
        }
    }
}

/// Whether the name is free: the link has another one, or is gone.
fn give_name_away(socket: &mut Socket, index: u32) -> bool {
    let free = |refused: Vec<Refusal>| refused.iter().all(|r| r.errno == libc::ENODEV);
    socket.batch(&mut link::give_name_away(index)).is_ok_and(free)
}

/// A port stops forwarding, which costs less than bringing it down. A bridge goes down, and its
/// routes with it: the subnet may be wanted again before the bridge is gone.
fn stop(link: &Link, record: &LinkRecord) -> Message {
    match link.kind {
        LinkKind::Veth(_) => link::stop_port(record.index),
        LinkKind::Bridge(_) => link::set_down(record.index),
    }
}
