//! A name server in a namespace, as a person would lead port 53 to it.
//!
//! In: the server. Out: what has to listen, as a comment, and the rules. The daemon takes ports that
//! the kernel picks; whoever types the lines takes [`PORT`].

use super::{Printer, word};
use crate::object::NameServer;
use crate::words::Ns;

/// Where the server of the lines listens.
const PORT: u16 = 53053;

impl Printer<'_> {
    /// Nothing is tracked, and each packet is looked at by itself: there is no state that two
    /// questions from one socket could fight for.
    pub(super) fn add_server(&mut self, server: &NameServer) {
        let NameServer { ns, address } = server;
        let pin = self.path(ns);
        self.line(format!("# answer names in {pin} at udp and tcp {address}:{PORT}"));
        self.rules(server, "add table ip hawser");
        let chain = "name_server { type filter hook output priority raw; policy accept; }";
        self.rules(server, &format!("add chain ip hawser {chain}"));
        for p in ["udp", "tcp"] {
            let there = format!("ip daddr {address} {p} dport 53 notrack {p} dport set {PORT}");
            let back = format!("ip saddr {address} {p} sport {PORT} notrack {p} sport set 53");
            for rule in [there, back] {
                self.rules(server, &format!("add rule ip hawser name_server {rule}"));
            }
        }
    }

    pub(super) fn remove_server(&mut self, server: &NameServer) {
        self.rules(server, "delete table ip hawser");
    }

    fn rules(&mut self, server: &NameServer, statement: &str) {
        self.line_in(&Ns::Named(server.ns.clone()), format!("nft {}", word(statement)));
    }
}
