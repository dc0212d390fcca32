//! Waits until the neighbours of a new IPv6 address can find it.
//!
//! In: addresses that were added in namespaces. Out: nothing. The kernel joins the group in which
//! neighbours ask for an address (solicited-node, RFC 4291) in the background, even without
//! duplicate address detection; a question that comes before is lost, and repeated a second later.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use hawser_hoststate::{Address, NamespaceName, Ns};

use crate::address;
use crate::apply::Run;
use crate::error::Error;
use crate::netlink::{Message, Socket, attributes};

/// Length of `struct ifaddrmsg`.
const IFADDRMSG: usize = 8;
/// How often is looked.
const PAUSE: Duration = Duration::from_micros(100);
/// As long as the repeated question would take.
const PATIENCE: Duration = Duration::from_secs(1);

/// A group on the link of that index.
type Membership = (u32, Ipv6Addr);

impl Run<'_> {
    /// Notes an address that neighbours will ask for.
    pub(crate) fn expect_questions(&mut self, new: &Address) -> Result<(), Error> {
        if let (Ns::Named(ns), IpAddr::V6(ip)) = (&new.ns, new.address.addr()) {
            let index = self.index(&new.ns, &new.link)?;
            let groups = self.joining.entry(ns.clone()).or_default();
            groups.insert((index, solicited_node(ip)));
        }
        Ok(())
    }

    /// Waits for the groups. What does not come in time costs the first packet, not the change.
    pub(crate) fn wait_for_groups(&mut self) {
        let until = Instant::now() + PATIENCE;
        for (ns, wanted) in std::mem::take(&mut self.joining) {
            while !self.has_joined(&ns, &wanted) && Instant::now() < until {
                std::thread::sleep(PAUSE);
            }
        }
    }

    fn has_joined(&mut self, ns: &NamespaceName, wanted: &BTreeSet<Membership>) -> bool {
        let Ok(room) = self.room(ns) else { return true };
        memberships(&mut room.inside.socket).is_none_or(|joined| joined.is_superset(wanted))
    }
}

/// The groups of a namespace; none when it does not tell.
fn memberships(socket: &mut Socket) -> Option<BTreeSet<Membership>> {
    let mut dump = Message::new(libc::RTM_GETMULTICAST, 0);
    let mut head = [0; IFADDRMSG];
    head[0] = libc::AF_INET6 as u8;
    dump.raw(&head);
    let found = socket.dump(&dump).ok()?;
    Some(found.iter().filter_map(|payload| membership(payload)).collect())
}

fn membership(payload: &[u8]) -> Option<Membership> {
    let (head, rest) = payload.split_first_chunk::<IFADDRMSG>()?;
    let group = attributes(rest).value_of(libc::IFA_MULTICAST).and_then(address::ip)?;
    match group {
        IpAddr::V6(group) => Some((crate::link::u32_of(&head[4..]), group)),
        IpAddr::V4(_) => None,
    }
}

/// `ff02::1:ff` and the last three bytes of the address.
fn solicited_node(ip: Ipv6Addr) -> Ipv6Addr {
    let mut octets = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0).octets();
    octets[13..].copy_from_slice(&ip.octets()[13..]);
    octets.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_an_address() {
        let ip: Ipv6Addr = "fd00:99::4:aa12:3456".parse().expect("ip");
        assert_eq!(solicited_node(ip).to_string(), "ff02::1:ff12:3456");
    }
}
