//! Permanent neighbours and static forwarding entries in rtnetlink's words.
//!
//! In: addresses and an interface index. Out: messages, and records from dumps.

use std::net::IpAddr;

use hawser_hoststate::MacAddr;

use crate::address::{family, ip, octets};
use crate::link::u32_of;
use crate::netlink::number::{NDA_PROTOCOL, PROTOCOL};
use crate::netlink::{Message, attributes};

/// Length of `struct ndmsg`.
const NDMSG: usize = 12;

/// What the kernel says of a neighbour that is ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NeighbourRecord {
    pub(crate) index: u32,
    pub(crate) ip: IpAddr,
    pub(crate) mac: MacAddr,
}

/// What the kernel says of a static forwarding entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FdbRecord {
    /// The port.
    pub(crate) index: u32,
    pub(crate) mac: MacAddr,
}

/// Adds a permanent neighbour, or overwrites the one that is there.
pub(crate) fn add(index: u32, address: IpAddr, mac: MacAddr) -> Message {
    let flags = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
    let head = header(family(address), index, libc::NUD_PERMANENT, 0);
    let mut message = Message::new(libc::RTM_NEWNEIGH, flags);
    message
        .raw(&head)
        .bytes(libc::NDA_DST, &octets(address))
        .bytes(libc::NDA_LLADDR, &mac.0)
        .u8(NDA_PROTOCOL, PROTOCOL);
    message
}

/// Removes a neighbour.
pub(crate) fn remove(index: u32, address: IpAddr) -> Message {
    let mut message = Message::new(libc::RTM_DELNEIGH, 0);
    message.raw(&header(family(address), index, 0, 0)).bytes(libc::NDA_DST, &octets(address));
    message
}

/// Asks for all neighbours.
pub(crate) fn dump() -> Message {
    let mut message = Message::new(libc::RTM_GETNEIGH, 0);
    message.raw(&header(libc::AF_UNSPEC as u8, 0, 0, 0));
    message
}

/// Adds a static forwarding entry to the bridge of a port, or moves the one that is there.
pub(crate) fn add_fdb(port: u32, mac: MacAddr) -> Message {
    let flags = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
    let head = header(libc::AF_BRIDGE as u8, port, libc::NUD_NOARP, libc::NTF_MASTER);
    let mut message = Message::new(libc::RTM_NEWNEIGH, flags);
    message.raw(&head).bytes(libc::NDA_LLADDR, &mac.0);
    message
}

/// Removes a forwarding entry.
pub(crate) fn remove_fdb(port: u32, mac: MacAddr) -> Message {
    let mut message = Message::new(libc::RTM_DELNEIGH, 0);
    message
        .raw(&header(libc::AF_BRIDGE as u8, port, 0, libc::NTF_MASTER))
        .bytes(libc::NDA_LLADDR, &mac.0);
    message
}

/// Asks for all forwarding entries.
pub(crate) fn dump_fdb() -> Message {
    let mut message = Message::new(libc::RTM_GETNEIGH, 0);
    message.raw(&header(libc::AF_BRIDGE as u8, 0, 0, 0));
    message
}

fn header(family: u8, index: u32, state: u16, flags: u8) -> [u8; NDMSG] {
    let mut head = [0; NDMSG];
    head[0] = family;
    head[4..8].copy_from_slice(&index.to_ne_bytes());
    head[8..10].copy_from_slice(&state.to_ne_bytes());
    head[10] = flags;
    head
}

struct Entry<'a> {
    index: u32,
    state: u16,
    ip: Option<&'a [u8]>,
    mac: MacAddr,
    ours: bool,
    of_bridge: bool,
}

fn entry(payload: &[u8]) -> Option<Entry<'_>> {
    let (head, rest) = payload.split_first_chunk::<NDMSG>()?;
    let (mut ip, mut mac, mut ours, mut of_bridge) = (None, None, false, false);
    for (kind, value) in attributes(rest) {
        match kind {
            libc::NDA_DST => ip = Some(value),
            libc::NDA_LLADDR => mac = value.try_into().ok().map(MacAddr),
            NDA_PROTOCOL => ours = value == [PROTOCOL],
            libc::NDA_MASTER => of_bridge = true,
            _ => {}
        }
    }
    let state = u16::from_ne_bytes([head[8], head[9]]);
    Some(Entry { index: u32_of(&head[4..8]), state, ip, mac: mac?, ours, of_bridge })
}

/// Reads a neighbour; none when it is not permanent or not ours.
pub(crate) fn parse(payload: &[u8]) -> Option<NeighbourRecord> {
    let entry = entry(payload)?;
    let ours = entry.ours && entry.state & libc::NUD_PERMANENT != 0;
    let ip = ip(entry.ip?)?;
    ours.then_some(NeighbourRecord { index: entry.index, ip, mac: entry.mac })
}

/// Reads a forwarding entry; none when it is not a static one of a bridge.
pub(crate) fn parse_fdb(payload: &[u8]) -> Option<FdbRecord> {
    let entry = entry(payload)?;
    let is_static = entry.of_bridge && entry.state & libc::NUD_NOARP != 0;
    is_static.then_some(FdbRecord { index: entry.index, mac: entry.mac })
}
