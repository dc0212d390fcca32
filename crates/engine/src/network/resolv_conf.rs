//! What a resolv.conf says, read and written.
//!
//! In: text. Out: [`Resolver`]s and text. Who says what to whom is decided in `resolver.rs`.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;

/// What a resolv.conf says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolver {
    /// Name servers, as written (IPv6 ones may carry a zone).
    pub servers: Vec<String>,
    /// Search domains.
    pub search: Vec<String>,
    /// Options.
    pub options: Vec<String>,
    /// Lines of other kinds (`sortlist`), which say nothing here.
    pub others: Vec<String>,
}

impl Resolver {
    /// Reads a resolv.conf; what makes no sense is left as it is (resolv.conf(5): the last
    /// `search` or `domain` counts, options add up).
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default().trim();
            let mut words = line.split_whitespace().map(str::to_owned);
            match words.next().as_deref() {
                Some("nameserver") => found.servers.extend(words.next()),
                Some("search") => found.search = words.collect(),
                Some("domain") => found.search = words.take(1).collect(),
                Some("options") => found.options.extend(words),
                Some(_) => found.others.push(line.to_owned()),
                None => {}
            }
        }
        found
    }

    /// What the host asks: its resolv.conf, or what stands behind it. Empty if there is none.
    pub fn of_host() -> Self {
        Self::of(Path::new("/"))
    }

    /// The same of the host whose files are below `root`. Where it is only told to ask systemd's
    /// stub, those whom that asks are taken, as Docker does: other namespaces don't reach the stub.
    fn of(root: &Path) -> Self {
        let read = |path: &str| {
            let path = root.join(path.trim_start_matches('/'));
            Self::parse(&std::fs::read_to_string(path).unwrap_or_default())
        };
        let said = read(RESOLV_CONF);
        if said.servers != [STUB] {
            return said;
        }
        let behind = read(BEHIND_STUB);
        if behind.servers.is_empty() { said } else { behind }
    }

    /// What `other` says where this says nothing, list by list.
    pub(super) fn or(mut self, other: Self) -> Self {
        for (mine, theirs) in [
            (&mut self.servers, other.servers),
            (&mut self.search, other.search),
            (&mut self.options, other.options),
            (&mut self.others, other.others),
        ] {
            if mine.is_empty() {
                *mine = theirs;
            }
        }
        self
    }

    /// Sends all questions to the sandbox's own name server.
    pub(super) fn internal(mut self) -> Self {
        self.servers = vec![hawser_plan::SERVER.to_string()];
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
        for line in &self.others {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

/// The host's resolv.conf.
pub const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Where systemd-resolved writes whom it asks itself.
pub const BEHIND_STUB: &str = "/run/systemd/resolve/resolv.conf";
/// Where systemd-resolved answers.
const STUB: &str = "127.0.0.53";

/// A name server as a resolv.conf names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address.
    pub address: IpAddr,
    /// The link that a link-local address is of, by name or number.
    pub zone: Option<String>,
}

impl Server {
    /// Reads `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, zone) = match text.split_once('%') {
            Some((address, zone)) => (address, Some(zone.to_owned())),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        // Of other addresses it says nothing.
        let zone = zone.filter(|_| is_link_local(address));
        Some(Self { address, zone })
    }

    /// Whether it is meant together with a link.
    pub fn is_link_local(&self) -> bool {
        is_link_local(self.address)
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if Ipv6Addr::is_unicast_link_local(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_is_read_leniently() {
        let text = "domain old.example\n; comment\nsearch a.example b.example\nnameserver 127.0.0.53\n\
                    nameserver\nnameserver fe80::1%eth0 # zone\noptions edns0\noptions timeout:1\nnonsense\n";
        let found = Resolver::parse(text);
        assert_eq!(found.servers, ["127.0.0.53", "fe80::1%eth0"]);
        assert_eq!(found.search, ["a.example", "b.example"]);
        assert_eq!(found.options, ["edns0", "timeout:1"]);
        assert_eq!(found.others, ["nonsense"]);
        assert!(found.text().ends_with("options edns0 timeout:1\nnonsense\n"));
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
        let read = |text| Server::parse(text).map(|s| (s.address.to_string(), s.zone));
        assert_eq!(read("192.0.2.53"), Some(("192.0.2.53".to_owned(), None)));
        assert_eq!(read("fe80::1%eth0"), Some(("fe80::1".to_owned(), Some("eth0".to_owned()))));
        assert_eq!(read("2001:db8::1%eth0"), Some(("2001:db8::1".to_owned(), None)));
        assert_eq!(read("nonsense"), None);
    }

    #[test]
    fn the_sandbox_server_comes_with_ndots_once() {
        let own = Resolver::parse("options ndots:2\n").internal();
        assert_eq!(own.options, ["ndots:2"]);
        assert_eq!(Resolver::default().internal().options, ["ndots:0"]);
    }

    #[test]
    fn behind_the_stub_of_systemd_are_those_whom_it_asks() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let servers = || Resolver::of(root.path()).servers;
        assert!(servers().is_empty());
        write(RESOLV_CONF, "nameserver 127.0.0.53\noptions edns0 trust-ad\n");
        assert_eq!(servers(), ["127.0.0.53"]);
        write(BEHIND_STUB, "# no uplink yet\n");
        assert_eq!(servers(), ["127.0.0.53"]);
        write(BEHIND_STUB, "nameserver 192.0.2.1\nnameserver fe80::1%2\n");
        assert_eq!(servers(), ["192.0.2.1", "fe80::1%2"]);
        assert!(Resolver::of(root.path()).options.is_empty());
        write(RESOLV_CONF, "nameserver 127.0.0.53\nnameserver 192.0.2.9\n");
        assert_eq!(servers(), ["127.0.0.53", "192.0.2.9"]);
    }
}
