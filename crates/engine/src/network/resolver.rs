//! Which resolvers a sandbox has: the container's own, those of its networks, the daemon's, the
//! host's.
//!
//! In: what each of them says, and what the sandbox can reach. Out: the text of a resolv.conf, and
//! who is asked by the name service in the sandbox, if it has one. Nothing is written here.

use hawser_model::{Mode, Model, SandboxId, Touched};
use hawser_plan::SERVER;

use super::law;
use super::resolv_conf::{Resolver, Server};
use crate::error::Result;
use crate::record::Container;
use crate::settings::Settings;

/// Who has a say in the names of a container, beside its networks.
#[derive(Clone, Debug)]
pub struct Asking {
    container: Resolver,
    daemon: Resolver,
    host: Resolver,
}

impl Asking {
    /// What container, daemon and host say now.
    pub fn of(record: &Container, settings: &Settings) -> Self {
        let host = &record.host_config;
        let container = Resolver {
            servers: host.dns.clone(),
            search: host.dns_search.clone(),
            options: host.dns_options.clone(),
            ..Resolver::default()
        };
        let daemon = Resolver {
            servers: settings.dns.clone(),
            search: settings.dns_search.clone(),
            options: settings.dns_options.clone(),
            ..Resolver::default()
        };
        Self { container, daemon, host: Resolver::of_host() }
    }

    /// Who answers in a sandbox.
    pub fn choose(&self, model: &Model, id: SandboxId) -> Chosen {
        choose(&self.asked(model, id), &self.host, reach(model, id))
    }

    /// Makes the model know whether names are answered in a sandbox for the host's sake alone.
    pub fn settle(&self, model: &mut Model, id: SandboxId) -> Result<Touched> {
        if !self.is_unsettled(model, id) {
            return Ok(Touched::default());
        }
        let asks = self.asks_host(model, id);
        model.set_asks_host(id, asks).map_err(law)
    }

    /// Whether the model knows otherwise.
    pub fn is_unsettled(&self, model: &Model, id: SandboxId) -> bool {
        model.sandbox(id).is_some_and(|sandbox| sandbox.asks_host != self.asks_host(model, id))
    }

    fn asks_host(&self, model: &Model, id: SandboxId) -> bool {
        let reach = reach(model, id);
        reach.is_some_and(|reach| asks_host(&self.asked(model, id), &self.host, reach))
    }

    /// What the container, its networks in the order in which they lead to the outside, and the
    /// daemon say, in this order.
    fn asked(&self, model: &Model, id: SandboxId) -> Asked {
        let networks = model.endpoints_of_sandbox(id).into_iter();
        let networks = networks.filter_map(|e| model.network(e.network)).map(|n| Resolver {
            servers: n.resolver.servers.iter().map(ToString::to_string).collect(),
            search: n.resolver.search.clone(),
            options: n.resolver.options.clone(),
            ..Resolver::default()
        });
        let inside = networks.fold(self.container.clone(), Resolver::or);
        Asked { by_daemon: inside.servers.is_empty(), said: inside.or(self.daemon.clone()) }
    }
}

/// What was asked for, by whomever.
struct Asked {
    said: Resolver,
    /// Whether the daemon is the first who names servers, if anybody does.
    by_daemon: bool,
}

/// What a sandbox can reach, and whether it has names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reach {
    /// Names are answered in it.
    names: bool,
    /// It has a way to the outside with IPv4.
    out4: bool,
    /// The same with IPv6.
    out6: bool,
    /// It has an IPv6 address.
    ipv6: bool,
}

impl Reach {
    /// Whether the host may ask for it.
    fn out(self) -> bool {
        self.out4 || self.out6
    }

    /// Whether a server of the host's can be asked from inside, too.
    fn shares(self, server: &Server) -> bool {
        let out = if server.address.is_ipv4() { self.out4 } else { self.out6 };
        out && !server.address.is_loopback() && !server.is_link_local()
    }
}

/// The reach of a sandbox; `None` if its namespace is not its own.
fn reach(model: &Model, id: SandboxId) -> Option<Reach> {
    let sandbox = model.sandbox(id).filter(|sandbox| sandbox.mode == Mode::Own)?;
    let leads = |v6| model.gateway_endpoint(id, v6).is_some();
    let endpoints = model.endpoints_of_sandbox(id);
    let mut interfaces = endpoints.iter().filter_map(|e| e.interface.as_ref());
    Some(Reach {
        names: hawser_plan::has_names(model, sandbox),
        out4: leads(false),
        out6: leads(true),
        ipv6: interfaces.any(|interface| interface.ipv6.is_some()),
    })
}

