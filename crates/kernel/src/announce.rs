//! Tells the neighbours on a bridge who has an address now: an ARP announcement (RFC 5227), or an
//! unsolicited neighbour advertisement (RFC 4861).
//!
//! In: a bridge, an address, its hardware address. Out: frames to all ports. Without them, who
//! talked to the address's last owner goes on doing so for some seconds. A broadcast costs what the
//! bridge has ports: where no owner is known to whom somebody may have talked, a thread sends it,
//! and nobody waits.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use hawser_hoststate::MacAddr;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::sys;

/// The fixed part of an ARP request for IPv4 on Ethernet.
const ARP_REQUEST: [u8; 8] = [0, 1, 8, 0, 6, 4, 0, 1];
/// Neighbour advertisement, code, checksum to come, flag "override".
const ADVERTISEMENT: [u8; 8] = [136, 0, 0, 0, 0x20, 0, 0, 0];
const ICMPV6: u8 = 58;
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// Who has which address, on which bridge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announcement {
    /// Interface index of the bridge.
    pub(crate) bridge: u32,
    pub(crate) ip: IpAddr,
    pub(crate) mac: MacAddr,
}

/// How many former owners are remembered.
const FORMER_LIMIT: usize = 4096;

/// Sends announcements. Its thread ends with this value.
pub(crate) struct Announcer {
    socket: Arc<OwnedFd>,
    queue: Mutex<Sender<Announcement>>,
    /// Hardware addresses of those who have lost their address on a bridge.
    former: Mutex<HashMap<(u32, IpAddr), MacAddr>>,
}

impl Announcer {
    /// Starts the thread in the namespace of the caller.
    pub(crate) fn start() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        // Without a protocol it receives nothing.
        let socket = rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
        let socket = Arc::new(socket);
        let theirs = Arc::clone(&socket);
        let (sender, receiver) = channel::<Announcement>();
        let builder = std::thread::Builder::new().name("announcer".to_owned());
        builder.spawn(move || receiver.iter().for_each(|one| send(&theirs, &one)))?;
        Ok(Self { socket, queue: Mutex::new(sender), former: Mutex::default() })
    }

    /// Notes that an owner has lost its address.
    pub(crate) fn note_lost(&self, lost: Announcement) {
        let mut former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        if former.len() >= FORMER_LIMIT {
            former.clear();
        }
        former.insert((lost.bridge, lost.ip), lost.mac);
    }

    /// Announces a new owner: at once if another one had the address, else soon.
    pub(crate) fn announce(&self, new: Announcement) {
        let mut former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        if former.remove(&(new.bridge, new.ip)).is_some_and(|mac| mac != new.mac) {
            drop(former);
            return send(&self.socket, &new);
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread lives as long as the sender.
        let _ = queue.send(new);
    }
}

fn send(socket: &OwnedFd, announcement: &Announcement) {
    if let Err(error) = sys::send_frame(socket.as_fd(), announcement.bridge, &frame(announcement)) {
        tracing::debug!(%error, ?announcement, "can't announce");
    }
}

fn frame(announcement: &Announcement) -> Vec<u8> {
    match announcement.ip {
        IpAddr::V4(ip) => arp(ip, announcement.mac.0),
        IpAddr::V6(ip) => advertisement(ip, announcement.mac.0),
    }
}

fn arp(ip: Ipv4Addr, mac: [u8; 6]) -> Vec<u8> {
    let ip = ip.octets();
    let parts: [&[u8]; 8] = [&[0xff; 6], &mac, &[8, 6], &ARP_REQUEST, &mac, &ip, &[0; 6], &ip];
    parts.concat()
}

fn advertisement(ip: Ipv6Addr, mac: [u8; 6]) -> Vec<u8> {
    let target_mac: [&[u8]; 2] = [&[2, 1], &mac];
    let mut body = [&ADVERTISEMENT[..], &ip.octets(), &target_mac.concat()].concat();
    let sum = checksum(ip, &body);
    body[2..4].copy_from_slice(&sum.to_be_bytes());
    let length = (body.len() as u16).to_be_bytes();
    let ethernet: [&[u8]; 3] = [&[0x33, 0x33, 0, 0, 0, 1], &mac, &[0x86, 0xdd]];
    let head: [&[u8]; 5] =
        [&[0x60, 0, 0, 0], &length, &[ICMPV6, 255], &ip.octets(), &ALL_NODES.octets()];
    [ethernet.concat(), head.concat(), body].concat()
}

/// The Internet checksum of an ICMPv6 message with its pseudo-header; `body` has an even length.
fn checksum(source: Ipv6Addr, body: &[u8]) -> u16 {
    let pseudo: [&[u8]; 4] = [
        &source.octets(),
        &ALL_NODES.octets(),
        &(body.len() as u32).to_be_bytes(),
        &[0, 0, 0, ICMPV6],
    ];
    let bytes = [pseudo.concat(), body.to_vec()].concat();
    let words = bytes.chunks_exact(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advertisement_sums_to_zero() {
        let ip = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
        let frame = advertisement(ip, [2, 0x42, 1, 2, 3, 4]);
        assert_eq!(frame.len(), 14 + 40 + 32);
        // A right checksum makes the sum over all, itself included, come out as zero.
        assert_eq!(checksum(ip, &frame[54..]), 0);
    }

    #[test]
    fn an_arp_announcement_asks_for_itself() {
        let frame = arp(Ipv4Addr::new(10, 0, 0, 2), [2, 0x42, 1, 2, 3, 4]);
        assert_eq!(frame.len(), 14 + 28);
        assert_eq!(frame[28..32], frame[38..42]);
    }
}
