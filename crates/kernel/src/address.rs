//! Addresses in rtnetlink's words, marked as ours by their protocol (IFA_PROTO); iproute2 6.1, which
//! a person has, can't write that: an address with our number as metric is ours, too.
//!
//! In: an address and an interface index. Out: messages, and [`AddressRecord`]s from a dump.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::link::u32_of;
use crate::netlink::number::*;
use crate::netlink::{Message, attributes};

/// Length of `struct ifaddrmsg`.
const IFADDRMSG: usize = 8;

/// What the kernel says of an address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddressRecord {
    pub(crate) index: u32,
    pub(crate) address: IpNet,
    pub(crate) ours: bool,
}

/// Adds an address; one that is there is confirmed.
pub(crate) fn add(index: u32, address: IpNet) -> Message {
    let mut message =
        encode(libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_REPLACE, index, address);
    if let IpNet::V4(net) = address
        && net.prefix_len() < 31
    {
        message.bytes(libc::IFA_BROADCAST, &net.broadcast().octets());
    }
    message.u8(IFA_PROTO, PROTOCOL);
    message
}

/// Removes an address.
pub(crate) fn remove(index: u32, address: IpNet) -> Message {
    encode(libc::RTM_DELADDR, 0, index, address)
}

/// Asks for all addresses.
pub(crate) fn dump() -> Message {
    let mut message = Message::new(libc::RTM_GETADDR, 0);
    message.raw(&[0; IFADDRMSG]);
    message
}

fn encode(kind: u16, flags: i32, index: u32, address: IpNet) -> Message {
    // IPv6: no duplicate address detection, which would keep the address unusable for a second.
    let (family, flag) = match address {
        IpNet::V4(_) => (libc::AF_INET, 0),
        IpNet::V6(_) => (libc::AF_INET6, IFA_F_NODAD),
    };
    let mut head = [0; IFADDRMSG];
    head[..3].copy_from_slice(&[family as u8, address.prefix_len(), flag]);
    head[4..].copy_from_slice(&index.to_ne_bytes());
    let octets = octets(address.addr());
    let mut message = Message::new(kind, flags);
    message.raw(&head).bytes(libc::IFA_LOCAL, &octets).bytes(libc::IFA_ADDRESS, &octets);
    message
}

/// Reads an address.
pub(crate) fn parse(payload: &[u8]) -> Option<AddressRecord> {
    let (head, rest) = payload.split_first_chunk::<IFADDRMSG>()?;
    let (mut local, mut address, mut ours) = (None, None, false);
    for (kind, value) in attributes(rest) {
        match kind {
            libc::IFA_LOCAL => local = ip(value),
            libc::IFA_ADDRESS => address = ip(value),
            IFA_PROTO => ours |= value == [PROTOCOL],
            IFA_RT_PRIORITY => ours |= u32_of(value) == u32::from(PROTOCOL),
            _ => {}
        }
    }
    // On a point-to-point link IFA_ADDRESS is the other end's.
    let address = IpNet::new(local.or(address)?, head[1]).ok()?;
    Some(AddressRecord { index: u32_of(&head[4..]), address, ours })
}

/// An address in network order.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// An address from four or sixteen bytes.
pub(crate) fn ip(value: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(value) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(value).ok().map(|v6| Ipv6Addr::from(v6).into())
}

/// The family's number.
pub(crate) fn family(address: IpAddr) -> u8 {
    if address.is_ipv4() { libc::AF_INET as u8 } else { libc::AF_INET6 as u8 }
}
