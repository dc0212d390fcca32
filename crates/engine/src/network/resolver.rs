//! Which resolvers a sandbox has: the container's own, those of its networks, the daemon's, the
//! host's.
//!
//! In: what each of them says, and what the sandbox can reach. Out: the text of a resolv.conf, and
//! who is asked by the name service in the sandbox, if it has one. Nothing is written here.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use hawser_model::{Mode, Model, SandboxId};

use crate::record::Container;
use crate::settings::Settings;

/// Where every sandbox with a name service asks, as in Docker.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// What a resolv.conf says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolver {
    /// Name servers, as written (IPv6 ones may carry a zone).
    pub servers: Vec<String>,
    /// Search domains.
    pub search: Vec<String>,
    /// Options.
    pub options: Vec<String>,
}

impl Resolver {
    /// Reads a resolv.conf; lines that make no sense are skipped (resolv.conf(5): the last
    /// `search` or `domain` counts, options add up).
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace().map(str::to_owned);
            match words.next().as_deref() {
                Some("nameserver") => found.servers.extend(words.next()),
                Some("search") => found.search = words.collect(),
                Some("domain") => found.search = words.take(1).collect(),
                Some("options") => found.options.extend(words),
                _ => {}
            }
        }
        found
    }

    /// The host's own resolv.conf; empty if there is none.
    pub fn of_host() -> Self {
        Self::parse(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
    }

    /// What `other` says where this says nothing, list by list.
    fn or(mut self, other: Self) -> Self {
        for (mine, theirs) in [
            (&mut self.servers, other.servers),
            (&mut self.search, other.search),
            (&mut self.options, other.options),
        ] {
            if mine.is_empty() {
                *mine = theirs;
            }
        }
        self
    }

    /// Sends all questions to the sandbox's own name server.
    fn internal(mut self) -> Self {
        self.servers = vec![SERVER.to_string()];
        if !self.options.iter().any(|o| o.starts_with("ndots:")) {
            self.options.push("ndots:0".to_owned());
        }
        self
    }

    /// The text of the file. A search domain of `.` stands for none.
    pub fn text(&self) -> String {
        let mut text =
            String::from("# Made by hawser; an edited file is left as it is from then on.\n\n");
        for server in &self.servers {
            // Writing to a String does not fail.
            let _ = writeln!(text, "nameserver {server}");
        }
        let search: Vec<_> = self.search.iter().map(String::as_str).filter(|d| *d != ".").collect();
        if !search.is_empty() {
            let _ = writeln!(text, "search {}", search.join(" "));
        }
        if !self.options.is_empty() {
            let _ = writeln!(text, "options {}", self.options.join(" "));
        }
        text
    }
}

/// Who answers in a sandbox now.
pub fn of_sandbox(record: &Container, model: &Model, id: SandboxId, settings: &Settings) -> Chosen {
    choose(asked(record, model, id, settings), Resolver::of_host(), reach(model, id))
}

/// What the container, its networks in the order in which they lead to the outside, and the daemon
/// say, in this order.
fn asked(record: &Container, model: &Model, id: SandboxId, settings: &Settings) -> Resolver {
    let host = &record.host_config;
    let own = Resolver {
        servers: host.dns.clone(),
        search: host.dns_search.clone(),
        options: host.dns_options.clone(),
    };
    let networks = model.endpoints_of_sandbox(id).into_iter();
    let networks = networks.filter_map(|e| model.network(e.network)).map(|n| Resolver {
        servers: n.resolver.servers.iter().map(IpAddr::to_string).collect(),
        search: n.resolver.search.clone(),
        options: n.resolver.options.clone(),
    });
    let daemon = Resolver {
        servers: settings.dns.clone(),
        search: settings.dns_search.clone(),
        options: settings.dns_options.clone(),
    };
    networks.fold(own, Resolver::or).or(daemon)
}

/// What a sandbox can reach, and whether it has names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reach {
    /// It is on a network with names.
    names: bool,
    /// It has a way to the outside, so that the host may ask for it.
    outside: bool,
    /// It has an IPv6 address.
    ipv6: bool,
}

