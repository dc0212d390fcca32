//! Tracked connections in ctnetlink's words.
//!
//! In: an address. Out: its connections are forgotten, so that a new owner of the address, or of
//! a published port, does not get packets by an old translation. For IPv4 the kernel looks for
//! them itself (Linux 6.8), or hands out those that match (5.8). For IPv6 all are read: the
//! kernel's filter takes those that do not match (`ctnetlink_filter_match_tuple` compares with
//! `!ipv6_addr_cmp`; seen up to 6.18).

use std::net::IpAddr;

use crate::address::{family, octets};
use crate::error::{Cause, Error};
use crate::netlink::number::*;
use crate::netlink::{Message, Socket, attributes};

/// Length of `struct nfgenmsg`.
const NFGENMSG: usize = 4;

/// Which source of a connection is looked at: of its first direction, for those that the address
/// began; of its second, for those that it was reached by, whatever the translation.
#[derive(Clone, Copy, Debug)]
enum Source {
    Original,
    Reply,
}

/// Deletes the connections from or to `address`, before or after translation.
pub(crate) fn forget(socket: &mut Socket, address: IpAddr) -> Result<(), Error> {
    let fail = |cause| Error::new("forget", format!("connections of {address}"), cause);
    if address.is_ipv6() {
        return forget_each(socket, address, &message(IPCTNL_MSG_CT_GET, address)).map_err(fail);
    }
    for source in [Source::Original, Source::Reply] {
        match socket.request(filtered(IPCTNL_MSG_CT_DELETE, address, source)) {
            // Older kernels want a whole connection to delete.
            Err(cause) if cause.errno() == Some(libc::EINVAL) => {
                let dump = filtered(IPCTNL_MSG_CT_GET, address, source);
                forget_each(socket, address, &dump).map_err(fail)?;
            }
            done => done.map_err(fail)?,
        }
    }
    Ok(())
}

/// Deletes those of a dump one by one. Kernels without filters hand out all.
fn forget_each(socket: &mut Socket, address: IpAddr, dump: &Message) -> Result<(), Cause> {
    let found = socket.dump(dump)?;
    let wanted = octets(address);
    let deletion = |payload: &Vec<u8>| deletion(payload.get(NFGENMSG..)?, address, &wanted);
    let mut deletions: Vec<_> = found.iter().filter_map(deletion).collect();
    let refused = socket.batch(&mut deletions)?;
    // One that has ended by itself is gone, too.
    refused.into_iter().find(|r| r.errno != libc::ENOENT).map_or(Ok(()), |r| Err(r.into()))
}

/// A message about connections of the family of `address`.
pub(crate) fn message(kind: u16, address: IpAddr) -> Message {
    let subsystem = (libc::NFNL_SUBSYS_CTNETLINK as u16) << 8;
    let mut message = Message::new(subsystem | kind, 0);
    message.raw(&[family(address), libc::NFNETLINK_V0 as u8, 0, 0]);
    message
}

/// A request about all connections with that source, for IPv4.
fn filtered(kind: u16, address: IpAddr, source: Source) -> Message {
    let (tuple, flags) = match source {
        Source::Original => (CTA_TUPLE_ORIG, CTA_FILTER_ORIG_FLAGS),
        Source::Reply => (CTA_TUPLE_REPLY, CTA_FILTER_REPLY_FLAGS),
    };
    let mut message = message(kind, address);
    message.nest(tuple, |tuple| {
        tuple.nest(CTA_TUPLE_IP, |ends| {
            ends.bytes(CTA_IP_V4_SRC, &octets(address));
        });
    });
    message.nest(CTA_FILTER, |filter| {
        filter.u32(flags, CTA_FILTER_IP_SRC);
    });
    message
}

/// The request that deletes a connection, when it has the address at either end.
fn deletion(connection: &[u8], address: IpAddr, wanted: &[u8]) -> Option<Message> {
    let value = |kind| attributes(connection).value_of(kind);
    let (original, reply) = (value(CTA_TUPLE_ORIG)?, value(CTA_TUPLE_REPLY)?);
    let concerned = mentions(original, wanted) || mentions(reply, wanted);
    concerned.then(|| delete(connection, address)).flatten()
}

