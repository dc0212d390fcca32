//! Where published ports lead: by translation of addresses, by the engine's relay, or straight to
//! the container's own address.
//!
//! In: a sandbox and the model around it. Out: held ports and firewall elements, and which held
//! ports are relayed and where to. A port leads to the endpoint that is the sandbox's way out with
//! the port's family; where there is none, to the one of the other family, which needs the relay.

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr};

use hawser_hoststate::{HeldPort, Object};
use hawser_model::{Mode, Model, Publication, Reach, Sandbox, Touched, Transport, Way};

use crate::firewall;
use crate::sandbox::{WayOut, way_out};

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
pub(crate) fn objects(model: &Model, sandbox: &Sandbox) -> Vec<Object> {
    if sandbox.publications.is_empty() {
        return Vec::new();
    }
    let ways = Ways::of(model, sandbox);
    sandbox.publications.iter().flat_map(|p| published(&ways, p)).flatten().collect()
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
    Relayed(SocketAddr),
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
                Leads::Relayed(SocketAddr::new(way.address, publication.container_port))
            }
            (Way::Host, ..) => Leads::Held,
            (Way::Direct, Some(way), _) => Leads::Opened(way),
            (Way::Direct, None, _) | (Way::Nowhere, ..) => Leads::Nowhere,
        }
    }

    /// Where the relay carries a publication, wholly or what comes over IPv6's loopback.
    fn relayed(&self, publication: &Publication) -> Option<SocketAddr> {
        match self.leads(publication) {
            Leads::Relayed(to) => Some(to),
            Leads::Translated(way)
                if publication.host == Ipv6Addr::UNSPECIFIED && is_carried(publication) =>
            {
                Some(SocketAddr::new(way.address, publication.container_port))
            }
            _ => None,
        }
    }
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
