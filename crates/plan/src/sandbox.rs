//! What a sandbox needs whatever networks it is on: its namespace, settings in it, the default
//! route, published ports, its name server.
//!
//! In: the sandbox and the model around it. Out: objects. Which endpoint leads to the outside is
//! the model's to say; routes and ports belong to the sandbox, so that they move by themselves
//! when that endpoint goes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hawser_hoststate::{NameServer, Ns, Object, Route, Sysctl};
use hawser_model::{Interface, Mode, Model, Network, Sandbox};
use ipnet::IpNet;

use crate::{SERVER, Settings, has_names, namespace, publish, sysctl_path};

/// Settings that Docker gives every sandbox of its own: `ping` and low ports need no privilege.
const DEFAULT_SYSCTLS: [(&str, &str); 2] =
    [("net.ipv4.ip_unprivileged_port_start", "0"), ("net.ipv4.ping_group_range", "0 2147483647")];

/// Objects of a sandbox. One that uses the namespace of the host or of another has none.
pub(crate) fn objects(model: &Model, sandbox: &Sandbox, settings: &Settings) -> Vec<Object> {
    match sandbox.mode {
        Mode::Own => own(model, sandbox, settings),
        Mode::Host | Mode::Shared(_) => Vec::new(),
    }
}

fn own(model: &Model, sandbox: &Sandbox, settings: &Settings) -> Vec<Object> {
    let mut objects = vec![Object::Namespace(namespace(sandbox.id))];
    objects.extend(sysctls(sandbox));
    objects.extend([false, true].iter().filter_map(|v6| default_route(model, sandbox, *v6)));
    objects.extend(publish::objects(model, sandbox, settings));
    objects.extend(name_server(model, sandbox));
    objects
}

fn name_server(model: &Model, sandbox: &Sandbox) -> Option<Object> {
    let server = NameServer { ns: namespace(sandbox.id), address: SERVER };
    has_names(model, sandbox).then_some(Object::NameServer(server))
}

fn sysctls(sandbox: &Sandbox) -> impl Iterator<Item = Object> {
    let defaults = DEFAULT_SYSCTLS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut settings = BTreeMap::from(defaults);
    settings.extend(sandbox.sysctls.clone());
    let ns = Ns::Named(namespace(sandbox.id));
    settings.into_iter().map(move |(name, value)| {
        Object::Sysctl(Sysctl { ns: ns.clone(), name: sysctl_path(&name), value })
    })
}

/// How a sandbox reaches the outside with one family.
pub(crate) struct WayOut<'a> {
    /// The network that leads there.
    pub(crate) network: &'a Network,
    interface: &'a Interface,
    /// The interface's address of that family.
    pub(crate) address: IpAddr,
    /// The next hop.
    hop: IpAddr,
}

/// The way out of a sandbox with one family, if it has one.
pub(crate) fn way_out<'a>(model: &'a Model, sandbox: &Sandbox, v6: bool) -> Option<WayOut<'a>> {
    let endpoint = model.gateway_endpoint(sandbox.id, v6)?;
    let interface = endpoint.interface.as_ref()?;
    let address = interface.address(v6)?;
    let network = model.network(endpoint.network)?;
    let pool = network.pool_of(address)?;
    Some(WayOut { network, interface, address, hop: pool.router()? })
}

fn default_route(model: &Model, sandbox: &Sandbox, v6: bool) -> Option<Object> {
    let way = way_out(model, sandbox, v6)?;
    Some(Object::Route(Route {
        ns: Ns::Named(namespace(sandbox.id)),
        destination: IpNet::new(way.address, 0).ok()?.trunc(),
        via: Some(way.hop),
        link: way.interface.name.clone(),
    }))
}
