//! All tables of the host but ours, read to be worked through.
//!
//! In: dumps. Out: chains with their rules, and look-ups in sets, whose elements are read when first
//! asked for.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use super::super::element::Raw;
use super::super::{FAMILIES, NFGENMSG, TABLE, message};
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
    socket: RefCell<Socket>,
    chains: BTreeMap<Place, Chain>,
    sets: BTreeMap<Place, Set>,
}

/// A set or map with what is in it: lists of half the world, sometimes.
#[derive(Debug, Default)]
struct Set {
    interval: bool,
    key_length: usize,
    elements: OnceCell<Vec<Raw>>,
}

impl Ruleset {
    pub(super) fn read(mut socket: Socket) -> Result<Self, Error> {
        let fail = |cause| Error::new("read", "nftables rules", cause);
        let (mut chains, mut sets) = (BTreeMap::new(), BTreeMap::new());
        for payload in dump(&mut socket, libc::NFT_MSG_GETCHAIN).map_err(fail)? {
            let chain = chain(&payload);
            if chain.table != TABLE || !FAMILIES.contains(&chain.family) {
                let place = (chain.family, chain.table.clone(), chain.name.clone());
                chains.insert(place, chain);
            }
        }
        for payload in dump(&mut socket, libc::NFT_MSG_GETRULE).map_err(fail)? {
            let place = place(&payload, NFTA_RULE_CHAIN);
            let rule = value(&payload, NFTA_RULE_EXPRESSIONS).unwrap_or_default().to_vec();
            if let Some(chain) = chains.get_mut(&place) {
                chain.rules.push(rule);
            }
        }
        for payload in dump(&mut socket, libc::NFT_MSG_GETSET).map_err(fail)? {
            sets.insert(place(&payload, NFTA_SET_NAME), Set::parse(&payload));
        }
        Ok(Self { socket: RefCell::new(socket), chains, sets })
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
        // One that can't be read (any more) has nothing in it.
        let read = || read_elements(&mut self.socket.borrow_mut(), place).unwrap_or_default();
        let elements = set.elements.get_or_init(read);
        let found = if set.interval && elements.iter().all(|raw| raw.key_end.is_empty()) {
            // The last mark at or before the key: a start, or the end of what was before.
            let before = elements.iter().filter(|raw| !raw.is_rest && raw.key.as_slice() <= key);
            before.max_by_key(|raw| (&raw.key, !raw.is_end)).filter(|raw| !raw.is_end)
        } else {
            elements.iter().find(|raw| !raw.is_rest && raw.holds(key))
        };
        found.or_else(|| elements.iter().find(|raw| raw.is_rest))
    }
}

impl Set {
    fn parse(payload: &[u8]) -> Self {
        let number = |kind| value(payload, kind).map_or(0, number);
        let interval = number(NFTA_SET_FLAGS) & NFT_SET_INTERVAL != 0;
        let key_length = number(NFTA_SET_KEY_LEN) as usize;
        Self { interval, key_length, elements: OnceCell::new() }
    }
}

fn read_elements(socket: &mut Socket, (family, table, name): &Place) -> Result<Vec<Raw>, Cause> {
    let mut question = message(libc::NFT_MSG_GETSETELEM, *family, 0);
    question.text(NFTA_SET_ELEM_LIST_TABLE, table).text(NFTA_SET_ELEM_LIST_SET, name);
    let dumped = socket.dump(&question)?;
    let lists = dumped.iter().filter_map(|payload| value(payload, NFTA_SET_ELEM_LIST_ELEMENTS));
    Ok(lists.flat_map(attributes).map(|(_, value)| Raw::read(value)).collect())
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
