//! Links in rtnetlink's words: bridges, veth pairs, bridge ports.
//!
//! In: the `Link` of `hoststate` and interface indexes. Out: messages, and [`LinkRecord`]s read
//! from a dump. It sends nothing.

use std::os::fd::{AsRawFd, BorrowedFd};

use hawser_hoststate::{IfName, Link, MacAddr, Peer, Veth};

use crate::netlink::number::*;
use crate::netlink::{Message, attributes, text};

/// Length of `struct ifinfomsg`.
const IFINFOMSG: usize = 16;
/// What the alias of a link of ours begins with.
const ALIAS_PREFIX: &str = "hawser ";
/// The kernel's limit of an alias is 255 bytes and a zero.
const ALIAS_LIMIT: usize = 255;
const AF_INET6: u16 = libc::AF_INET6 as u16;

/// What the kernel says of a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkRecord {
    pub(crate) index: u32,
    pub(crate) up: bool,
    pub(crate) name: String,
    pub(crate) mac: Option<MacAddr>,
    pub(crate) mtu: u32,
    pub(crate) alias: String,
    /// Index of the bridge that it is a port of; 0 for none.
    pub(crate) master: u32,
    pub(crate) group: u32,
    /// Index of the other end of a veth pair, in the other end's namespace.
    pub(crate) other_end: u32,
    /// `bridge`, `veth`, …; empty for none.
    pub(crate) kind: String,
    pub(crate) isolated: bool,
    pub(crate) ipv6: bool,
}

impl LinkRecord {
    /// Whether we made it, by the alias or, before that is written, by the group.
    pub(crate) fn is_ours(&self) -> bool {
        self.alias.starts_with(ALIAS_PREFIX) || self.group == OUR_GROUP || self.is_trash()
    }

    /// Whether it waits for its deletion.
    pub(crate) fn is_trash(&self) -> bool {
        self.group == TRASH_GROUP
    }
}

/// The indexes that a new veth pair gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairIndexes {
    /// Of the near end, in the host's namespace.
    pub(crate) port: u32,
    /// Of the far end; 0 lets the kernel choose.
    pub(crate) peer: u32,
    /// Of the bridge.
    pub(crate) master: u32,
}

fn header(family: i32, index: u32, up: Option<bool>) -> [u8; IFINFOMSG] {
    let mut bytes = [0; IFINFOMSG];
    bytes[0] = family as u8;
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    if let Some(up) = up {
        let flag = libc::IFF_UP as u32;
        bytes[8..12].copy_from_slice(&if up { flag } else { 0 }.to_ne_bytes());
        bytes[12..16].copy_from_slice(&flag.to_ne_bytes());
    }
    bytes
}

fn request(kind: u16, flags: i32, index: u32, up: Option<bool>) -> Message {
    let mut message = Message::new(kind, flags);
    message.raw(&header(libc::AF_UNSPEC, index, up));
    message
}

/// Makes a bridge, up, of that index.
pub(crate) fn create_bridge(link: &Link, index: u32) -> Message {
    let flags = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    let mut message = request(libc::RTM_NEWLINK, flags, index, Some(true));
    message
        .text(libc::IFLA_IFNAME, link.name.as_str())
        .bytes(libc::IFLA_ADDRESS, &link.mac.0)
        .u32(libc::IFLA_MTU, link.mtu)
        .u32(libc::IFLA_GROUP, OUR_GROUP)
        .nest(libc::IFLA_LINKINFO, |info| {
            info.text(libc::IFLA_INFO_KIND, "bridge").nest(libc::IFLA_INFO_DATA, |data| {
                data.u32(IFLA_BR_FORWARD_DELAY, 0).u32(IFLA_BR_STP_STATE, 0);
            });
        });
    message
}

