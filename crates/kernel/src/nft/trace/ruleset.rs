//! All tables of the host, read to be worked through.
//!
//! In: dumps. Out: chains with their rules, and look-ups in sets, whose elements are read when first
//! asked for.

use std::collections::BTreeMap;

use super::super::element::Raw;
use super::super::{NFGENMSG, message};
use crate::error::{Cause, Error};
use crate::netlink::number::*;
use crate::netlink::{Socket, attributes, text};

/// A chain.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    pub(super) family: u8,
    pub(super) table: String,
    pub(super) name: String,
    /// `NF_INET_*`; none of one that is jumped to.
    pub(super) hook: Option<u32>,
    /// `filter`, `nat` or `route`.
    pub(super) kind: String,
    pub(super) drops: bool,
    /// The expressions of each rule, as the kernel lists them.
    pub(super) rules: Vec<Vec<u8>>,
}

/// Family, table, name of a chain or set.
pub(super) type Place = (u8, String, String);

/// All tables.
#[derive(Debug)]
pub(super) struct Ruleset {
    chains: BTreeMap<Place, Chain>,
    sets: BTreeMap<Place, Set>,
}

/// A set or map with what is in it.
#[derive(Debug, Default)]
struct Set {
    interval: bool,
    key_length: usize,
    elements: Vec<Raw>,
}

impl Ruleset {
    pub(super) fn read(socket: &mut Socket) -> Result<Self, Error> {
        let fail = |cause| Error::new("read", "nftables rules", cause);
        let mut rules = Self { chains: BTreeMap::new(), sets: BTreeMap::new() };
        for payload in dump(socket, libc::NFT_MSG_GETCHAIN).map_err(fail)? {
            let chain = chain(&payload);
            rules.chains.insert((chain.family, chain.table.clone(), chain.name.clone()), chain);
        }
        for payload in dump(socket, libc::NFT_MSG_GETRULE).map_err(fail)? {
            let place = place(&payload, NFTA_RULE_CHAIN);
            let rule = value(&payload, NFTA_RULE_EXPRESSIONS).unwrap_or_default().to_vec();
            if let Some(chain) = rules.chains.get_mut(&place) {
                chain.rules.push(rule);
            }
        }
        for payload in dump(socket, libc::NFT_MSG_GETSET).map_err(fail)? {
            let place = place(&payload, NFTA_SET_NAME);
            let set = Set::read(socket, &place, &payload).map_err(fail)?;
            rules.sets.insert(place, set);
        }
        Ok(rules)
    }

    pub(super) fn base_chains(&self) -> impl Iterator<Item = &Chain> {
        self.chains.values().filter(|chain| chain.hook.is_some())
    }

    pub(super) fn chain(&self, place: &Place) -> Option<&Chain> {
        self.chains.get(place)
    }

    /// Names of all chains of a chain's table.
    pub(super) fn chains_of(&self, chain: &Chain) -> Vec<String> {
        let same = |other: &&Chain| other.family == chain.family && other.table == chain.table;
        self.chains.values().filter(same).map(|other| other.name.clone()).collect()
    }

    /// How long the keys of a set are.
    pub(super) fn key_length(&self, place: &Place) -> Option<usize> {
        self.sets.get(place).map(|set| set.key_length)
    }

    /// The element of a key.
    pub(super) fn look_up(&self, place: &Place, key: &[u8]) -> Option<&Raw> {
        let set = self.sets.get(place)?;
        let found = if set.interval && set.elements.iter().all(|raw| raw.key_end.is_empty()) {
            // The last mark at or before the key: a start, or the end of what was before.
            let before =
                set.elements.iter().filter(|raw| !raw.is_rest && raw.key.as_slice() <= key);
            before.max_by_key(|raw| (&raw.key, !raw.is_end)).filter(|raw| !raw.is_end)
        } else {
            set.elements.iter().find(|raw| !raw.is_rest && raw.holds(key))
        };
        found.or_else(|| set.elements.iter().find(|raw| raw.is_rest))
    }
}

impl Set {
    fn read(socket: &mut Socket, place: &Place, payload: &[u8]) -> Result<Self, Cause> {
        let number = |kind| value(payload, kind).map_or(0, number);
        let (family, table, name) = place;
        let mut question = message(libc::NFT_MSG_GETSETELEM, *family, 0);
        question.text(NFTA_SET_ELEM_LIST_TABLE, table).text(NFTA_SET_ELEM_LIST_SET, name);
        let dumped = match socket.dump(&question) {
            // It went just now.
            Err(cause) if cause.errno() == Some(libc::ENOENT) => Vec::new(),
            dumped => dumped?,
        };
        let lists = dumped.iter().filter_map(|payload| value(payload, NFTA_SET_ELEM_LIST_ELEMENTS));
        let elements = lists.flat_map(attributes).map(|(_, value)| Raw::read(value)).collect();
        let interval = number(NFTA_SET_FLAGS) & NFT_SET_INTERVAL != 0;
        Ok(Self { interval, key_length: number(NFTA_SET_KEY_LEN) as usize, elements })
    }
}

fn dump(socket: &mut Socket, kind: i32) -> Result<Vec<Vec<u8>>, Cause> {
    socket.dump(&message(kind, libc::AF_UNSPEC as u8, 0))
}

fn value(payload: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(payload.get(NFGENMSG..)?).value_of(kind)
}

/// A number of nftables' attributes, which are in network order.
pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_be_bytes)
}

fn place(payload: &[u8], name: u16) -> Place {
    let family = payload.first().copied().unwrap_or_default();
    let named = |kind| value(payload, kind).map(text).unwrap_or_default();
    // The name of its table is the first attribute of everything that is in one.
    (family, named(NFTA_TABLE_NAME), named(name))
}

fn chain(payload: &[u8]) -> Chain {
    let (family, table, name) = place(payload, NFTA_CHAIN_NAME);
    let hook = value(payload, NFTA_CHAIN_HOOK);
    Chain {
        family,
        table,
        name,
        hook: hook.and_then(|hook| attributes(hook).value_of(NFTA_HOOK_HOOKNUM)).map(number),
        kind: value(payload, NFTA_CHAIN_TYPE).map(text).unwrap_or_default(),
        drops: value(payload, NFTA_CHAIN_POLICY).is_some_and(|bytes| number(bytes) == 0),
        rules: Vec::new(),
    }
}
