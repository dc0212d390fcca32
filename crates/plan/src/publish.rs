//! Where published ports lead: by translation of addresses, by the engine's relay, or straight to
//! the container's own address.
//!
//! In: a sandbox and the model around it. Out: held ports and firewall elements, which held ports
//! are relayed and where to, and who reaches what, for people. A port leads to the endpoint that is the sandbox's way out with
//! the port's family; where there is none, to the one of the other family, which needs the relay.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hawser_hoststate::{At, Family, HeldPort, IfName, Object};
use hawser_model::{
    GatewayMode, Mode, Model, Publication, Reach, Sandbox, Sources, Touched, Transport, Way,
};

use crate::sandbox::{WayOut, way_out};
use crate::{Settings, firewall, restrict};

/// Which held ports the engine itself carries to a container, and the container's address and
/// port, where no address translation can: to the other family, and from `[::1]`, which Linux
/// takes for itself alone (there is no IPv6 `route_localnet`). SCTP is not carried.
///
/// They are part of what the touched sandboxes have, as [`crate::plan`] is.
pub fn relays(model: &Model, touched: &Touched) -> BTreeMap<HeldPort, SocketAddr> {
    let sandboxes = touched.sandboxes.iter().filter_map(|id| model.sandbox(*id));
    let own = sandboxes.filter(|s| s.mode == Mode::Own && !s.publications.is_empty());
    own.flat_map(|sandbox| {
        let ways = Ways::of(model, sandbox);
        let relayed = move |p: &Publication| Some((held(p), ways.relayed(p)?));
        sandbox.publications.iter().filter_map(relayed)
    })
    .collect()
}

/// All of them: for the start of the engine.
pub fn relays_all(model: &Model) -> BTreeMap<HeldPort, SocketAddr> {
    let sandboxes = model.sandboxes().map(|sandbox| sandbox.id).collect();
    relays(model, &Touched { sandboxes, ..Touched::default() })
}

/// Held ports and elements of all publications of a sandbox.
pub(crate) fn objects(model: &Model, sandbox: &Sandbox, settings: &Settings) -> Vec<Object> {
    if sandbox.publications.is_empty() {
        return Vec::new();
    }
    let ways = Ways::of(model, sandbox);
    let mut objects = Vec::with_capacity(2 * sandbox.publications.len());
    for publication in &sandbox.publications {
        objects.extend(published(&ways, publication).into_iter().flatten());
        let sources = ways.sources(sandbox, publication, settings);
        for (at, port) in ways.reached_at(publication) {
            objects.extend(restrict::restriction(at, publication.transport, port, sources));
        }
    }
    objects
}

/// A published port, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// What was published.
    pub publication: Publication,
    /// Where it is reached: at a host address, or at the container's own; nowhere if empty.
    pub at: Vec<Reached>,
    /// Whether the engine carries it, wholly or from `[::1]`.
    pub relayed: bool,
    /// Who may reach it there; the host itself always.
    pub from: Sources,
}

/// Where a published port is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The address.
    pub at: At,
    /// The port there.
    pub port: u16,
    /// Links of the host that packets have to come in by; any if empty.
    pub by: Vec<IfName>,
}

/// The published ports of a sandbox.
pub fn published_ports(model: &Model, sandbox: &Sandbox, settings: &Settings) -> Vec<Published> {
    if sandbox.mode != Mode::Own || sandbox.publications.is_empty() {
        return Vec::new();
    }
    let ways = Ways::of(model, sandbox);
    let one = |publication: &Publication| Published {
        publication: *publication,
        at: ways.reached(publication),
        relayed: ways.relayed(publication).is_some(),
        from: ways.sources(sandbox, publication, settings).clone(),
    };
    sandbox.publications.iter().map(one).collect()
}

/// The ways out of a sandbox, by family.
struct Ways<'a> {
    reach: Reach,
    v4: Option<WayOut<'a>>,
    v6: Option<WayOut<'a>>,
}

/// What becomes of a publication.
enum Leads<'a> {
    /// Addresses are translated.
    Translated(&'a WayOut<'a>),
    /// There is no translation: the container's own address is open.
    Opened(&'a WayOut<'a>),
    /// The relay carries it there.
    Relayed(&'a WayOut<'a>),
    /// The port is held, and leads nowhere.
    Held,
    /// There is no way there, as in Docker.
    Nowhere,
}

impl<'a> Ways<'a> {
    fn of(model: &'a Model, sandbox: &Sandbox) -> Self {
        let reach = model.reach(sandbox.id);
        Self { reach, v4: way_out(model, sandbox, false), v6: way_out(model, sandbox, true) }
    }