/// The reach of a sandbox; `None` if its namespace is not its own.
fn reach(model: &Model, id: SandboxId) -> Option<Reach> {
    model.sandbox(id).filter(|sandbox| sandbox.mode == Mode::Own)?;
    let leads = |v6| model.gateway_endpoint(id, v6).is_some();
    let endpoints = model.endpoints_of_sandbox(id);
    let mut interfaces = endpoints.iter().filter_map(|e| e.interface.as_ref());
    Some(Reach {
        names: !hawser_plan::search_order(model, id).is_empty(),
        outside: leads(false) || leads(true),
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
}

/// A name service in a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Whom it asks what it does not know.
    pub upstreams: Vec<IpAddr>,
    /// Whether it asks them from the sandbox; else from the host.
    pub from_sandbox: bool,
}

/// Servers that somebody asked for are asked from the sandbox, the host's own from the host, and
/// not for a sandbox without a way out. A host whose resolvers are all on its loopback has them
/// asked by a name service even where there are no names: in the sandbox they would not answer.
/// Without a reach it is the host's namespace, where all is as on the host.
fn choose(asked: Resolver, host: Resolver, reach: Option<Reach>) -> Chosen {
    let explicit = !asked.servers.is_empty();
    let theirs = if explicit { &asked.servers } else { &host.servers };
    let mut upstreams: Vec<IpAddr> = theirs.iter().filter_map(|s| address(s)).collect();
    let hidden = !explicit && !upstreams.is_empty() && upstreams.iter().all(IpAddr::is_loopback);
    let mut file = asked.or(host);
    let Some(reach) = reach else { return Chosen { file, service: None } };
    if reach.names || (hidden && reach.outside) {
        // Asked from the sandbox it would be asking itself.
        upstreams.retain(|upstream| !explicit || *upstream != IpAddr::V4(SERVER));
        if !explicit && !reach.outside {
            upstreams.clear();
        }
        let service = Some(Service { upstreams, from_sandbox: explicit });
        return Chosen { file: file.internal(), service };
    }
    if !explicit {
        let answers = |a: IpAddr| !a.is_loopback() && (a.is_ipv4() || reach.ipv6);
        file.servers.retain(|server| address(server).is_some_and(answers));
    }
    Chosen { file, service: None }
}

/// The address of a server as resolv.conf writes it, without a zone.
pub fn address(server: &str) -> Option<IpAddr> {
    server.split('%').next().unwrap_or_default().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: Reach = Reach { names: true, outside: true, ipv6: false };
    const PLAIN: Reach = Reach { names: false, ..NAMED };

    fn service(upstreams: &[&str], from_sandbox: bool) -> Option<Service> {
        let upstreams = upstreams.iter().map(|a| a.parse().unwrap()).collect();
        Some(Service { upstreams, from_sandbox })
    }

    #[test]
    fn a_resolver_is_read_leniently() {
        let text = "domain old.example\n; comment\nsearch a.example b.example\nnameserver 127.0.0.53\n\
                    nameserver\nnameserver fe80::1%eth0 # zone\noptions edns0\noptions timeout:1\nnonsense\n";
        let found = Resolver::parse(text);
        assert_eq!(found.servers, ["127.0.0.53", "fe80::1%eth0"]);
        assert_eq!(found.search, ["a.example", "b.example"]);
        assert_eq!(found.options, ["edns0", "timeout:1"]);
    }

    #[test]
    fn what_is_said_first_counts_list_by_list() {
        let first = Resolver::parse("nameserver 192.0.2.9\nsearch .\n");
        let second = Resolver::parse("nameserver 192.0.2.1\nsearch a.example\noptions edns0\n");
        let text = first.or(second).text();
        assert_eq!(
            text.lines().skip(2).collect::<Vec<_>>(),
            ["nameserver 192.0.2.9", "options edns0"]
        );
    }

    #[test]
    fn a_server_may_have_a_zone() {
        assert_eq!(address("192.0.2.53"), "192.0.2.53".parse().ok());
        assert_eq!(address("fe80::1%eth0"), "fe80::1".parse().ok());
        assert_eq!(address("nonsense"), None);
    }

    #[test]
    fn the_sandbox_server_comes_with_ndots_once() {
        let own = Resolver::parse("options ndots:2\n").internal();
        assert_eq!(own.options, ["ndots:2"]);
        assert_eq!(Resolver::default().internal().options, ["ndots:0"]);
    }

    #[test]
    fn the_hosts_resolvers_are_asked_from_the_host() {
        let host = Resolver::parse(
            "nameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver ::1\n\
                                    nameserver 2001:db8::1\n",
        );
        let chosen = choose(Resolver::default(), host.clone(), Some(NAMED));
        assert_eq!(chosen.file.servers, ["127.0.0.11"]);
        let all = ["127.0.0.53", "192.0.2.1", "::1", "2001:db8::1"];
        assert_eq!(chosen.service, service(&all, false));
        let inside = Reach { outside: false, ..NAMED };
        let chosen = choose(Resolver::default(), host.clone(), Some(inside));
        assert_eq!(chosen.service, service(&[], false));
        // Without names the sandbox asks itself, whom it can reach.
        let chosen = choose(Resolver::default(), host.clone(), Some(PLAIN));
        assert_eq!((chosen.file.servers, chosen.service), (vec!["192.0.2.1".to_owned()], None));
        let dual = Reach { ipv6: true, ..PLAIN };
        let chosen = choose(Resolver::default(), host.clone(), Some(dual));
        assert_eq!(chosen.file.servers, ["192.0.2.1", "2001:db8::1"]);
        let chosen = choose(Resolver::default(), host.clone(), None);
        assert_eq!((chosen.file, chosen.service), (host, None));
    }

    #[test]
    fn servers_asked_for_are_asked_from_the_sandbox() {
        let asked = Resolver::parse("nameserver 10.0.0.9\nnameserver 127.0.0.11\n");
        let inside = Reach { outside: false, ..NAMED };
        let chosen = choose(asked.clone(), Resolver::default(), Some(inside));
        assert_eq!(chosen.service, service(&["10.0.0.9"], true));
        let chosen = choose(asked.clone(), Resolver::default(), Some(PLAIN));
        assert_eq!((chosen.file, chosen.service), (asked, None));
    }

    #[test]
    fn resolvers_on_the_hosts_loopback_are_asked_for_a_sandbox_without_names() {
        let host = Resolver::parse("nameserver 127.0.0.53\n");
        let chosen = choose(Resolver::default(), host.clone(), Some(PLAIN));
        assert_eq!(chosen.file.servers, ["127.0.0.11"]);
        assert_eq!(chosen.service, service(&["127.0.0.53"], false));
        let none = Reach { outside: false, ..PLAIN };
        let chosen = choose(Resolver::default(), host, Some(none));
        assert_eq!((chosen.file.servers.len(), chosen.service), (0, None));
    }
}
