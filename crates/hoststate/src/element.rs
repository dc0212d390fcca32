//! Elements of the sets and maps of the fixed nftables skeleton (tables `inet hawser` and
//! `bridge hawser`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

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
    /// `restricted4`: ports of one address that not everybody may reach (ipv4_addr . inet_proto . inet_service).
    Restricted4,
    /// `restricted6`: the same for IPv6.
    Restricted6,
    /// `restricted_any`: such ports of every host address (nf_proto . inet_proto . inet_service).
    RestrictedAny,
    /// `from4`: who may reach such a port of one address (ipv4_addr . inet_proto . inet_service . ipv4_addr, intervals).
    From4,
    /// `from6`: the same for IPv6.
    From6,
    /// `from_any4`: the same for ports of every host address (inet_proto . inet_service . ipv4_addr, intervals).
    FromAny4,
    /// `from_any6`: the same for IPv6.
    FromAny6,
    /// `from_link4`: by which links such a port of one address is reached (ifname . ipv4_addr . inet_proto . inet_service).
    FromLink4,
    /// `from_link6`: the same for IPv6.
    FromLink6,
    /// `from_link_any`: the same for ports of every host address (ifname . nf_proto . inet_proto . inet_service).
    FromLinkAny,
    /// `links4`: from one container to a port of another, where neighbours don't reach one another
    /// (ipv4_addr . ipv4_addr . inet_proto . inet_service).
    Links4,
    /// `links6`: the same for IPv6.
    Links6,
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
    /// `known4`: ports with what is behind them, in one (ifname . ether_addr . ipv4_addr).
    Known4,
    /// `known6`: the same for IPv6.
    Known6,
    /// `apart`: ports whose containers don't reach one another (type ifname).
    Apart,
    /// `gateways`: the hardware address of the host, by port of those (ifname . ether_addr).
    Gateways,
    /// `linked4`: what is sent from such a port to a container that is linked to (ifname . ipv4_addr . inet_proto . inet_service).
    Linked4,
    /// `linked6`: the same for IPv6.
    Linked6,
    /// `answers4`: what is sent back from there, by its source port (ifname . ipv4_addr . inet_proto . inet_service).
    Answers4,
    /// `answers6`: the same for IPv6.
    Answers6,
}

/// Where a port is reached: at one address, or at every address of the host of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "said above")]
pub enum At {
    One(IpAddr),
    Every(Family),
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
    pub const ALL: [Self; 46] = [
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
        Self::Restricted4,
        Self::Restricted6,
        Self::RestrictedAny,
        Self::From4,
        Self::From6,
        Self::FromAny4,
        Self::FromAny6,
        Self::FromLink4,
        Self::FromLink6,
        Self::FromLinkAny,
        Self::Links4,
        Self::Links6,
        Self::Guarded,
        Self::Addressed,
        Self::Stations,
        Self::Addresses4,
        Self::Addresses6,
        Self::Targets6,
        Self::Known4,
        Self::Known6,
        Self::Apart,
        Self::Gateways,
        Self::Linked4,
        Self::Linked6,
        Self::Answers4,
        Self::Answers6,
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
            | Self::Known4
            | Self::Known6
            | Self::Apart
            | Self::Gateways
            | Self::Linked4
            | Self::Linked6
            | Self::Answers4
            | Self::Answers6 => TableFamily::Bridge,
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
            Self::Restricted4 => "restricted4",
            Self::Restricted6 => "restricted6",
            Self::RestrictedAny => "restricted_any",
            Self::From4 => "from4",
            Self::From6 => "from6",
            Self::FromAny4 => "from_any4",
            Self::FromAny6 => "from_any6",
            Self::FromLink4 => "from_link4",
            Self::FromLink6 => "from_link6",
            Self::FromLinkAny => "from_link_any",
            Self::Links4 => "links4",
            Self::Links6 => "links6",
            Self::Guarded => "guarded",
            Self::Addressed => "addressed",
            Self::Stations => "stations",
            Self::Addresses4 => "addresses4",
            Self::Addresses6 => "addresses6",
            Self::Targets6 => "targets6",
            Self::Known4 => "known4",
            Self::Known6 => "known6",
            Self::Apart => "apart",
            Self::Gateways => "gateways",
            Self::Linked4 => "linked4",
            Self::Linked6 => "linked6",
            Self::Answers4 => "answers4",
            Self::Answers6 => "answers6",
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
    /// In `restricted…`: where, protocol, port.
    Restricted(At, Transport, u16),
    /// In `from…`: where, protocol, port, and who may reach it there. The addresses are of one family.
    From(At, Transport, u16, IpNet),
    /// In `from_link…`: by which link, where, protocol, port.
    FromLink(IfName, At, Transport, u16),
    /// In `links…`: from, to, protocol, port. The addresses are of one family.
    Link(IpAddr, IpAddr, Transport, u16),
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
    /// In `known4`: a port, what is behind it, and its address.
    Known4(IfName, MacAddr, Ipv4Addr),
    /// In `known6`.
    Known6(IfName, MacAddr, Ipv6Addr),
    /// In `apart`.
    Apart(IfName),
    /// In `gateways`: a port, and the host on its bridge.
    Gateway(IfName, MacAddr),
    /// In `linked…`: a port, whom what is behind it reaches, protocol, port.
    Linked(IfName, IpAddr, Transport, u16),
    /// In `answers…`: a port, whom what is behind it answers, protocol, port that it answers from.
    Answer(IfName, IpAddr, Transport, u16),
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
            Self::Known4(..) => SetName::Known4,
            Self::Known6(..) => SetName::Known6,
            Self::Apart(_) => SetName::Apart,
            Self::Gateway(..) => SetName::Gateways,
            Self::Restricted(at, ..) => {
                at.set([SetName::Restricted4, SetName::Restricted6], [SetName::RestrictedAny; 2])
            }
            Self::From(at, ..) => {
                at.set([SetName::From4, SetName::From6], [SetName::FromAny4, SetName::FromAny6])
            }
            Self::FromLink(_, at, ..) => {
                at.set([SetName::FromLink4, SetName::FromLink6], [SetName::FromLinkAny; 2])
            }
            Self::Link(_, to, ..) => of_family(to, [SetName::Links4, SetName::Links6]),
            Self::Linked(_, to, ..) => of_family(to, [SetName::Linked4, SetName::Linked6]),
            Self::Answer(_, to, ..) => of_family(to, [SetName::Answers4, SetName::Answers6]),
        }
    }
}

impl At {
    /// The set for it, of those for IPv4 and IPv6.
    fn set(&self, one: [SetName; 2], every: [SetName; 2]) -> SetName {
        match self {
            Self::One(address) => of_family(address, one),
            Self::Every(family) => every[usize::from(*family == Family::Ipv6)],
        }
    }
}

fn of_family(address: &IpAddr, [v4, v6]: [SetName; 2]) -> SetName {
    if address.is_ipv4() { v4 } else { v6 }
}
