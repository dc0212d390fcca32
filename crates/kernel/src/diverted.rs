//! Ports of the host that lead elsewhere from now on: connections that were tracked while they led
//! nowhere are forgotten.
//!
//! In: elements of published ports that were just added. Out: nothing. Translation is decided by a
//! connection's first packet, and a client that goes on sending datagrams keeps its connection for
//! ever: it would never reach who publishes the port now. TCP begins anew by itself.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hawser_hoststate::{Element, Transport};

use crate::address::ip;
use crate::conntrack::{delete, message};
use crate::error::{Cause, Error};
use crate::netlink::number::*;
use crate::netlink::{Message, Socket, attributes};
use crate::{address, observe};

/// A port that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Diverted {
    v6: bool,
    /// None is every address of the host.
    address: Option<IpAddr>,
    transport: Transport,
    port: u16,
}

impl Diverted {
    /// The port that an element publishes, if its protocol knows no beginnings.
    pub(crate) fn by(element: &Element) -> Option<Self> {
        let (v6, address, transport, port) = match *element {
            Element::Publish4(ip, transport, port) => (false, Some(ip.into()), transport, port),
            Element::Publish6(ip, transport, port) => (true, Some(ip.into()), transport, port),
            Element::PublishAny4(transport, port) => (false, None, transport, port),
            Element::PublishAny6(transport, port) => (true, None, transport, port),
            _ => return None,
        };
        (transport == Transport::Udp).then_some(Self { v6, address, transport, port })
    }
}

/// Deletes the connections to these ports of the host that are not translated.
pub(crate) fn forget(
    netfilter: &mut Socket,
    route: &mut Socket,
    ports: &BTreeSet<Diverted>,
) -> Result<(), Error> {
    let local = observe::read(route, "addresses", &address::dump(), address::parse)?;
    let local: BTreeSet<IpAddr> = local.iter().map(|record| record.address.addr()).collect();
    for v6 in [false, true] {
        if ports.iter().any(|port| port.v6 == v6) {
            let stale = |to: IpAddr, transport, port| {
                let is = |address| Diverted { v6, address, transport, port };
                ports.contains(&is(Some(to)))
                    || (ports.contains(&is(None)) && (local.contains(&to) || to.is_loopback()))
            };
            let fail = |cause| Error::new("forget", "connections of published ports", cause);
            forget_of(netfilter, v6, stale).map_err(fail)?;
        }
    }
    Ok(())
}

fn forget_of(
    socket: &mut Socket,
    v6: bool,
    stale: impl Fn(IpAddr, Transport, u16) -> bool,
) -> Result<(), Cause> {
    let found = socket.dump(&datagrams(v6))?;
    let deletion = |payload: &Vec<u8>| {
        let connection = payload.get(crate::nft::NFGENMSG..)?;
        let (to, port) = untranslated(connection)?;
        stale(to, Transport::Udp, port).then(|| delete(connection, to)).flatten()
    };
    let mut deletions: Vec<_> = found.iter().filter_map(deletion).collect();
    let refused = socket.batch(&mut deletions)?;
    // One that has ended by itself is gone, too.
    refused.into_iter().find(|r| r.errno != libc::ENOENT).map_or(Ok(()), |r| Err(r.into()))
}

/// Asks for the connections of UDP. Kernels without filters (before 5.8) hand out all.
fn datagrams(v6: bool) -> Message {
    let family = if v6 { IpAddr::from([0; 16]) } else { IpAddr::from([0; 4]) };
    let mut dump = message(IPCTNL_MSG_CT_GET, family);
    dump.nest(CTA_TUPLE_ORIG, |tuple| {
        tuple.nest(CTA_TUPLE_PROTO, |proto| {
            proto.bytes(CTA_PROTO_NUM, &[Transport::Udp.number()]);
        });
    });
    dump.nest(CTA_FILTER, |filter| {
        filter.u32(CTA_FILTER_ORIG_FLAGS, CTA_FILTER_PROTO_NUM);
    });
    dump
}

/// Where datagrams of a connection are sent to, and go.
fn untranslated(connection: &[u8]) -> Option<(IpAddr, u16)> {
    let status = attributes(connection).value_of(CTA_STATUS)?.try_into().ok()?;
    if u32::from_be_bytes(status) & IPS_DST_NAT != 0 {
        return None;
    }
    let tuple = attributes(connection).value_of(CTA_TUPLE_ORIG)?;
    let ends = attributes(tuple).value_of(CTA_TUPLE_IP)?;
    let to = attributes(ends).find(|(kind, _)| [CTA_IP_V4_DST, CTA_IP_V6_DST].contains(kind));
    let proto = attributes(tuple).value_of(CTA_TUPLE_PROTO)?;
    if attributes(proto).value_of(CTA_PROTO_NUM)? != [Transport::Udp.number()] {
        return None;
    }
    let port = attributes(proto).value_of(CTA_PROTO_DST_PORT)?.try_into().ok()?;
    Some((ip(to?.1)?, u16::from_be_bytes(port)))
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::conntrack::tests::count;
    use crate::tests::{on_test_host, track_connections};

    #[test]
    fn connections_to_a_port_that_was_published_are_forgotten() {
        on_test_host(|_| {
            track_connections();
            let (mut netfilter, mut route) =
                (Socket::netfilter().expect("socket"), Socket::route().expect("socket"));
            for (v6, ip, other) in [(false, "127.0.0.1", "127.0.0.2"), (true, "::1", "::1")] {
                let (ip, other): (IpAddr, IpAddr) =
                    (ip.parse().expect("ip"), other.parse().expect("ip"));
                let mut published = |address, transport, port| {
                    let ports = [Diverted { v6, address, transport, port }].into();
                    forget(&mut netfilter, &mut route, &ports).expect("forget");
                };
                let client = UdpSocket::bind((ip, 0)).expect("bind");
                let mut socket = Socket::netfilter().expect("socket");
                let mut known = || count(&mut socket, ip);
                for address in [None, Some(ip)] {
                    client.send_to(b"x", (ip, 5353)).expect("send");
                    // Tracked is what has arrived.
                    let arrived = (0..1000).any(|_| {
                        std::thread::sleep(std::time::Duration::from_millis(1));
                        known() == 1
                    });
                    assert!(arrived);
                    // Another port, another protocol, another address.
                    published(address, Transport::Udp, 5354);
                    published(address, Transport::Tcp, 5353);
                    if other != ip {
                        published(Some(other), Transport::Udp, 5353);
                    }
                    assert_eq!(known(), 1);
                    published(address, Transport::Udp, 5353);
                    assert_eq!(known(), 0);
                }
            }
        });
    }

    #[test]
    fn only_datagrams_are_looked_at() {
        let element = |transport| Element::PublishAny4(transport, 53);
        assert!(Diverted::by(&element(Transport::Udp)).is_some());
        assert!(Diverted::by(&element(Transport::Tcp)).is_none());
        let open = Element::Open4([10, 0, 0, 1].into(), Transport::Udp, 53);
        assert!(Diverted::by(&open).is_none());
    }
}