/// Makes a veth pair: the near end up and a port of its bridge, the far end in its namespace.
///
/// The far end is not up: veth refuses that at creation (ENOTCONN). One queue each way: the
/// default, one per CPU, costs a tenth of a millisecond and helps nobody.
pub(crate) fn create_veth(
    link: &Link,
    peer: &Peer,
    indexes: PairIndexes,
    ns: BorrowedFd<'_>,
) -> Message {
    let flags = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    let mut message = request(libc::RTM_NEWLINK, flags, indexes.port, Some(true));
    veth_end(&mut message, &link.name, link.mac, link.mtu);
    message.u32(libc::IFLA_MASTER, indexes.master).u32(libc::IFLA_GROUP, OUR_GROUP);
    message.nest(libc::IFLA_LINKINFO, |info| {
        info.text(libc::IFLA_INFO_KIND, "veth").nest(libc::IFLA_INFO_DATA, |data| {
            data.nest(VETH_INFO_PEER, |far| {
                far.raw(&header(libc::AF_UNSPEC, indexes.peer, None));
                veth_end(far, &peer.name, peer.mac, link.mtu);
                far.u32(libc::IFLA_NET_NS_FD, ns.as_raw_fd() as u32);
            });
        });
    });
    message
}

fn veth_end(message: &mut Message, name: &IfName, mac: MacAddr, mtu: u32) {
    message
        .text(libc::IFLA_IFNAME, name.as_str())
        .bytes(libc::IFLA_ADDRESS, &mac.0)
        .u32(libc::IFLA_MTU, mtu)
        .u32(libc::IFLA_NUM_TX_QUEUES, 1)
        .u32(libc::IFLA_NUM_RX_QUEUES, 1);
}

/// Writes the owner's mark of a bridge.
pub(crate) fn mark_bridge(index: u32, alias: &str) -> Message {
    let end = alias.len().min(ALIAS_LIMIT);
    let mut message = request(libc::RTM_SETLINK, 0, index, None);
    message.bytes(libc::IFLA_IFALIAS, &alias.as_bytes()[..end]);
    message
}

/// Writes the owner's mark of a bridge port and keeps it from having IPv6 addresses of its own:
/// each would join multicast groups and answer floods. Cheaper than `disable_ipv6`, for which
/// netlink has no attribute. Refused (EAFNOSUPPORT) of a link that can have none.
pub(crate) fn mark_port(index: u32, link: &Link) -> Message {
    let mut message = mark_bridge(index, &link.alias);
    if !link.knows_ipv6() {
        return message;
    }
    message.nest(libc::IFLA_AF_SPEC, |spec| {
        spec.nest(AF_INET6, |inet6| {
            inet6.u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
        });
    });
    message
}

/// Brings a link up, with a hardware address if that shall change: even setting the one that it
/// has makes the kernel forget all neighbours on the link, the permanent ones too.
pub(crate) fn set_plain(index: u32, mtu: u32, new_mac: Option<MacAddr>) -> Message {
    let mut message = set_up_with_mtu(index, mtu);
    if let Some(mac) = new_mac {
        message.bytes(libc::IFLA_ADDRESS, &mac.0);
    }
    message
}

/// Flags of a bridge port: no learning (entries are static), ARP answered by the bridge from
/// its permanent neighbours (`proxyarp_wifi`), isolation as asked. Hairpin, since a container that
/// reaches itself by a published port is switched, not routed, where br_netfilter is loaded.
pub(crate) fn set_port(index: u32, veth: &Veth) -> Message {
    let mut message = Message::new(libc::RTM_SETLINK, 0);
    message.raw(&header(libc::AF_BRIDGE, index, None)).nest(libc::IFLA_PROTINFO, |port| {
        port.u8(IFLA_BRPORT_LEARNING, 0)
            .u8(IFLA_BRPORT_PROXYARP_WIFI, 1)
            .u8(IFLA_BRPORT_MODE, 1)
            .u8(IFLA_BRPORT_ISOLATED, u8::from(veth.isolated));
    });
    message
}

/// Brings a link up (and changes nothing else).
pub(crate) fn set_up(index: u32) -> Message {
    request(libc::RTM_SETLINK, 0, index, Some(true))
}

/// Brings a link up with a largest packet.
pub(crate) fn set_up_with_mtu(index: u32, mtu: u32) -> Message {
    let mut message = set_up(index);
    message.u32(libc::IFLA_MTU, mtu);
    message
}

/// Makes a link a port of another bridge.
pub(crate) fn set_master(index: u32, master: u32) -> Message {
    let mut message = request(libc::RTM_SETLINK, 0, index, None);
    message.u32(libc::IFLA_MASTER, master);
    message
}

/// Brings a link down: its routes go at once.
pub(crate) fn set_down(index: u32) -> Message {
    request(libc::RTM_SETLINK, 0, index, Some(false))
}