/// The request that deletes a connection of the family of `address`.
pub(crate) fn delete(connection: &[u8], address: IpAddr) -> Option<Message> {
    let value = |kind| attributes(connection).value_of(kind);
    let original = value(CTA_TUPLE_ORIG)?;
    let mut message = message(IPCTNL_MSG_CT_DELETE, address);
    message.nest(CTA_TUPLE_ORIG, |tuple| {
        tuple.raw(original);
    });
    // The id names this very connection, should its tuple be in use again by now.
    for kind in [CTA_ID, CTA_ZONE] {
        if let Some(found) = value(kind) {
            message.bytes(kind, found);
        }
    }
    Some(message)
}

/// Whether source or destination of a tuple is the address.
fn mentions(tuple: &[u8], wanted: &[u8]) -> bool {
    let ends = attributes(tuple).value_of(CTA_TUPLE_IP).unwrap_or_default();
    attributes(ends).any(|(_, end)| end == wanted)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::UdpSocket;
    use std::time::Duration;

    use super::*;
    use crate::tests::{on_test_host, track_connections};

    /// How many connections the address has.
    pub(crate) fn count(socket: &mut Socket, address: IpAddr) -> usize {
        let all = socket.dump(&message(IPCTNL_MSG_CT_GET, address)).expect("dump");
        let wanted = octets(address);
        let deletion = |payload: &Vec<u8>| deletion(&payload[NFGENMSG..], address, &wanted);
        all.iter().filter_map(deletion).count()
    }

    type Way = fn(&mut Socket, IpAddr);

    fn as_the_kernel_can(socket: &mut Socket, address: IpAddr) {
        forget(socket, address).expect("forget");
    }

    fn one_by_one(socket: &mut Socket, address: IpAddr) {
        for source in [Source::Original, Source::Reply] {
            let dump = filtered(IPCTNL_MSG_CT_GET, address, source);
            forget_each(socket, address, &dump).expect("forget");
        }
    }

    /// Sends until something has arrived: what has arrived is tracked, and a datagram may be lost.
    fn arrives(from: &UdpSocket, to: &UdpSocket) {
        to.set_read_timeout(Some(Duration::from_millis(200))).expect("timeout");
        let address = to.local_addr().expect("address");
        let sent = (0..50).any(|_| {
            from.send_to(b"x", address).expect("send");
            to.recv(&mut [0]).is_ok()
        });
        assert!(sent, "nothing arrives at {address}");
    }

    /// A connection of these two, and one that none of them has to do with.
    fn check(socket: &mut Socket, way: Way, from: IpAddr, to: IpAddr, other: IpAddr) {
        let bind = |address| UdpSocket::bind((address, 0)).expect("bind");
        for forgotten in [from, to] {
            let (server, client, bystander) = (bind(to), bind(from), bind(other));
            arrives(&client, &server);
            arrives(&bystander, &bystander);
            let counts = |socket: &mut Socket| [from, to, other].map(|a| count(socket, a));
            assert_eq!(counts(socket), [1, 1, 1], "{from} to {to}");
            way(socket, forgotten);
            assert_eq!(counts(socket), [0, 0, 1], "{from} to {to}");
            way(socket, other);
            assert_eq!(counts(socket), [0, 0, 0], "{from} to {to}");
        }
    }

    #[test]
    fn connections_are_forgotten_by_address() {
        on_test_host(move |_| {
            track_connections();
            let mut socket = Socket::netfilter().expect("socket");
            let ip = |last| IpAddr::from([127, 0, 0, last]);
            check(&mut socket, as_the_kernel_can, ip(7), ip(9), ip(11));
            check(&mut socket, one_by_one, ip(7), ip(9), ip(11));
        });
    }

    #[test]
    fn connections_are_forgotten_by_ipv6_address() {
        on_test_host(move |_| {
            track_connections();
            let mut socket = Socket::netfilter().expect("socket");
            let ip = |last| IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, last]);
            for last in [7, 9, 11] {
                let net = format!("{}/128", ip(last));
                let arguments = ["addr", "add", &net, "dev", "lo", "nodad"];
                let status = std::process::Command::new("ip").args(arguments).status();
                assert!(status.expect("ip").success());
            }
            check(&mut socket, as_the_kernel_can, ip(7), ip(9), ip(11));
        });
    }
}
