//! Objects of a host, their identities, and a state made of them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::element::{Element, ElementData};
use crate::link::Link;
use crate::words::{IfName, MacAddr, NamespaceName, Ns, Transport};

/// A kernel setting under `/proc/sys`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysctl {
    /// Namespace whose setting it is.
    pub ns: Ns,
    /// Path below `/proc/sys`, with slashes (`net/ipv4/ip_forward`).
    pub name: String,
    /// Its value, without a newline.
    pub value: String,
}

impl Sysctl {
    /// The link that the setting is of, and gone with: the part behind `conf/` or `neigh/`.
    /// `all` and `default` are no links.
    pub fn link(&self) -> Option<IfName> {
        let mut parts = self.name.split('/');
        parts.find(|part| matches!(*part, "conf" | "neigh"))?;
        let name = parts.next().filter(|name| !matches!(*name, "all" | "default"))?;
        name.parse().ok()
    }
}

/// An address on a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Namespace of the link.
    pub ns: Ns,
    /// The link.
    pub link: IfName,
    /// Address and prefix length. IPv6 addresses are added without duplicate detection.
    pub address: IpNet,
}

/// A permanent neighbour entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Namespace of the link.
    pub ns: Ns,
    /// The link.
    pub link: IfName,
    /// The neighbour's address.
    pub ip: IpAddr,
    /// The neighbour's hardware address.
    pub mac: MacAddr,
}

/// A static forwarding entry of a bridge: frames for `mac` leave by `port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fdb {
    /// The bridge port, in the host's namespace.
    pub port: IfName,
    /// The station behind it.
    pub mac: MacAddr,
}

/// A unicast route in the main table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Namespace of the route.
    pub ns: Ns,
    /// Destination; a prefix length of 0 is the default route.
    pub destination: IpNet,
    /// Next hop; none for a destination on the link.
    pub via: Option<IpAddr>,
    /// Link that it leaves by.
    pub link: IfName,
}

/// A host port kept from others by a bound socket of the daemon.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldPort {
    /// Host address; unspecified for all of the family (IPv6 sockets are v6-only).
    pub address: IpAddr,
    /// Protocol.
    pub transport: Transport,
    /// Port, never 0.
    pub port: u16,
}

/// A name server in a namespace, asked at port 53 of `address` over UDP and TCP. The daemon listens
/// there at ports that the kernel picks, and rules of the namespace's own lead port 53 to them, so that
/// whoever runs inside may bind port 53 of any address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// The namespace.
    pub ns: NamespaceName,
    /// An address of its loopback.
    pub address: Ipv4Addr,
}

/// One thing that a host has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A pinned network namespace with its loopback up. Removing it removes what is in it.
    Namespace(NamespaceName),
    /// A setting. Removing it leaves the value as it is.
    Sysctl(Sysctl),
    /// A bridge or a veth pair.
    Link(Link),
    /// An address.
    Address(Address),
    /// A permanent neighbour.
    Neighbour(Neighbour),
    /// A static forwarding entry.
    Fdb(Fdb),
    /// A route.
    Route(Route),
    /// A held port.
    HeldPort(HeldPort),
    /// An element of the nftables skeleton.
    Element(Element, ElementData),
    /// A name server.
    NameServer(NameServer),
}

/// Identity of an object. The order of the variants is the order of creation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is the identity of the object of the same name")]
pub enum Key {
    Namespace(NamespaceName),
    /// A held port comes early: its failure must cost nothing else.
    HeldPort(HeldPort),
    /// Bridges before their ports: 0 is a bridge, 1 a veth.
    Link(u8, IfName),
    Sysctl(Ns, String),
    Address(Address),
    Neighbour(Ns, IfName, IpAddr),
    Fdb(IfName, MacAddr),
    Route(Ns, IpNet),
    Element(Element),
    NameServer(NamespaceName),
}

impl Object {
    /// What the object is known by: two objects of one key can't both exist.
    pub fn key(&self) -> Key {
        match self {
            Self::Namespace(name) => Key::Namespace(name.clone()),
            Self::Sysctl(s) => Key::Sysctl(s.ns.clone(), s.name.clone()),
            Self::Link(l) => {
                let rank = matches!(l.kind, crate::link::LinkKind::Veth(_)) as u8;
                Key::Link(rank, l.name.clone())
            }
            Self::Address(a) => Key::Address(a.clone()),
            Self::Neighbour(n) => Key::Neighbour(n.ns.clone(), n.link.clone(), n.ip),
            Self::Fdb(f) => Key::Fdb(f.port.clone(), f.mac),
            Self::Route(r) => Key::Route(r.ns.clone(), r.destination),
            Self::HeldPort(p) => Key::HeldPort(p.clone()),
            Self::Element(e, _) => Key::Element(e.clone()),
            Self::NameServer(s) => Key::NameServer(s.ns.clone()),
        }
    }
}

/// A set of objects, one per key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostState {
    objects: BTreeMap<Key, Object>,
}

impl HostState {
    /// Puts an object in; one of the same key is replaced.
    pub fn insert(&mut self, object: Object) {
        self.objects.insert(object.key(), object);
    }

    /// The object of a key.
    pub fn get(&self, key: &Key) -> Option<&Object> {
        self.objects.get(key)
    }

    /// Takes an object out.
    pub fn remove(&mut self, key: &Key) -> Option<Object> {
        self.objects.remove(key)
    }

    /// All objects in the order of creation.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &Object)> {
        self.objects.iter()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

impl Extend<Object> for HostState {
    fn extend<T: IntoIterator<Item = Object>>(&mut self, objects: T) {
        for object in objects {
            self.insert(object);
        }
    }
}

impl FromIterator<Object> for HostState {
    fn from_iter<T: IntoIterator<Item = Object>>(objects: T) -> Self {
        let mut state = Self::default();
        state.extend(objects);
        state
    }
}
