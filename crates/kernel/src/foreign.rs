//! What the host has that is not ours: destinations of routes, and addresses.
//!
//! In: dumps, and the kernel's notices of what has changed since. Out: [`Prefixes`]. With a thousand
//! networks of our own, a dump of links takes 8 ms and one of routes 2 ms, so what was found is kept
//! until the kernel tells of a change that is not ours. A notice is there before the request that
//! caused it is answered: what is read here is never older than the question.

use std::collections::BTreeSet;
use std::io;

use ipnet::IpNet;

use crate::error::Error;
use crate::link::LinkRecord;
use crate::netlink::Socket;
use crate::{address, link, observe, route};

/// Links tell that they went down; IPv4 routes that go with them don't.
const GROUPS: [u32; 5] = [
    libc::RTNLGRP_LINK,
    libc::RTNLGRP_IPV4_IFADDR,
    libc::RTNLGRP_IPV4_ROUTE,
    libc::RTNLGRP_IPV6_IFADDR,
    libc::RTNLGRP_IPV6_ROUTE,
];

/// The prefixes, kept up to date.
pub(crate) struct Foreign {
    notices: Socket,
    socket: Socket,
    ours: Ours,
    known: Option<Prefixes>,
}

/// What the host has that is not ours; each once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefixes {
    /// Destinations of routes in the main table, less default ones, and addresses with their prefix
    /// lengths; less those on links of ours, and link-local ones.
    pub used: Vec<IpNet>,
    /// Destinations of routes that lead nowhere (`blackhole`, `unreachable`, `prohibit`, `throw`).
    pub dead: Vec<IpNet>,
}

/// Which links are ours, by index.
#[derive(Default)]
struct Ours {
    /// From this one on, those of this value's making.
    first: u32,
    /// A predecessor's, below `first`.
    inherited: BTreeSet<u32>,
    /// Somebody else's, from `first` on.
    strangers: BTreeSet<u32>,
}

impl Foreign {
    /// Begins to listen. Links of an index from `first_own` on are ours.
    pub(crate) fn open(first_own: u32) -> io::Result<Self> {
        let (notices, socket) = (Socket::notices(&GROUPS)?, Socket::route()?);
        let ours = Ours { first: first_own, ..Ours::default() };
        Ok(Self { notices, socket, ours, known: None })
    }

    /// What there is now.
    pub(crate) fn prefixes(&mut self) -> Result<&Prefixes, Error> {
        self.attend()?;
        let prefixes = match self.known.take() {
            Some(known) => known,
            None => self.read()?,
        };
        Ok(self.known.insert(prefixes))
    }

    /// Hears what the kernel has told since, before too much of it is waiting.
    pub(crate) fn attend(&mut self) -> Result<(), Error> {
        let (ours, mut changed) = (&mut self.ours, false);
        let heard = self.notices.hear(|kind, payload| changed |= ours.is_foreign(kind, payload));
        match heard {
            // More than there was room for: nobody knows what.
            Err(cause) if cause.errno() == Some(libc::ENOBUFS) => changed = true,
            heard => heard.map_err(|cause| Error::new("hear of", "changes of links", cause))?,
        }
        if changed {
            self.known = None;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Prefixes, Error> {
        let links = observe::read(&mut self.socket, "links", &link::dump(), link::parse)?;
        self.ours.learn(&links);
        let socket = &mut self.socket;
        let addresses = observe::read(socket, "addresses", &address::dump(), address::parse)?;
        let routes = observe::read(socket, "routes", &route::dump(), route::parse_any)?;
        let (dead, routes): (Vec<_>, Vec<_>) =
            routes.into_iter().partition(|(kind, _)| route::is_dead(*kind));
        let foreign = |index: u32| !self.ours.has(index);
        let addresses = addresses.into_iter().filter(|a| foreign(a.index)).map(|a| a.address);
        let routes = routes.into_iter().filter(|(_, r)| foreign(r.index));
        let used = addresses.chain(routes.map(|(_, route)| route.destination));
        let dead = dead.into_iter().map(|(_, route)| route.destination);
        Ok(Prefixes { used: in_order(used), dead: in_order(dead) })
    }
}

fn in_order(nets: impl Iterator<Item = IpNet>) -> Vec<IpNet> {
    let counts = |net: &IpNet| net.prefix_len() > 0 && !is_link_local(net);
    let nets: BTreeSet<IpNet> = nets.filter(counts).collect();
    nets.into_iter().collect()
}

impl Ours {
    fn has(&self, index: u32) -> bool {
        if index < self.first {
            self.inherited.contains(&index)
        } else {
            !self.strangers.contains(&index)
        }
    }

    fn learn(&mut self, links: &[LinkRecord]) {
        let first = self.first;
        let some = |own: bool| {
            let some = links.iter().filter(move |l| l.is_ours() == own && (l.index < first) == own);
            some.map(|link| link.index).collect()
        };
        (self.inherited, self.strangers) = (some(true), some(false));
    }

    /// Whether a notice is of something that is not ours and may change the prefixes.
    fn is_foreign(&mut self, kind: u16, payload: &[u8]) -> bool {
        match kind {
            // What a bridge says of its ports; the link itself speaks, too.
            libc::RTM_NEWLINK | libc::RTM_DELLINK
                if payload.first() == Some(&(libc::AF_BRIDGE as u8)) =>
            {
                false
            }
            libc::RTM_NEWLINK => link::parse(payload).is_some_and(|link| {
                if !link.is_ours() && link.index >= self.first {
                    self.strangers.insert(link.index);
                }
                !link.up && !self.has(link.index)
            }),
            libc::RTM_DELLINK => link::parse(payload).is_some_and(|link| !self.has(link.index)),
            libc::RTM_NEWADDR | libc::RTM_DELADDR => address::parse(payload)
                .is_some_and(|a| !self.has(a.index) && !is_link_local(&a.address)),
            // Those of other tables and kinds don't parse.
            libc::RTM_NEWROUTE | libc::RTM_DELROUTE => route::parse_any(payload)
                .is_some_and(|(_, r)| !self.has(r.index) && !is_link_local(&r.destination)),
            _ => false,
        }
    }
}

fn is_link_local(net: &IpNet) -> bool {
    matches!(net, IpNet::V6(net) if net.addr().is_unicast_link_local() || net.addr().is_multicast())
}
