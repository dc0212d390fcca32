//! Elements of the sets and maps of the fixed nftables skeleton (tables `inet hawser` and
//! `bridge hawser`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::words::{Family, IfName, MacAddr, Transport};

/// The sets and maps of the skeleton; [`SetName::as_str`] is the name in the `.nft` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SetName {
    /// `bridges`: links of our bridge networks (type ifname).
    Bridges,
    /// `same_bridge`: each of our bridges paired with itself, so that one look-up tells whether a
    /// routed packet leaves by the bridge it came from (type ifname . ifname).
    SameBridge,
    /// `isolated`: bridges whose containers don't reach one another (type ifname).
    Isolated,
    /// `internal`: bridges of networks that must not reach the outside (type ifname).
    Internal,
    /// `masquerade4`: subnets whose outgoing traffic takes the host's address (ipv4_addr, interval).
    Masquerade4,
    /// `masquerade6`: the same for IPv6.
    Masquerade6,
    /// `source4`: of these subnets, those that take one certain address (ipv4_addr : ipv4_addr, interval).
    Source4,
    /// `source6`: the same for IPv6.
    Source6,
    /// `unprotected`: bridges whose containers are reached from outside at every port (ifname . nf_proto).
    Unprotected,
    /// `routed`: bridges whose containers are reached at their own addresses (ifname . nf_proto).
    Routed,
    /// `trusted`: a link of the host and the bridge whose published ports it reaches at the
    /// containers' own addresses (ifname . ifname).
    Trusted,
    /// `open4`: published ports at containers' own addresses (ipv4_addr . inet_proto . inet_service).
    Open4,
    /// `open6`: the same for IPv6.
    Open6,
    /// `publish4`: published ports of one host address (ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service).
    Publish4,
    /// `publish6`: the same for IPv6.
    Publish6,
    /// `publish_any4`: ports published on every host address (inet_proto . inet_service : ipv4_addr . inet_service).
    PublishAny4,
    /// `publish_any6`: the same for IPv6.
    PublishAny6,
    /// `relayed4`: ports of one host address that the engine relays (ipv4_addr . inet_proto . inet_service).
    Relayed4,
    /// `relayed6`: the same for IPv6.
    Relayed6,
    /// `relayed_any`: ports of every host address of a family that the engine relays (nf_proto . inet_proto . inet_service).
    RelayedAny,
    /// `guarded`: ports whose containers send under their own hardware address alone (type ifname).
    Guarded,
    /// `addressed`: of these, those whose containers send under their own addresses alone (type ifname).
    Addressed,
    /// `stations`: hardware addresses, by port (ifname . ether_addr).
    Stations,
    /// `addresses4`: addresses, by port (ifname . ipv4_addr).
    Addresses4,
    /// `addresses6`: the same for IPv6.
    Addresses6,
    /// `targets6`: the same addresses, as targets of neighbour advertisements (ifname . 128 bits).
    Targets6,
    /// `apart`: ports whose containers don't reach one another (type ifname).
    Apart,
    /// `gateways`: the hardware address of the host, by port of those (ifname . ether_addr).
    Gateways,
}

/// Family of a table of the skeleton, as nftables names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableFamily {
    /// `inet`: packets.
    Inet,
    /// `bridge`: frames that bridges forward.
    Bridge,
}

impl TableFamily {
    /// The word that `nft` uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Bridge => "bridge",
        }
    }
}

impl SetName {
    /// Every set, in the order of the skeleton.
    pub const ALL: [Self; 28] = [
        Self::Bridges,
        Self::SameBridge,
        Self::Isolated,
        Self::Internal,
        Self::Masquerade4,
        Self::Masquerade6,
        Self::Source4,
        Self::Source6,
        Self::Unprotected,
        Self::Routed,
        Self::Trusted,
        Self::Open4,
        Self::Open6,
        Self::Publish4,
        Self::Publish6,
        Self::PublishAny4,
        Self::PublishAny6,
        Self::Relayed4,
        Self::Relayed6,
        Self::RelayedAny,
        Self::Guarded,
        Self::Addressed,
        Self::Stations,
        Self::Addresses4,
        Self::Addresses6,
        Self::Targets6,
        Self::Apart,
        Self::Gateways,
    ];

    /// Family of the table that it is in.
    pub fn family(self) -> TableFamily {
        match self {
            Self::Guarded
            | Self::Addressed
            | Self::Stations
            | Self::Addresses4
            | Self::Addresses6
            | Self::Targets6
            | Self::Apart
            | Self::Gateways => TableFamily::Bridge,
            _ => TableFamily::Inet,
        }
    }

