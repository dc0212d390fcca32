//! The way from one state to another.

use std::collections::BTreeSet;

use crate::link::{Link, LinkKind};
use crate::object::{HostState, Key, Object};
use crate::words::{IfName, NamespaceName, Ns};

/// One step on the way from one state to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Make an object that is not there.
    Add(Object),
    /// Take an object away, and all that is on it.
    Remove(Object),
    /// Change what an object is, keeping its identity. Of a link: hardware address, MTU, alias,
    /// bridge, isolation and IPv6; one that differs in kind or far end is removed and added.
    Replace {
        /// What it is now.
        old: Object,
        /// What it shall be.
        new: Object,
    },
}

/// The changes that lead from `from` to `to`: removals first, in the reverse order of creation,
/// then additions and replacements in the order of creation.
///
/// What goes by itself is not listed: what is in a namespace that is removed (except links, whose
/// near end is outside), and addresses, neighbours, routes, forwarding entries and settings of a
/// link that is removed, at either end.
pub fn diff(from: &HostState, to: &HostState) -> Vec<Change> {
    let gone = Gone::between(from, to);
    let listed =
        |key: &Key, object: &Object| !gone.takes(object) && gone.is_removed(to, key, object);
    let removed = from.iter().rev().filter(|(key, object)| listed(key, object));
    let mut changes: Vec<Change> = removed.map(|(_, o)| Change::Remove(o.clone())).collect();
    changes.extend(to.iter().filter_map(|(key, new)| match from.get(key) {
        Some(old) if !gone.takes(old) && !gone.is_removed(to, key, old) => {
            (old != new).then(|| Change::Replace { old: old.clone(), new: new.clone() })
        }
        _ => Some(Change::Add(new.clone())),
    }));
    changes
}

/// Namespaces and ends of links that go, and take with them what is on them.
#[derive(Default)]
struct Gone {
    namespaces: BTreeSet<NamespaceName>,
    links: BTreeSet<(Ns, IfName)>,
}

impl Gone {
    fn between(from: &HostState, to: &HostState) -> Self {
        let mut gone = Self::default();
        for (key, object) in from.iter() {
            match object {
                Object::Namespace(name) if to.get(key).is_none() => {
                    gone.namespaces.insert(name.clone());
                }
                Object::Link(link) if !is_kept(link, to.get(key)) => gone.add_link(link),
                _ => {}
            }
        }
        gone
    }

    fn add_link(&mut self, link: &Link) {
        self.links.insert((Ns::Host, link.name.clone()));
        if let LinkKind::Veth(veth) = &link.kind {
            self.links.insert((Ns::Named(veth.peer.ns.clone()), veth.peer.name.clone()));
        }
    }

    /// Whether an object goes without being asked.
    fn takes(&self, object: &Object) -> bool {
        let Some((ns, link)) = object.place() else { return false };
        let inside = matches!(&ns, Ns::Named(name) if self.namespaces.contains(name));
        inside || link.is_some_and(|link| self.links.contains(&(ns, link)))
    }

    /// Whether an object has to be taken away by a step of its own.
    fn is_removed(&self, to: &HostState, key: &Key, object: &Object) -> bool {
        match object {
            Object::Link(link) => self.links.contains(&(Ns::Host, link.name.clone())),
            _ => to.get(key).is_none(),
        }
    }
}

/// Whether a link can become the other one without being made anew.
fn is_kept(link: &Link, other: Option<&Object>) -> bool {
    let Some(Object::Link(other)) = other else { return false };
    match (&link.kind, &other.kind) {
        (LinkKind::Bridge(_), LinkKind::Bridge(_)) => true,
        (LinkKind::Veth(a), LinkKind::Veth(b)) => {
            (&a.peer.ns, &a.peer.name, a.peer.mac) == (&b.peer.ns, &b.peer.name, b.peer.mac)
        }
        _ => false,
    }
}

impl Object {
    /// The namespace, and if any the link, that the object is gone with. None for what stands
    /// for itself.
    fn place(&self) -> Option<(Ns, Option<IfName>)> {
        match self {
            Self::Address(a) => Some((a.ns.clone(), Some(a.link.clone()))),
            Self::Neighbour(n) => Some((n.ns.clone(), Some(n.link.clone()))),
            Self::Route(r) => Some((r.ns.clone(), Some(r.link.clone()))),
            Self::Fdb(f) => Some((Ns::Host, Some(f.port.clone()))),
            Self::Sysctl(s) => Some((s.ns.clone(), s.link())),
            Self::NameServer(s) => Some((Ns::Named(s.ns.clone()), None)),
            Self::Namespace(_) | Self::Link(_) | Self::HeldPort(_) | Self::Element(..) => None,
        }
    }
}