/// Who answers in a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The resolv.conf.
    pub file: Resolver,
    /// Its name service, if it has one.
    pub service: Option<Service>,
    /// The resolv.conf is a copy of the host's, word for word.
    pub is_hosts: bool,
}

/// A name service in a sandbox: whom it asks what it does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// In this order.
    pub upstreams: Vec<Asks>,
    /// Whose they are.
    pub whose: Whose,
    /// Whether the host's may be asked.
    pub outside: bool,
}

/// Who said which servers are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// The container, or a network of it.
    Container,
    /// The daemon's settings.
    Daemon,
    /// The host's resolv.conf.
    #[default]
    Host,
}

/// A server that is asked, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asks {
    /// The server.
    pub server: Server,
    /// It is asked from the sandbox; else from the host, which its link is of.
    pub from_sandbox: bool,
}

/// Servers that somebody asked for are asked from the sandbox, and so are the host's own, where the
/// sandbox reaches them: not its loopback, no links of its, no family without a way out. These the
/// host asks for it. A sandbox without a way out asks none of the host's. Without a reach it is the
/// host's namespace, where all is as on the host.
fn choose(asked: &Asked, host: &Resolver, reach: Option<Reach>) -> Chosen {
    let mut file = asked.said.clone().or(host.clone());
    let Some(reach) = reach else {
        return Chosen { file, service: None, is_hosts: asked.said == Resolver::default() };
    };
    if reach.names {
        let service = Some(service(asked, host, reach));
        return Chosen { file: file.internal(), service, is_hosts: false };
    }
    if asked.said.servers.is_empty() {
        let answers = |s: &Server| {
            let there = !s.address.is_loopback() && !s.is_link_local();
            there && (s.address.is_ipv4() || reach.ipv6)
        };
        file.servers.retain(|server| Server::parse(server).is_some_and(|s| answers(&s)));
    }
    Chosen { file, service: None, is_hosts: false }
}

fn service(asked: &Asked, host: &Resolver, reach: Reach) -> Service {
    let servers = |resolver: &Resolver| {
        resolver.servers.iter().filter_map(|text| Server::parse(text)).collect::<Vec<_>>()
    };
    let named = servers(&asked.said);
    let whose = match (named.is_empty(), asked.by_daemon) {
        (true, _) => Whose::Host,
        (false, true) => Whose::Daemon,
        (false, false) => Whose::Container,
    };
    let from_host = |server: Server| {
        let from_sandbox = reach.shares(&server);
        (from_sandbox || reach.out()).then_some(Asks { server, from_sandbox })
    };
    let ask = |server: Server| match whose {
        Whose::Host => from_host(server),
        // The daemon's settings name links of the host.
        Whose::Daemon if server.is_link_local() => from_host(server),
        // Asked from the sandbox it would be asking itself.
        _ => (server.address != SERVER).then_some(Asks { server, from_sandbox: true }),
    };
    let chosen = if whose == Whose::Host { servers(host) } else { named };
    let upstreams = chosen.into_iter().filter_map(ask).collect();
    Service { upstreams, whose, outside: reach.out() }
}