/// Puts a bridge port out of work at once: state disabled (BR_STATE_DISABLED is 0).
pub(crate) fn stop_port(index: u32) -> Message {
    let mut message = Message::new(libc::RTM_SETLINK, 0);
    message.raw(&header(libc::AF_BRIDGE, index, None)).nest(libc::IFLA_PROTINFO, |port| {
        port.u8(IFLA_BRPORT_STATE, 0);
    });
    message
}

/// Marks a link for the deletion of its group.
pub(crate) fn set_trash_group(index: u32) -> Message {
    let mut message = request(libc::RTM_SETLINK, 0, index, None);
    message.u32(libc::IFLA_GROUP, TRASH_GROUP);
    message
}

/// Gives a link that waits for its deletion a name that nobody wants: older kernels (before 6.2)
/// rename only what is down.
pub(crate) fn give_name_away(index: u32) -> [Message; 2] {
    let mut rename = request(libc::RTM_SETLINK, 0, index, None);
    rename.text(libc::IFLA_IFNAME, &format!("trsh{index}"));
    [set_down(index), rename]
}

/// Deletes every link of the trash group.
pub(crate) fn delete_trash_group() -> Message {
    let mut message = request(libc::RTM_DELLINK, 0, 0, None);
    message.u32(libc::IFLA_GROUP, TRASH_GROUP);
    message
}

/// Asks for a link by name.
pub(crate) fn get_by_name(name: &IfName) -> Message {
    let mut message = request(libc::RTM_GETLINK, 0, 0, None);
    message
        .text(libc::IFLA_IFNAME, name.as_str())
        .u32(libc::IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    message
}

/// Asks for a link by index, which also makes the kernel process its pending events.
pub(crate) fn get_by_index(index: u32) -> Message {
    let mut message = request(libc::RTM_GETLINK, 0, index, None);
    message.u32(libc::IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    message
}

/// Asks for all links.
pub(crate) fn dump() -> Message {
    get_by_index(0)
}

/// Reads a link.
pub(crate) fn parse(payload: &[u8]) -> Option<LinkRecord> {
    let (head, rest) = payload.split_first_chunk::<IFINFOMSG>()?;
    let flags = u32_of(&head[8..12]);
    let mut link = LinkRecord {
        index: u32_of(&head[4..8]),
        up: flags & libc::IFF_UP as u32 != 0,
        ipv6: true,
        ..LinkRecord::default()
    };
    for (kind, value) in attributes(rest) {
        match kind {
            libc::IFLA_IFNAME => link.name = text(value),
            libc::IFLA_ADDRESS => link.mac = value.try_into().ok().map(MacAddr),
            libc::IFLA_MTU => link.mtu = u32_of(value),
            libc::IFLA_IFALIAS => link.alias = text(value),
            libc::IFLA_MASTER => link.master = u32_of(value),
            libc::IFLA_GROUP => link.group = u32_of(value),
            libc::IFLA_LINK => link.other_end = u32_of(value),
            libc::IFLA_LINKINFO => parse_kind(value, &mut link),
            libc::IFLA_AF_SPEC => link.ipv6 = !ipv6_disabled(value),
            _ => {}
        }
    }
    Some(link)
}

fn parse_kind(info: &[u8], link: &mut LinkRecord) {
    for (kind, value) in attributes(info) {
        match kind {
            libc::IFLA_INFO_KIND => link.kind = text(value),
            libc::IFLA_INFO_SLAVE_DATA => {
                let isolated = attributes(value).value_of(IFLA_BRPORT_ISOLATED);
                link.isolated = isolated.is_some_and(|flag| flag == [1]);
            }
            _ => {}
        }
    }
}

/// A link with packets too small for IPv6, or of a kernel without it, has nothing to say of it.
fn ipv6_disabled(spec: &[u8]) -> bool {
    let at = DEVCONF_DISABLE_IPV6 * 4;
    let setting = attributes(spec)
        .value_of(AF_INET6)
        .and_then(|inet6| attributes(inet6).value_of(IFLA_INET6_CONF))
        .and_then(|settings| settings.get(at..at + 4));
    setting.is_none_or(|value| u32_of(value) != 0)
}

/// A number from an attribute; 0 when its length is wrong.
pub(crate) fn u32_of(value: &[u8]) -> u32 {
    value.try_into().map_or(0, u32::from_ne_bytes)
}
