//! A table as the kernel tells it, and as it is told to make it again.
//!
//! In: dumps of tables `hawser`. Out: what they are made of, less elements, as messages that make
//! the same. What is the kernel's own (handles, places, uses) is left out, so that equal tables are
//! equal, whoever wrote them in whatever namespace.

use std::fmt::{self, Display, Formatter};

use super::{NFGENMSG, TABLE, message};
use crate::error::Cause;
use crate::netlink::number::*;
use crate::netlink::{Message, Socket, attributes, text};

/// Families that tables of ours may have.
pub(crate) const FAMILIES: [u8; 2] = [NFPROTO_INET, NFPROTO_BRIDGE];

/// A table, less its elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) family: u8,
    /// Its comment, as the kernel keeps it.
    userdata: Vec<u8>,
    /// Chains, sets, rules: in the order in which they can be made.
    pub(super) objects: Vec<Object>,
}

/// A table of the host's.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) table: Table,
    /// `NFT_TABLE_F_*`.
    pub(super) flags: u32,
    /// Port of the socket that owns it; 0 without one.
    pub(super) owner: u32,
}

/// Something in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    kind: Kind,
    /// Its name; of a rule, that of its chain.
    name: String,
    pub(super) creation: Message,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Chain,
    Set,
    Rule,
}

impl Kind {
    /// Requests to list and to make one, and flags of the latter.
    fn requests(self) -> (i32, i32, i32) {
        let create = libc::NLM_F_CREATE;
        match self {
            Self::Chain => (libc::NFT_MSG_GETCHAIN, libc::NFT_MSG_NEWCHAIN, create),
            Self::Set => (libc::NFT_MSG_GETSET, libc::NFT_MSG_NEWSET, create | libc::NLM_F_EXCL),
            Self::Rule => {
                (libc::NFT_MSG_GETRULE, libc::NFT_MSG_NEWRULE, create | libc::NLM_F_APPEND)
            }
        }
    }

    /// Attributes that make it, the table's name (always 1) first; and which is its name.
    fn attributes(self) -> (&'static [u16], u16) {
        match self {
            Self::Chain => (
                &[
                    1,
                    NFTA_CHAIN_NAME,
                    NFTA_CHAIN_HOOK,
                    NFTA_CHAIN_POLICY,
                    NFTA_CHAIN_TYPE,
                    NFTA_CHAIN_USERDATA,
                ],
                NFTA_CHAIN_NAME,
            ),
            Self::Set => (
                &[
                    1,
                    NFTA_SET_NAME,
                    NFTA_SET_FLAGS,
                    NFTA_SET_KEY_TYPE,
                    NFTA_SET_KEY_LEN,
                    NFTA_SET_DATA_TYPE,
                    NFTA_SET_DATA_LEN,
                    NFTA_SET_POLICY,
                    NFTA_SET_DESC,
                    NFTA_SET_TIMEOUT,
                    NFTA_SET_GC_INTERVAL,
                    NFTA_SET_USERDATA,
                    NFTA_SET_EXPR,
                    NFTA_SET_EXPRESSIONS,
                ],
                NFTA_SET_NAME,
            ),
            Self::Rule => {
                (&[1, NFTA_RULE_CHAIN, NFTA_RULE_EXPRESSIONS, NFTA_RULE_USERDATA], NFTA_RULE_CHAIN)
            }
        }
    }
}

/// The table of a family; none if there is none.
pub(super) fn read(socket: &mut Socket, family: u8) -> Result<Option<Found>, Cause> {
    let mut question = message(libc::NFT_MSG_GETTABLE, family, 0);
    question.text(NFTA_TABLE_NAME, TABLE);
    let answer = match socket.get(question) {
        Err(cause) if cause.errno() == Some(libc::ENOENT) => return Ok(None),
        answer => answer?,
    };
    let value = |kind| attributes(answer.get(NFGENMSG..).unwrap_or_default()).value_of(kind);
    let number =
        |kind| value(kind).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    let mut objects = Vec::new();
    for kind in [Kind::Chain, Kind::Set, Kind::Rule] {
        objects.extend(read_objects(socket, family, kind)?);
    }
    let userdata = value(NFTA_TABLE_USERDATA).unwrap_or_default().to_vec();
    let (flags, owner) = (number(NFTA_TABLE_FLAGS), number(NFTA_TABLE_OWNER));
    Ok(Some(Found { table: Table { family, userdata, objects }, flags, owner }))
}