    fn leads(&self, publication: &Publication) -> Leads<'_> {
        let (own, other) = match publication.host.is_ipv6() {
            false => (&self.v4, &self.v6),
            true => (&self.v6, &self.v4),
        };
        match (self.reach.way(publication.host), own, other) {
            (Way::Host, Some(way), _) if publication.host != Ipv6Addr::LOCALHOST => {
                Leads::Translated(way)
            }
            (Way::Host, Some(way), _) | (Way::Host, None, Some(way)) if is_carried(publication) => {
                Leads::Relayed(way)
            }
            (Way::Host, ..) => Leads::Held,
            (Way::Direct, Some(way), _) => Leads::Opened(way),
            (Way::Direct, None, _) | (Way::Nowhere, ..) => Leads::Nowhere,
        }
    }

    /// Where the relay carries a publication, wholly or what comes over IPv6's loopback.
    fn relayed(&self, publication: &Publication) -> Option<SocketAddr> {
        let to = |way: &WayOut<'_>| SocketAddr::new(way.address, publication.container_port);
        match self.leads(publication) {
            Leads::Relayed(way) => Some(to(way)),
            Leads::Translated(way)
                if publication.host == Ipv6Addr::UNSPECIFIED && is_carried(publication) =>
            {
                Some(to(way))
            }
            _ => None,
        }
    }

    /// The addresses, and the port of each, at which a publication is reached.
    fn reached_at(&self, publication: &Publication) -> Vec<(At, u16)> {
        let Publication { host, host_port, container_port, .. } = *publication;
        let host = match host {
            _ if !host.is_unspecified() => At::One(host),
            IpAddr::V4(_) => At::Every(Family::Ipv4),
            IpAddr::V6(_) => At::Every(Family::Ipv6),
        };
        let own = |way: &WayOut<'_>| (At::One(way.address), container_port);
        match self.leads(publication) {
            Leads::Translated(way) if is_open_too(way) => vec![(host, host_port), own(way)],
            Leads::Translated(_) | Leads::Relayed(_) => vec![(host, host_port)],
            Leads::Opened(way) => vec![own(way)],
            Leads::Held | Leads::Nowhere => Vec::new(),
        }
    }

    /// The same, with the links that lead there: to a container's own address often trusted ones alone.
    fn reached(&self, publication: &Publication) -> Vec<Reached> {
        let by = match self.leads(publication) {
            Leads::Translated(way) if !is_unprotected(way) => {
                way.network.bridge.trusted_interfaces.as_slice()
            }
            _ => &[],
        };
        let reached = self.reached_at(publication).into_iter().enumerate();
        let one = |(number, (at, port)): (usize, (At, u16))| {
            let by = if number == 0 { Vec::new() } else { by.to_vec() };
            Reached { at, port, by }
        };
        reached.map(one).collect()
    }

    /// Who may reach a publication: the container says, else the network that it leads through,
    /// else the engine.
    fn sources<'s>(
        &'s self,
        sandbox: &'s Sandbox,
        publication: &Publication,
        settings: &'s Settings,
    ) -> &'s Sources {
        let own = sandbox.publish_from.of(publication.transport, publication.container_port);
        let network = || match self.leads(publication) {
            Leads::Translated(way) | Leads::Opened(way) | Leads::Relayed(way) => {
                way.network.bridge.publish_from.as_ref()
            }
            Leads::Held | Leads::Nowhere => None,
        };
        own.or_else(network).unwrap_or(&settings.publish_from)
    }
}

/// Whether a port that is published on the host is reached at the container's own address, too.
fn is_open_too(way: &WayOut<'_>) -> bool {
    !way.network.bridge.trusted_interfaces.is_empty() || is_unprotected(way)
}

fn is_unprotected(way: &WayOut<'_>) -> bool {
    way.network.bridge.gateway_mode(way.address.is_ipv6()) == GatewayMode::NatUnprotected
}

fn is_carried(publication: &Publication) -> bool {
    publication.transport != Transport::Sctp
}

fn published(ways: &Ways<'_>, publication: &Publication) -> [Option<Object>; 3] {
    let hold = || Some(Object::HeldPort(held(publication)));
    match ways.leads(publication) {
        Leads::Translated(way) => {
            let trusted = !way.network.bridge.trusted_interfaces.is_empty();
            let open = trusted.then(|| firewall::opening(publication, way.address));
            [hold(), firewall::publication(publication, way.address), open]
        }
        Leads::Opened(way) => [Some(firewall::opening(publication, way.address)), None, None],
        Leads::Relayed(_) => [hold(), Some(firewall::relayed(publication)), None],
        Leads::Held => [hold(), None, None],
        Leads::Nowhere => [None, None, None],
    }
}

fn held(publication: &Publication) -> HeldPort {
    HeldPort {
        address: publication.host,
        transport: publication.transport,
        port: publication.host_port,
    }
}
