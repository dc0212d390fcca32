//! Makes links and changes them: bridges, and veth pairs between a bridge and a namespace.
//!
//! In: the wanted [`Link`]. Out: a link that is there, or why not. The order is measured
//! (docs/adr): the far end is born in its namespace under its final name, nothing is moved or
//! renamed, and no index is read back.

use std::os::fd::AsFd;

use hawser_hoststate::{Bridge, IfName, Link, LinkKind, Ns, Peer, Veth};

use crate::apply::{Run, find};
use crate::batch::Failure;
use crate::error::{Cause, Error, ErrorKind};
use crate::link::{self, LinkRecord, PairIndexes};
use crate::sysctl;

/// How often another index is tried when the chosen one is taken.
const INDEX_ATTEMPTS: usize = 8;
/// Index of `eth0`; the loopback has 1.
const FIRST_PEER_INDEX: u32 = 2;

impl Run<'_> {
    /// Makes a link; one that is there and equal is confirmed.
    pub(crate) fn add_link(&mut self, change: usize, link: &Link) -> Result<(), Failure> {
        self.free_names(link);
        match &link.kind {
            LinkKind::Bridge(bridge) => self.add_bridge(change, link, bridge),
            LinkKind::Veth(veth) => self.add_veth(change, link, veth),
        }
    }

    /// Changes a link in place where the kernel can, else makes it anew.
    pub(crate) fn replace_link(
        &mut self,
        change: usize,
        old: &Link,
        new: &Link,
    ) -> Result<(), Failure> {
        let in_place = match (&old.kind, &new.kind) {
            (LinkKind::Bridge(_), LinkKind::Bridge(_)) => true,
            (LinkKind::Veth(a), LinkKind::Veth(b)) => {
                (&a.peer.ns, &a.peer.name, a.peer.mac) == (&b.peer.ns, &b.peer.name, b.peer.mac)
            }
            _ => false,
        };
        if !in_place {
            self.discard_link(change, old)?;
            return self.add_link(change, new);
        }
        let index = self.index(&Ns::Host, &new.name).map_err(|error| (change, error))?;
        let new_mac = (old.mac != new.mac).then_some(new.mac);
        self.host.push(change, &[], link::set_plain(index, new.mtu, new_mac));
        if old.gains_ipv6(new) {
            self.grow(change, new)?;
        }
        match &new.kind {
            LinkKind::Bridge(bridge) => self.settle_bridge(change, new, bridge, index),
            LinkKind::Veth(veth) => {
                let master = self.index(&Ns::Host, &veth.master).map_err(|e| (change, e))?;
                if !matches!(&old.kind, LinkKind::Veth(old) if old.master == veth.master) {
                    self.host.push(change, &[], link::set_master(index, master));
                }
                self.fresh.extend([index, master]);
                self.settle_veth(change, new, veth, index)
            }
        }
    }

    /// Has the largest packets set before all else: only then the settings of IPv6 are there, as
    /// by default on, and are to be written.
    fn grow(&mut self, change: usize, link: &Link) -> Result<(), Failure> {
        if let LinkKind::Veth(veth) = &link.kind {
            let ns = Ns::Named(veth.peer.ns.clone());
            let far = self.index(&ns, &veth.peer.name).map_err(|error| (change, error))?;
            let room = self.room(&veth.peer.ns).map_err(|error| (change, error))?;
            room.batch.push(change, &[], link::set_up_with_mtu(far, link.mtu));
        }
        self.flush()?;
        // Of a port: it has an address by now, which its mark alone would leave it.
        self.set_ipv6(change, &Ns::Host, &link.name, false)
    }

    fn discard_link(&mut self, change: usize, link: &Link) -> Result<(), Failure> {
        match self.remove_link(change, link) {
            Err((at, error)) if at == change && error.kind == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn add_bridge(&mut self, change: usize, link: &Link, bridge: &Bridge) -> Result<(), Failure> {
        let index = match self.create_bridge(link) {
            Ok(index) => index,
            Err(error) if error.kind == ErrorKind::Exists => {
                self.confirm_bridge(change, link, error).map_err(|error| (change, error))?
            }
            Err(error) => return Err((change, error)),
        };
        self.note_index(Ns::Host, &link.name, index);
        self.settle_bridge(change, link, bridge, index)
    }

    fn create_bridge(&mut self, link: &Link) -> Result<u32, Error> {
        for _ in 0..INDEX_ATTEMPTS {
            let index = self.kernel.next_index();
            let created = self.kernel.route_socket().request(link::create_bridge(link, index));
            match created {
                Ok(()) => return Ok(index),
                // It is said of the name, and of the index.
                Err(cause) if cause.errno() == Some(libc::EEXIST) => {
                    if find(&mut self.kernel.route_socket(), &link.name).is_ok() {
                        return Err(failed(link, cause));
                    }
                }
                Err(cause) => return Err(failed(link, cause)),
            }
        }
        Err(no_index(link))
    }

    /// Checks that the bridge that is there is one of ours.
    fn confirm_bridge(&mut self, change: usize, link: &Link, refusal: Error) -> Result<u32, Error> {
        let there = find(&mut self.kernel.route_socket(), &link.name)?;
        if there.kind != "bridge" || !there.is_ours() {
            return Err(foreign(link, refusal.cause));
        }
        let new_mac = (there.mac != Some(link.mac)).then_some(link.mac);
        self.host.push(change, &[], link::set_plain(there.index, link.mtu, new_mac));
        Ok(there.index)
    }

    fn settle_bridge(
        &mut self,
        change: usize,
        link: &Link,
        bridge: &Bridge,
        index: u32,
    ) -> Result<(), Failure> {
        self.host.push(change, &[], link::mark_bridge(index, &link.alias));
        self.set_ipv6(change, &Ns::Host, &link.name, bridge.ipv6)
    }

    fn add_veth(&mut self, change: usize, link: &Link, veth: &Veth) -> Result<(), Failure> {
        let at = |error| (change, error);
        let master = self.index(&Ns::Host, &veth.master).map_err(at)?;
        let indexes = match self.create_pair(link, &veth.peer, master) {
            Ok(indexes) => indexes,
            Err(error) if error.kind == ErrorKind::Exists => {
                self.confirm_pair(change, link, veth, error).map_err(at)?
            }
            Err(error) => return Err(at(error)),
        };
        self.note_index(Ns::Host, &link.name, indexes.port);
        if indexes.peer != 0 {
            let ns = Ns::Named(veth.peer.ns.clone());
            self.note_index(ns, &veth.peer.name, indexes.peer);
        }
        self.fresh.extend([indexes.port, master]);
        self.settle_veth(change, link, veth, indexes.port)
    }

    fn create_pair(&mut self, link: &Link, peer: &Peer, master: u32) -> Result<PairIndexes, Error> {
        let kernel = self.kernel;
        let mut peer_index = wanted_index(&peer.name);
        for _ in 0..INDEX_ATTEMPTS {
            let indexes = PairIndexes { port: kernel.next_index(), peer: peer_index, master };
            let ns = self.room(&peer.ns)?.inside.fd.as_fd();
            let message = link::create_veth(link, peer, indexes, ns);
            // Bound first: in the match itself, the socket's lock would live as long as the arms.
            let created = kernel.route_socket().request(message);
            match created {
                Ok(()) => return Ok(indexes),
                // The far end's index is taken: the kernel knows a free one.
                Err(cause) if cause.errno() == Some(libc::EBUSY) => peer_index = 0,
                // EEXIST is said of names, and of the near end's index.
                Err(cause) if cause.errno() == Some(libc::EEXIST) => {
                    if self.is_name_taken(link, peer)? {
                        return Err(failed(link, cause));
                    }
                }
                Err(cause) => return Err(failed(link, cause)),
            }
        }
        Err(no_index(link))
    }

    fn is_name_taken(&mut self, link: &Link, peer: &Peer) -> Result<bool, Error> {
        let near = find(&mut self.kernel.route_socket(), &link.name);
        let far = find(&mut self.room(&peer.ns)?.inside.socket, &peer.name);
        Ok(near.is_ok() || far.is_ok())
    }

    /// Checks that the pair that is there is the wanted one.
    fn confirm_pair(
        &mut self,
        change: usize,
        link: &Link,
        veth: &Veth,
        refusal: Error,
    ) -> Result<PairIndexes, Error> {
        let master = self.index(&Ns::Host, &veth.master)?;
        let near = match find(&mut self.kernel.route_socket(), &link.name) {
            Ok(near) => near,
            // The name that is taken is the far end's.
            Err(error) if error.kind == ErrorKind::NotFound => return Err(refusal),
            Err(error) => return Err(error),
        };
        let far = find(&mut self.room(&veth.peer.ns)?.inside.socket, &veth.peer.name);
        let same = |far: &LinkRecord| {
            near.is_ours()
                && (near.other_end, far.other_end) == (far.index, near.index)
                && (near.mac, far.mac) == (Some(link.mac), Some(veth.peer.mac))
                && near.master == master
        };
        match far {
            Ok(far) if same(&far) => {
                self.host.push(change, &[], link::set_plain(near.index, link.mtu, None));
                Ok(PairIndexes { port: near.index, peer: far.index, master })
            }
            _ => Err(foreign(link, refusal.cause)),
        }
    }

    fn settle_veth(
        &mut self,
        change: usize,
        link: &Link,
        veth: &Veth,
        port: u32,
    ) -> Result<(), Failure> {
        let peer = &veth.peer;
        self.host.push(change, &[], link::mark_port(port, link));
        self.host.push(change, &[], link::set_port(port, veth));
        let ns = Ns::Named(peer.ns.clone());
        self.set_ipv6(change, &ns, &peer.name, peer.ipv6)?;
        let far = self.index(&ns, &peer.name).map_err(|error| (change, error))?;
        let room = self.room(&peer.ns).map_err(|error| (change, error))?;
        room.batch.push(change, &[], link::set_up_with_mtu(far, link.mtu));
        Ok(())
    }

    /// Where IPv6 is on, no link-local address waits a second for a duplicate: hardware addresses
    /// are unique on their network.
    fn set_ipv6(&mut self, change: usize, ns: &Ns, link: &IfName, on: bool) -> Result<(), Failure> {
        if on {
            let name = sysctl::of_ipv6(link.as_str(), "accept_dad");
            self.set(change, ns, name, "0".to_owned(), false)?;
        }
        let value = if on { "0" } else { "1" };
        let name = sysctl::of_ipv6(link.as_str(), "disable_ipv6");
        self.set(change, ns, name, value.to_owned(), !on)
    }
}

/// The far end's index: 2 for `eth0`, 3 for `eth1`, …; other names leave it to the kernel.
fn wanted_index(name: &IfName) -> u32 {
    let number = name.as_str().strip_prefix("eth").and_then(|rest| rest.parse::<u32>().ok());
    number.filter(|number| *number < 1000).map_or(0, |number| FIRST_PEER_INDEX + number)
}

fn no_index(link: &Link) -> Error {
    failed(link, Cause::Unexpected("every index tried is taken".to_owned()))
}

fn failed(link: &Link, cause: Cause) -> Error {
    Error::new("create", format!("link {}", link.name), cause)
}

fn foreign(link: &Link, cause: Cause) -> Error {
    failed(link, cause)
        .with_kind(ErrorKind::Exists)
        .with_hint(format!("a link {} is there that is not the wanted one", link.name))
}