/// Whether a sandbox without names needs a name service to ask the host's resolvers: it reaches none
/// of them, the host does.
fn asks_host(asked: &Asked, host: &Resolver, reach: Reach) -> bool {
    let servers = || host.servers.iter().filter_map(|text| Server::parse(text));
    let hidden = servers().next().is_some() && !servers().any(|server| reach.shares(&server));
    asked.said.servers.is_empty() && reach.out() && hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: Reach = Reach { names: true, out4: true, out6: false, ipv6: false };
    const PLAIN: Reach = Reach { names: false, ..NAMED };
    const INSIDE: Reach = Reach { out4: false, ..NAMED };

    fn said(text: &str) -> Asked {
        Asked { said: Resolver::parse(text), by_daemon: false }
    }

    /// Servers as they are asked; `@` stands before those that the host asks.
    fn upstreams(chosen: &Chosen) -> Vec<String> {
        let service = chosen.service.as_ref().unwrap();
        let text = |asks: &Asks| {
            let zone = asks.server.zone.as_ref().map(|z| format!("%{z}")).unwrap_or_default();
            let from = if asks.from_sandbox { "" } else { "@" };
            format!("{from}{}{zone}", asks.server.address)
        };
        service.upstreams.iter().map(text).collect()
    }

    const HOST: &str = "nameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver ::1\n\
                        nameserver 2001:db8::1\nnameserver fe80::1%eth0\n";

    #[test]
    fn the_hosts_resolvers_are_asked_from_where_they_are_reached() {
        let host = Resolver::parse(HOST);
        let chosen = choose(&said(""), &host, Some(NAMED));
        assert_eq!(chosen.file.servers, ["127.0.0.11"]);
        let all = ["@127.0.0.53", "192.0.2.1", "@::1", "@2001:db8::1", "@fe80::1%eth0"];
        assert_eq!(upstreams(&chosen), all);
        let dual = Reach { out6: true, ipv6: true, ..NAMED };
        let all = ["@127.0.0.53", "192.0.2.1", "@::1", "2001:db8::1", "@fe80::1%eth0"];
        assert_eq!(upstreams(&choose(&said(""), &host, Some(dual))), all);
        let six = Reach { out4: false, ..dual };
        let all = ["@127.0.0.53", "@192.0.2.1", "@::1", "2001:db8::1", "@fe80::1%eth0"];
        assert_eq!(upstreams(&choose(&said(""), &host, Some(six))), all);
        let chosen = choose(&said(""), &host, None);
        assert_eq!((chosen.file, chosen.service, chosen.is_hosts), (host.clone(), None, true));
        let chosen = choose(&said("options ndots:2\n"), &host, None);
        assert_eq!((chosen.file.servers, chosen.is_hosts), (host.servers, false));
    }

    #[test]
    fn nothing_of_the_host_is_asked_for_who_has_no_way_out() {
        let host = Resolver::parse(HOST);
        assert!(upstreams(&choose(&said(""), &host, Some(INSIDE))).is_empty());
        let daemon = Asked { by_daemon: true, ..said("nameserver fe80::1%eth0\n") };
        assert!(upstreams(&choose(&daemon, &host, Some(INSIDE))).is_empty());
        assert_eq!(upstreams(&choose(&daemon, &host, Some(NAMED))), ["@fe80::1%eth0"]);
    }

    #[test]
    fn without_names_the_file_has_whom_the_sandbox_reaches() {
        let host = Resolver::parse(HOST);
        let chosen = choose(&said(""), &host, Some(PLAIN));
        assert_eq!((chosen.file.servers, chosen.service), (vec!["192.0.2.1".to_owned()], None));
        let dual = Reach { ipv6: true, out6: true, ..PLAIN };
        let chosen = choose(&said(""), &host, Some(dual));
        assert_eq!(chosen.file.servers, ["192.0.2.1", "2001:db8::1"]);
    }

    #[test]
    fn servers_asked_for_are_asked_from_the_sandbox() {
        let text = "nameserver 10.0.0.9\nnameserver 127.0.0.11\nnameserver 127.0.0.1\n";
        let chosen = choose(&said(text), &Resolver::parse(HOST), Some(INSIDE));
        assert_eq!(upstreams(&chosen), ["10.0.0.9", "127.0.0.1"]);
        let chosen = choose(&said(text), &Resolver::default(), Some(PLAIN));
        assert_eq!((chosen.file, chosen.service), (said(text).said, None));
    }

    #[test]
    fn resolvers_that_only_the_host_reaches_need_a_service() {
        let asks = |text, host: &str, reach| asks_host(&said(text), &Resolver::parse(host), reach);
        for hidden in ["nameserver 127.0.0.53\n", "nameserver fe80::1%eth0\nnameserver ::1\n"] {
            assert!(asks("", hidden, PLAIN));
            assert!(!asks("", hidden, Reach { out4: false, ..PLAIN }));
            assert!(!asks("nameserver 10.0.0.9\n", hidden, PLAIN));
        }
        assert!(asks("", "nameserver 2001:db8::1\n", PLAIN));
        assert!(!asks("", HOST, PLAIN));
        assert!(!asks("", "", PLAIN));
        let chosen = choose(&said(""), &Resolver::parse("nameserver 127.0.0.53\n"), Some(NAMED));
        assert_eq!(
            (chosen.file.servers, chosen.service.unwrap().upstreams.len()),
            (vec!["127.0.0.11".to_owned()], 1)
        );
    }
}
