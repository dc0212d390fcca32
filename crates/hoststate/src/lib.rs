//! What a host's network can look like, as plain values.
//!
//! In: nothing. Out: [`Object`]s with an identity ([`Key`]), collected in a [`HostState`];
//! [`diff`](fn@diff) of two states gives the ordered [`Change`]s between them; [`commands`]
//! prints changes as the `ip`, `bridge`, `sysctl` and `nft` lines that a person would type.
//! This crate knows nothing of containers and does no I/O.

mod diff;
mod element;
mod link;
mod object;
mod print;
mod words;
mod zone;

pub use diff::{Change, diff};
pub use element::{At, Element, ElementData, SetName, TableFamily};
pub use link::{Bridge, IPV6_MIN_MTU, Link, LinkKind, Peer, Veth};
pub use object::{
    Address, Fdb, HeldPort, HostState, Key, NameServer, Neighbour, Object, Route, Sysctl,
};
pub use print::commands;
pub use words::{
    Family, IfName, InvalidIfName, InvalidNamespace, MacAddr, NamespaceName, Ns, Transport,
};
pub use zone::{Names, Zone};