fn read_objects(socket: &mut Socket, family: u8, kind: Kind) -> Result<Vec<Object>, Cause> {
    let mut question = message(kind.requests().0, family, 0);
    question.text(1, TABLE);
    let dumped = match socket.dump(&question) {
        // The table went just now.
        Err(cause) if cause.errno() == Some(libc::ENOENT) => return Ok(Vec::new()),
        dumped => dumped?,
    };
    let mut objects = Vec::new();
    for payload in &dumped {
        let value = |kind| attributes(payload.get(NFGENMSG..)?).value_of(kind);
        let ours = payload.first() == Some(&family) && value(1).map(text).as_deref() == Some(TABLE);
        if ours {
            objects.push(Object::parse(kind, family, payload, objects.len()));
        }
    }
    Ok(objects)
}

impl Object {
    fn parse(kind: Kind, family: u8, payload: &[u8], number: usize) -> Self {
        let (_, request, flags) = kind.requests();
        let (kept, name_kind) = kind.attributes();
        let all = || attributes(payload.get(NFGENMSG..).unwrap_or_default());
        let mut creation = message(request, family, flags);
        for (kind, value) in all().filter(|(kind, _)| kept.contains(kind)) {
            creation.bytes(kind, value);
        }
        if kind == Kind::Set {
            // Wanted by the kernel, for what in the same transaction refers to the set by it.
            creation.bytes(NFTA_SET_ID, &(number as u32 + 1).to_be_bytes());
        }
        let name = all().value_of(name_kind).map(text).unwrap_or_default();
        Self { kind, name, creation }
    }

    /// Whether it is a set without a name, which lives and dies with its rule.
    pub(super) fn is_anonymous_set(&self) -> bool {
        self.kind == Kind::Set && self.name.starts_with("__")
    }
}

impl Display for Object {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.kind {
            Kind::Chain => write!(f, "chain {name}"),
            Kind::Set => write!(f, "set {name}"),
            Kind::Rule => write!(f, "a rule of chain {name}"),
        }
    }
}

impl Table {
    /// The message that makes the table itself, or makes an orphan's owner of who sends it.
    pub(super) fn creation(&self, flags: u32) -> Message {
        let mut creation = message(libc::NFT_MSG_NEWTABLE, self.family, libc::NLM_F_CREATE);
        creation.text(NFTA_TABLE_NAME, TABLE).bytes(NFTA_TABLE_FLAGS, &flags.to_be_bytes());
        if !self.userdata.is_empty() {
            creation.bytes(NFTA_TABLE_USERDATA, &self.userdata);
        }
        creation
    }

    /// The messages that make the table with all that is in it.
    pub(super) fn creations(&self, flags: u32) -> impl Iterator<Item = Message> {
        let objects = self.objects.iter().map(|object| object.creation.clone());
        std::iter::once(self.creation(flags)).chain(objects)
    }

    /// Whether chains, sets and the comment are those of the other one.
    pub(super) fn differs_in_rules_alone(&self, other: &Self) -> bool {
        let rest = |table: &Self| -> Vec<Object> {
            table.objects.iter().filter(|object| object.kind != Kind::Rule).cloned().collect()
        };
        self.userdata == other.userdata && rest(self) == rest(other)
    }

    /// The messages that put these rules in the place of those that a table has.
    pub(super) fn exchange_of_rules(&self) -> impl Iterator<Item = Message> {
        let mut flush = message(libc::NFT_MSG_DELRULE, self.family, 0);
        flush.text(1, TABLE);
        let rules = self.objects.iter().filter(|object| object.kind == Kind::Rule);
        std::iter::once(flush).chain(rules.map(|rule| rule.creation.clone()))
    }

    /// What another one has and this one lacks, in words.
    pub(super) fn lacks(&self, other: &Self) -> Vec<String> {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for object in other.objects.iter().filter(|object| !self.objects.contains(object)) {
            let object = object.to_string();
            match counts.last_mut() {
                Some((last, count)) if *last == object => *count += 1,
                _ => counts.push((object, 1)),
            }
        }
        let words = counts.into_iter().map(|(object, count)| match count {
            1 => format!("{object} of {self}"),
            // Only rules have no name of their own.
            _ => format!("{count} times {object} of {self}"),
        });
        words.collect()
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let family = if self.family == NFPROTO_BRIDGE { "bridge" } else { "inet" };
        write!(f, "table {family} {TABLE}")
    }
}

/// The message that deletes the table of a family with all that is in it.
pub(super) fn deletion(family: u8) -> Message {
    let mut deletion = message(libc::NFT_MSG_DELTABLE, family, 0);
    deletion.text(NFTA_TABLE_NAME, TABLE);
    deletion
}
