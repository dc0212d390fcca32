//! What to say to a query: an answer of ours, or that it is to be forwarded.
//!
//! In: a query, and what the sandbox sees. Out: a reply, or [`Decision::Forward`].
//! Names of containers never go out: a name of one label that nobody has is answered here.

use std::net::IpAddr;

use crate::message::{A, AAAA, ANY, Code, IN, PTR, Query, Reply};
use crate::turns::Turns;
use hawser_hoststate::Zone;

/// What becomes of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Send this.
    Reply(Vec<u8>),
    /// Not ours: ask an upstream.
    Forward,
}

/// What a sandbox sees, in the order of looking.
pub(crate) struct Sight<'a> {
    /// Private names: each with the zone that knows what it stands for, and its name there.
    pub aliases: Vec<(&'a str, &'a Zone, &'a str)>,
    /// Its networks' names.
    pub zones: Vec<&'a Zone>,
}

impl<'a> Sight<'a> {
    /// The addresses of a name in each place that knows it.
    fn addresses(&self, name: &str) -> Vec<&'a [IpAddr]> {
        let bare = name.strip_suffix('.').unwrap_or(name);
        let mine = self.aliases.iter().filter(|(alias, ..)| alias.eq_ignore_ascii_case(bare));
        let mine = mine.filter_map(|(_, zone, target)| zone.addresses(target));
        mine.chain(self.zones.iter().filter_map(|zone| zone.addresses(name))).collect()
    }
}

/// Decides. `turns` say by how much several addresses are rotated; `limit` is the longest reply
/// in bytes.
pub(crate) fn decide(query: &Query, sight: &Sight<'_>, turns: &Turns, limit: usize) -> Decision {
    if query.kind == PTR
        && let Some(address) = query.reverse_address()
    {
        let name = sight.zones.iter().find_map(|zone| zone.name(address));
        return name.map_or(Decision::Forward, |name| {
            let mut reply = Reply::new(query, Code::NoError, limit);
            reply.pointer(name);
            Decision::Reply(reply.finish())
        });
    }
    let found = query.name.as_ref().map(|name| sight.addresses(name)).unwrap_or_default();
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
        if addresses.len() > 1 {
            let name = query.name.as_deref().unwrap_or_default();
            let turn = turns.next(name, query.kind) % addresses.len();
            addresses.rotate_left(turn);
        }
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
