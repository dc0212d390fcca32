//! Links that the engine makes: bridges and veth pairs.

use crate::words::{IfName, MacAddr, NamespaceName};

/// A link whose near end is in the host's namespace. It is always administratively up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Name in the host's namespace.
    pub name: IfName,
    /// Hardware address of the near end.
    pub mac: MacAddr,
    /// Largest packet in bytes.
    pub mtu: u32,
    /// The owner's mark, written as the link's alias (IFLA_IFALIAS); what `observe` knows its own by.
    pub alias: String,
    /// Bridge or veth.
    pub kind: LinkKind,
}

/// Links with smaller packets have no IPv6 at all (RFC 8200, section 5): not even the settings. In
/// bytes.
pub const IPV6_MIN_MTU: u32 = 1280;

impl Link {
    /// Whether the kernel knows IPv6 of a link with packets of that size.
    pub fn knows_ipv6(&self) -> bool {
        self.mtu >= IPV6_MIN_MTU
    }

    /// Whether IPv6 comes, with its defaults, when this link gets the other's largest packet.
    pub fn gains_ipv6(&self, by: &Self) -> bool {
        !self.knows_ipv6() && by.knows_ipv6()
    }
}

/// What kind of link it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// A software bridge.
    Bridge(Bridge),
    /// A veth pair whose far end is made in another namespace.
    Veth(Veth),
}

/// Settings of a bridge. STP is off, the forward delay 0, multicast snooping on.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bridge {
    /// IPv6 on the bridge link itself (`disable_ipv6=0`), without duplicate detection.
    pub ipv6: bool,
}

/// The near end of a veth pair as a bridge port, and its far end.
///
/// The port does not learn (its station is a static entry), lets the bridge answer ARP for known
/// neighbours (`proxy_arp_wifi`), and gives back frames to where they came from (`hairpin`):
/// where `br_netfilter` is loaded, a container that reaches itself over a published port of the
/// host is sent back by the bridge, not by the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Veth {
    /// The bridge that the near end is a port of.
    pub master: IfName,
    /// Ports that are isolated don't reach one another (`ip link set … type bridge_slave isolated on`).
    pub isolated: bool,
    /// The far end.
    pub peer: Peer,
}

/// The far end of a veth pair: created in its namespace, never moved or renamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The namespace it lives in.
    pub ns: NamespaceName,
    /// Its name there (`eth0`).
    pub name: IfName,
    /// Its hardware address.
    pub mac: MacAddr,
    /// Whether IPv6 is enabled on it, without duplicate detection.
    pub ipv6: bool,
}
