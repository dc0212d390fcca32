//! What others' rules would do with a packet of ours.
//!
//! In: packets to think of. Out: the base chains of other tables that would drop them, by their
//! rules or their policy. The rules are read and worked through as the kernel does; a rule that asks
//! for something unknown (a port, a mark that somebody sets, an extension) does not match. Nothing
//! is sent, and nothing changed.

mod machine;
mod ruleset;

use std::net::IpAddr;

use hawser_hoststate::Transport;

use self::machine::{Machine, Outcome};
use self::ruleset::{Chain, Ruleset};
use crate::error::Error;
use crate::netlink::Socket;
use crate::netlink::number::*;

/// The first packet of a connection, that the host forwards or gets itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Link that it comes in by.
    pub from: String,
    /// Link that it goes out by; none of one for the host itself.
    pub to: Option<String>,
    /// Its source, as it comes in.
    pub source: IpAddr,
    /// Its destination, as it goes out; of the same family. An unspecified one is unknown.
    pub destination: IpAddr,
    /// Whether it had another destination when it came (a published port).
    pub translated: bool,
    /// Its protocol.
    pub transport: Transport,
    /// The port that it goes to, if that is known.
    pub port: Option<u16>,
}

/// A base chain of somebody else's that would drop a packet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Obstacle {
    /// Family of its table: `ip`, `ip6` or `inet`.
    pub family: &'static str,
    /// Its table.
    pub table: String,
    /// Its name.
    pub chain: String,
    /// Whether its policy drops what no rule accepts; otherwise a rule drops.
    pub by_policy: bool,
    /// All chains of the table, which tell who keeps it.
    pub chains: Vec<String>,
}

/// Which chains would drop which packets, by their places in `packets`.
pub(crate) fn obstacles(packets: &[Packet]) -> Result<Vec<(usize, Obstacle)>, Error> {
    let fail = |error| Error::new("open", "netlink socket", error);
    let rules = Ruleset::read(Socket::netfilter().map_err(fail)?)?;
    let chains: Vec<Chain> = rules.base_chains().cloned().collect();
    let mut found = Vec::new();
    for (place, packet) in packets.iter().enumerate() {
        for chain in chains.iter().filter(|chain| sees(chain, packet)) {
            let outcome = Machine::new(&rules, packet, chain).run(chain)?;
            if let Outcome::Drop { by_policy } = outcome {
                found.push((place, obstacle(&rules, chain, by_policy)));
            }
        }
    }
    Ok(found)
}

/// Whether a packet comes by.
fn sees(chain: &Chain, packet: &Packet) -> bool {
    let family = if packet.source.is_ipv4() { NFPROTO_IPV4 } else { NFPROTO_IPV6 };
    let hooks: &[u32] = match packet.to {
        Some(_) => &[NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_POST_ROUTING],
        None => &[NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN],
    };
    chain.hook.is_some_and(|at| hooks.contains(&at))
        && chain.kind == "filter"
        && (chain.family == family || chain.family == NFPROTO_INET)
}

fn obstacle(rules: &Ruleset, chain: &Chain, by_policy: bool) -> Obstacle {
    let family = match chain.family {
        NFPROTO_IPV4 => "ip",
        NFPROTO_IPV6 => "ip6",
        _ => "inet",
    };
    Obstacle {
        family,
        table: chain.table.clone(),
        chain: chain.name.clone(),
        by_policy,
        chains: rules.chains_of(chain),
    }
}
