//! What a sandbox needs whatever networks it is on: its namespace, settings in it, the default
//! route, published ports.
//!
//! In: the sandbox and the model around it. Out: objects. Which endpoint leads to the outside is
//! the model's to say; routes and ports belong to the sandbox, so that they move by themselves
//! when that endpoint goes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hawser_hoststate::{HeldPort, Ns, Object, Route, Sysctl};
use hawser_model::{Interface, Mode, Model, Publication, Sandbox};
use ipnet::IpNet;

use crate::{firewall, namespace};

/// Settings that Docker gives every sandbox of its own: `ping` and low ports need no privilege.
const DEFAULT_SYSCTLS: [(&str, &str); 2] =
    [("net.ipv4.ip_unprivileged_port_start", "0"), ("net.ipv4.ping_group_range", "0 2147483647")];

/// Objects of a sandbox. One that uses the namespace of the host or of another has none.
pub(crate) fn objects(model: &Model, sandbox: &Sandbox) -> Vec<Object> {
    match sandbox.mode {
        Mode::Own => own(model, sandbox),
        Mode::Host | Mode::Shared(_) => Vec::new(),
    }
}

fn own(model: &Model, sandbox: &Sandbox) -> Vec<Object> {
    let mut objects = vec![Object::Namespace(namespace(sandbox.id))];
    objects.extend(sysctls(sandbox));
    objects.extend([false, true].iter().filter_map(|v6| default_route(model, sandbox, *v6)));
    objects.extend(sandbox.publications.iter().flat_map(|p| published(model, sandbox, p)));
    objects
}

fn sysctls(sandbox: &Sandbox) -> impl Iterator<Item = Object> {
    let defaults = DEFAULT_SYSCTLS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut settings = BTreeMap::from(defaults);
    settings.extend(sandbox.sysctls.clone());
    let ns = Ns::Named(namespace(sandbox.id));
    settings.into_iter().map(move |(name, value)| {
        Object::Sysctl(Sysctl { ns: ns.clone(), name: path(&name), value })
    })
}

/// `net.ipv4.conf.eth0/1.forwarding` is `net/ipv4/conf/eth0.1/forwarding`, as for sysctl(8).
fn path(name: &str) -> String {
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    name.chars().map(swap).collect()
}

/// The interface that leads to the outside for a family, its address, and the next hop.
fn way_out<'a>(
    model: &'a Model,
    sandbox: &Sandbox,
    v6: bool,
) -> Option<(&'a Interface, IpAddr, IpAddr)> {
    let endpoint = model.gateway_endpoint(sandbox.id, v6)?;
    let interface = endpoint.interface.as_ref()?;
    let address = interface.addresses().find(|address| address.is_ipv6() == v6)?;
    let pool = model.network(endpoint.network)?.pool_of(address)?;
    Some((interface, address, pool.next_hop.or(pool.gateway)?))
}

fn default_route(model: &Model, sandbox: &Sandbox, v6: bool) -> Option<Object> {
    let (interface, address, hop) = way_out(model, sandbox, v6)?;
    Some(Object::Route(Route {
        ns: Ns::Named(namespace(sandbox.id)),
        destination: IpNet::new(address, 0).ok()?.trunc(),
        via: Some(hop),
        link: interface.name.clone(),
    }))
}

/// The held port and the element of a publication. A port of one family and a container that has
/// only the other: the port is held, and leads nowhere in the firewall. Nothing for a container
/// without a way out (internal networks), as in Docker.
fn published(model: &Model, sandbox: &Sandbox, publication: &Publication) -> Vec<Object> {
    let v6 = publication.host.is_ipv6();
    let to = way_out(model, sandbox, v6).map(|(_, address, _)| address);
    if to.is_none() && way_out(model, sandbox, !v6).is_none() {
        return Vec::new();
    }
    let held = Object::HeldPort(HeldPort {
        address: publication.host,
        transport: publication.transport,
        port: publication.host_port,
    });
    let element = to.and_then(|to| firewall::publication(publication, to));
    [Some(held), element].into_iter().flatten().collect()
}
