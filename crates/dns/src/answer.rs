//! What to say to a query: an answer of ours, or that it is to be forwarded.
//!
//! In: a query, and the zones that the sandbox sees. Out: a reply, or [`Decision::Forward`].
//! Names of containers never go out: a name of one label that nobody has is answered here.

use std::net::IpAddr;

use crate::message::{A, AAAA, ANY, Code, IN, PTR, Query, Reply};
use hawser_hoststate::Zone;

/// What becomes of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Send this.
    Reply(Vec<u8>),
    /// Not ours: ask an upstream.
    Forward,
}

/// Decides. `zones` in the order of looking; `turn` is by how much several addresses are rotated;
/// `limit` is the longest reply in bytes.
pub(crate) fn decide(query: &Query, zones: &[&Zone], turn: usize, limit: usize) -> Decision {
    if query.kind == PTR
        && let Some(address) = query.reverse_address()
    {
        let name = zones.iter().find_map(|zone| zone.name(address));
        return name.map_or(Decision::Forward, |name| {
            let mut reply = Reply::new(query, Code::NoError, limit);
            reply.pointer(name);
            Decision::Reply(reply.finish())
        });
    }
    let found: Vec<&[IpAddr]> = match &query.name {
        Some(name) => zones.iter().filter_map(|zone| zone.addresses(name)).collect(),
        None => Vec::new(),
    };
    if found.is_empty() {
        return match query.labels {
            1 => Decision::Reply(query.reply(Code::NxDomain)),
            _ => Decision::Forward,
        };
    }
    let mut reply = Reply::new(query, Code::NoError, limit);
    // The first network that knows an address of the wanted kind; a name that has none of that
    // kind exists all the same, and its reply is empty.
    let mut wanted = found.into_iter().map(|all| of_kind(all, query)).find(|some| !some.is_empty());
    if let Some(addresses) = &mut wanted {
        let turn = turn % addresses.len();
        addresses.rotate_left(turn);
        addresses.iter().for_each(|address| reply.address(*address));
    }
    Decision::Reply(reply.finish())
}

fn of_kind(addresses: &[IpAddr], query: &Query) -> Vec<IpAddr> {
    let wanted = |address: &&IpAddr| {
        let kind = if address.is_ipv4() { A } else { AAAA };
        matches!(query.class, IN | ANY) && (query.kind == kind || query.kind == ANY)
    };
    addresses.iter().filter(wanted).copied().collect()
}
