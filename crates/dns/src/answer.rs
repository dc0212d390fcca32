//! What to say to a query: an answer of ours, or that it is to be forwarded; and why.
//!
//! In: a query, and what the sandbox sees. Out: a reply, or [`Decision::Forward`].
//! What is ours never goes out: names of one label, names below a network's name, addresses of its
//! subnets. If nobody has them they do not exist.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::message::{A, AAAA, ANY, AXFR, Code, IN, IXFR, PTR, Query, Reply, Reverse};
use crate::turns::Turns;
use crate::{Reason, View};
use hawser_hoststate::Zone;

/// What becomes of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision<'a> {
    /// Send this, for this reason.
    Reply(Vec<u8>, Why<'a>),
    /// Not ours: ask an upstream.
    Forward,
}

/// Why a reply is what it is; see [`Reason`], which these become for people alone. Zones by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why<'a> {
    Alias(&'a str, &'a str),
    Zone(&'a str),
    NothingOfThatKind(&'a str),
    Reverse(&'a str),
    NobodyBelow(&'a str),
    NobodyAt(&'a str),
    SingleLabel,
    NotForwarded,
}

impl From<Why<'_>> for Reason {
    fn from(why: Why<'_>) -> Self {
        match why {
            Why::Alias(zone, target) => Self::Alias { zone: zone.into(), target: target.into() },
            Why::Zone(zone) => Self::Zone { zone: zone.into() },
            Why::NothingOfThatKind(zone) => Self::NothingOfThatKind { zone: zone.into() },
            Why::Reverse(zone) => Self::Reverse { zone: zone.into() },
            Why::NobodyBelow(zone) => Self::NobodyBelow { zone: zone.into() },
            Why::NobodyAt(zone) => Self::NobodyAt { zone: zone.into() },
            Why::SingleLabel => Self::SingleLabel,
            Why::NotForwarded => Self::NotForwarded,
        }
    }
}

/// What a sandbox sees.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub view: &'a View,
    /// Those of all networks; the view says which.
    pub zones: &'a HashMap<String, Zone>,
}

impl<'a> Sight<'a> {
    /// The addresses of a name in each place that knows it, in the order of looking.
    fn addresses<'n>(self, name: &'n str) -> impl Iterator<Item = (Why<'a>, &'a [IpAddr])> + 'n
    where
        'a: 'n,
    {
        let mine = self.view.aliases.iter().filter(move |alias| {
            alias.name.strip_suffix('.').unwrap_or(&alias.name).eq_ignore_ascii_case(name)
        });
        let mine = mine.filter_map(move |alias| {
            let addresses = self.zones.get(&alias.zone)?.addresses(&alias.target)?;
            Some((Why::Alias(&alias.zone, &alias.target), addresses))
        });
        let theirs = self
            .zones()
            .filter_map(move |(key, zone)| Some((Why::Zone(key), zone.addresses(name)?)));
        mine.chain(theirs)
    }

    fn zones(self) -> impl Iterator<Item = (&'a str, &'a Zone)> {
        let zone = move |key: &'a String| Some((key.as_str(), self.zones.get(key)?));
        self.view.zones.iter().filter_map(zone)
    }
}

/// Decides. `turns` say by how much several addresses are rotated; `limit` is the longest reply
/// in bytes.
pub(crate) fn decide<'a>(
    query: &Query,
    sight: Sight<'a>,
    turns: &Turns,
    limit: usize,
) -> Decision<'a> {
    if !matches!(query.class, IN | ANY) || matches!(query.kind, AXFR | IXFR) {
        return Decision::Reply(query.reply(Code::Refused), Why::NotForwarded);
    }
    if let Some(reverse) = Reverse::parse(&query.name)
        && let Some((reply, why)) = of_address(query, reverse, sight, limit)
    {
        return Decision::Reply(reply, why);
    }
    let mut known = None;
    for (why, all) in sight.addresses(&query.name) {
        // The first network that knows an address of the wanted kind.
        if let Some(reply) = of_kind(query, all, turns, limit) {
            return Decision::Reply(reply, why);
        }
        known = known.or(match why {
            Why::Alias(zone, _) | Why::Zone(zone) => Some(zone),
            _ => None,
        });
    }
    let owner = sight.zones().find(|(_, zone)| zone.owns(&query.name));
    let length = owner.and_then(|(_, zone)| zone.suffix()).map_or(0, str::len);
    let (code, why) = match (known, owner) {
        // A name without anything of that kind exists all the same.
        (Some(zone), _) => (Code::NoError, Why::NothingOfThatKind(zone)),
        // The network's own name is nobody's, but there are names below it.
        (None, Some((zone, _))) if query.name.len() == length => {
            (Code::NoError, Why::NothingOfThatKind(zone))
        }
        (None, Some((zone, _))) => (Code::NxDomain, Why::NobodyBelow(zone)),
        (None, None) if query.labels == 1 => (Code::NxDomain, Why::SingleLabel),
        (None, None) => return Decision::Forward,
    };
    Decision::Reply(negative(query, code, length), why)
}

/// An answer with the addresses of the kind asked for, rotated; `None` if there are none.
fn of_kind(query: &Query, all: &[IpAddr], turns: &Turns, limit: usize) -> Option<Vec<u8>> {
    let wanted = |address: &&IpAddr| {
        let kind = if address.is_ipv4() { A } else { AAAA };
        query.kind == kind || query.kind == ANY
    };
    let addresses = || all.iter().filter(wanted);
    let turn = match addresses().take(2).count() {
        0 => return None,
        1 => 0,
        _ => turns.next(&query.name, query.kind) % addresses().count(),
    };
    let mut reply = Reply::new(query, Code::NoError, limit);
    addresses().skip(turn).chain(addresses().take(turn)).for_each(|a| reply.address(*a));
    Some(reply.finish())
}

/// The answer to a question about an address; `None` if it is none of ours.
fn of_address<'a>(
    query: &Query,
    Reverse { part, below }: Reverse,
    sight: Sight<'a>,
    limit: usize,
) -> Option<(Vec<u8>, Why<'a>)> {
    let whole = part.prefix_len() == part.max_prefix_len();
    let pointer = |(key, zone): (&'a str, &'a Zone)| Some((key, zone.name(part.addr())?));
    let pointer = sight.zones().filter(|_| whole).find_map(pointer);
    // The zone above is named like the question without its first label.
    let length = query.name.split_once('.').map_or(0, |(_, above)| above.len());
    match pointer {
        Some((zone, name)) if !below && matches!(query.kind, PTR | ANY) => {
            let mut reply = Reply::new(query, Code::NoError, limit);
            reply.pointer(name);
            return Some((reply.finish(), Why::Reverse(zone)));
        }
        Some((zone, _)) if !below => {
            let reply = negative(query, Code::NoError, length);
            return Some((reply, Why::NothingOfThatKind(zone)));
        }
        _ => {}
    }
    let (zone, _) = sight.zones().find(|(_, zone)| zone.covers(part))?;
    Some(match whole || below {
        true => (negative(query, Code::NxDomain, length), Why::NobodyAt(zone)),
        false => (negative(query, Code::NoError, length), Why::NothingOfThatKind(zone)),
    })
}

/// An answer without records; `length` as of [`Reply::negative`].
fn negative(query: &Query, code: Code, length: usize) -> Vec<u8> {
    let mut reply = Reply::new(query, code, usize::MAX);
    reply.negative(length);
    reply.finish()
}