    /// The name in the skeleton.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bridges => "bridges",
            Self::SameBridge => "same_bridge",
            Self::Isolated => "isolated",
            Self::Internal => "internal",
            Self::Masquerade4 => "masquerade4",
            Self::Masquerade6 => "masquerade6",
            Self::Source4 => "source4",
            Self::Source6 => "source6",
            Self::Unprotected => "unprotected",
            Self::Routed => "routed",
            Self::Trusted => "trusted",
            Self::Open4 => "open4",
            Self::Open6 => "open6",
            Self::Publish4 => "publish4",
            Self::Publish6 => "publish6",
            Self::PublishAny4 => "publish_any4",
            Self::PublishAny6 => "publish_any6",
            Self::Relayed4 => "relayed4",
            Self::Relayed6 => "relayed6",
            Self::RelayedAny => "relayed_any",
            Self::Guarded => "guarded",
            Self::Addressed => "addressed",
            Self::Stations => "stations",
            Self::Addresses4 => "addresses4",
            Self::Addresses6 => "addresses6",
            Self::Targets6 => "targets6",
            Self::Apart => "apart",
            Self::Gateways => "gateways",
        }
    }
}

/// The key of one element; the variant fixes which set it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Element {
    /// In `bridges`.
    Bridge(IfName),
    /// In `same_bridge`: the pair of the link with itself.
    SameBridge(IfName),
    /// In `isolated`.
    Isolated(IfName),
    /// In `internal`.
    Internal(IfName),
    /// In `masquerade4`.
    Masquerade4(Ipv4Net),
    /// In `masquerade6`.
    Masquerade6(Ipv6Net),
    /// In `source4`.
    Source4(Ipv4Net),
    /// In `source6`.
    Source6(Ipv6Net),
    /// In `unprotected`.
    Unprotected(IfName, Family),
    /// In `routed`.
    Routed(IfName, Family),
    /// In `trusted`: the link that packets come from, the bridge that they go to.
    Trusted(IfName, IfName),
    /// In `open4`: container address, protocol, container port.
    Open4(Ipv4Addr, Transport, u16),
    /// In `open6`.
    Open6(Ipv6Addr, Transport, u16),
    /// In `publish4`: host address, protocol, host port.
    Publish4(Ipv4Addr, Transport, u16),
    /// In `publish6`.
    Publish6(Ipv6Addr, Transport, u16),
    /// In `publish_any4`: protocol, host port.
    PublishAny4(Transport, u16),
    /// In `publish_any6`.
    PublishAny6(Transport, u16),
    /// In `relayed4`: host address, protocol, host port.
    Relayed4(Ipv4Addr, Transport, u16),
    /// In `relayed6`.
    Relayed6(Ipv6Addr, Transport, u16),
    /// In `relayed_any`: family, protocol, host port.
    RelayedAny(Family, Transport, u16),
    /// In `guarded`: a port.
    Guarded(IfName),
    /// In `addressed`.
    Addressed(IfName),
    /// In `stations`: a port and what is behind it.
    Station(IfName, MacAddr),
    /// In `addresses4`.
    Address4(IfName, Ipv4Addr),
    /// In `addresses6`.
    Address6(IfName, Ipv6Addr),
    /// In `targets6`.
    Target6(IfName, Ipv6Addr),
    /// In `apart`.
    Apart(IfName),
    /// In `gateways`: a port, and the host on its bridge.
    Gateway(IfName, MacAddr),
}

/// What a map element maps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementData {
    /// An element of a set.
    Member,
    /// The address that packets get as their source; of the map's address family.
    Source(IpAddr),
    /// Destination of a published port; of the map's address family.
    Destination(IpAddr, u16),
}

impl Element {
    /// The set or map that the element is in.
    pub fn set(&self) -> SetName {
        match self {
            Self::Bridge(_) => SetName::Bridges,
            Self::SameBridge(_) => SetName::SameBridge,
            Self::Isolated(_) => SetName::Isolated,
            Self::Internal(_) => SetName::Internal,
            Self::Masquerade4(_) => SetName::Masquerade4,
            Self::Masquerade6(_) => SetName::Masquerade6,
            Self::Source4(_) => SetName::Source4,
            Self::Source6(_) => SetName::Source6,
            Self::Unprotected(..) => SetName::Unprotected,
            Self::Routed(..) => SetName::Routed,
            Self::Trusted(..) => SetName::Trusted,
            Self::Open4(..) => SetName::Open4,
            Self::Open6(..) => SetName::Open6,
            Self::Publish4(..) => SetName::Publish4,
            Self::Publish6(..) => SetName::Publish6,
            Self::PublishAny4(..) => SetName::PublishAny4,
            Self::PublishAny6(..) => SetName::PublishAny6,
            Self::Relayed4(..) => SetName::Relayed4,
            Self::Relayed6(..) => SetName::Relayed6,
            Self::RelayedAny(..) => SetName::RelayedAny,
            Self::Guarded(_) => SetName::Guarded,
            Self::Addressed(_) => SetName::Addressed,
            Self::Station(..) => SetName::Stations,
            Self::Address4(..) => SetName::Addresses4,
            Self::Address6(..) => SetName::Addresses6,
            Self::Target6(..) => SetName::Targets6,
            Self::Apart(_) => SetName::Apart,
            Self::Gateway(..) => SetName::Gateways,
        }
    }
}
