//! Unicast routes of the main table in rtnetlink's words, marked as ours by their protocol.
//!
//! In: destination, next hop, interface index. Out: messages, and [`RouteRecord`]s from a dump.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::address::{family, ip, octets};
use crate::link::u32_of;
use crate::netlink::number::PROTOCOL;
use crate::netlink::{Message, attributes};

/// Length of `struct rtmsg`.
const RTMSG: usize = 12;

/// What the kernel says of a unicast route in the main table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RouteRecord {
    pub(crate) destination: IpNet,
    pub(crate) via: Option<IpAddr>,
    /// Link that it leaves by; 0 for a route with several next hops.
    pub(crate) index: u32,
    pub(crate) ours: bool,
}

/// Adds a route; refused (EEXIST) when there is one to that destination, be it the same.
pub(crate) fn add(route: &RouteRecord) -> Message {
    let flags = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    encode(libc::RTM_NEWROUTE, flags, route.destination, route.via, route.index)
}

/// Removes a route of ours.
pub(crate) fn remove(destination: IpNet, via: Option<IpAddr>, index: u32) -> Message {
    encode(libc::RTM_DELROUTE, 0, destination, via, index)
}

/// Asks for all routes.
pub(crate) fn dump() -> Message {
    let mut message = Message::new(libc::RTM_GETROUTE, 0);
    message.raw(&[0; RTMSG]);
    message
}

fn encode(kind: u16, flags: i32, to: IpNet, via: Option<IpAddr>, index: u32) -> Message {
    let scope = if via.is_some() || to.addr().is_ipv6() {
        libc::RT_SCOPE_UNIVERSE
    } else {
        libc::RT_SCOPE_LINK
    };
    let mut head = [0; RTMSG];
    head[0] = family(to.addr());
    head[1] = to.prefix_len();
    head[4..8].copy_from_slice(&[libc::RT_TABLE_MAIN, PROTOCOL, scope, libc::RTN_UNICAST]);
    let mut message = Message::new(kind, flags);
    message.raw(&head).u32(libc::RTA_OIF, index);
    if to.prefix_len() > 0 {
        message.bytes(libc::RTA_DST, &octets(to.network()));
    }
    if let Some(via) = via {
        message.bytes(libc::RTA_GATEWAY, &octets(via));
    }
    message
}

/// Reads a route; none when it is not a unicast route of the main table.
pub(crate) fn parse(payload: &[u8]) -> Option<RouteRecord> {
    parse_any(payload).filter(|(kind, _)| *kind == libc::RTN_UNICAST).map(|(_, route)| route)
}

/// Whether a route of this kind leads nowhere.
pub(crate) fn is_dead(kind: u8) -> bool {
    [libc::RTN_BLACKHOLE, libc::RTN_UNREACHABLE, libc::RTN_PROHIBIT, libc::RTN_THROW]
        .contains(&kind)
}

/// Reads a route of the main table and its kind (`RTN_*`): one that leads somewhere, or one that
/// leads nowhere.
pub(crate) fn parse_any(payload: &[u8]) -> Option<(u8, RouteRecord)> {
    let (head, rest) = payload.split_first_chunk::<RTMSG>()?;
    let unspecified = match i32::from(head[0]) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return None,
    };
    let kind = head[7];
    if head[4] != libc::RT_TABLE_MAIN || (kind != libc::RTN_UNICAST && !is_dead(kind)) {
        return None;
    }
    let (mut destination, mut via, mut index) = (unspecified, None, 0);
    for (kind, value) in attributes(rest) {
        match kind {
            libc::RTA_DST => destination = ip(value)?,
            libc::RTA_GATEWAY => via = ip(value),
            libc::RTA_OIF => index = u32_of(value),
            _ => {}
        }
    }
    let destination = IpNet::new(destination, head[1]).ok()?;
    Some((kind, RouteRecord { destination, via, index, ours: head[5] == PROTOCOL }))
}
