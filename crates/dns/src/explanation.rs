//! How a question is answered, and why: plain data for people who ask.
//!
//! It is made on the very way that a packet takes. Names of zones are their keys, numbers of types
//! and codes those of the protocol.

use std::net::SocketAddr;
use std::time::Duration;

/// How a question of a sandbox was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The name asked for, as given.
    pub name: String,
    /// The type asked for.
    pub kind: u16,
    /// The code of the answer: 0 is NOERROR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED.
    pub code: u16,
    /// The records of the answer.
    pub answers: Vec<Answer>,
    /// Where it comes from.
    pub reason: Reason,
}

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whose it is.
    pub name: String,
    /// Its type.
    pub kind: u16,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// Its data as text: an address, a name, or in the form of RFC 3597 (`\# 4 0a000002`).
    pub data: String,
}

/// Why an answer is what it is. `zone` is the key of the zone that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A name of this sandbox alone, which stands for `target` in the zone.
    Alias {
        /// Key of the zone.
        zone: String,
        /// The name there.
        target: String,
    },
    /// The zone has the name.
    Zone {
        /// Key of the zone.
        zone: String,
    },
    /// The zone has the name, but nothing of the type asked for: the answer is empty.
    NothingOfThatKind {
        /// Key of the zone.
        zone: String,
    },
    /// The zone has the address, and the name for it.
    Reverse {
        /// Key of the zone.
        zone: String,
    },
    /// The name is below the zone's suffix, and nobody there has it.
    NobodyBelow {
        /// Key of the zone.
        zone: String,
    },
    /// The address is in one of the zone's subnets, and nobody there has it.
    NobodyAt {
        /// Key of the zone.
        zone: String,
    },
    /// A name of one label that no zone has: such names never go out.
    SingleLabel,
    /// What is asked for is not answered here, nor sent on: another class than the Internet's, or
    /// a whole zone.
    NotForwarded,
    /// Nobody here has the name, and there is nobody to ask.
    NoUpstreams,
    /// Too many questions of this sandbox wait already.
    Limited,
    /// An upstream said so a while ago.
    Cached {
        /// How long ago.
        age: Duration,
        /// How long it will be kept.
        left: Duration,
    },
    /// Upstreams were asked.
    Forwarded(Forwarding),
}

/// How upstreams were asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarding {
    /// Whom the sandbox can ask, in the order in which they were to be asked.
    pub order: Vec<Candidate>,
    /// Who was asked, in the order in which that began.
    pub attempts: Vec<Attempt>,
    /// The same question was under way: this is what became of that one.
    pub joined: bool,
}

/// An upstream, as it was known when a question was to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its address.
    pub address: SocketAddr,
    /// Asked from inside the sandbox; else from the daemon's namespace.
    pub from_sandbox: bool,
    /// Whether it has been answering.
    pub healthy: bool,
    /// How long it takes to answer, if it has.
    pub latency: Option<Duration>,
}

/// A question sent to an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Who was asked.
    pub upstream: SocketAddr,
    /// When, from the beginning.
    pub after: Duration,
    /// How long it took until the end of it.
    pub took: Duration,
    /// What came of it.
    pub end: End,
    /// Whether this is the answer that was taken.
    pub taken: bool,
}

/// What came of asking an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// An answer with this code.
    Said(u16),
    /// Nothing in time.
    Silence,
    /// It was not waited for any longer: another answer had been taken.
    Overtaken,
    /// It could not be reached, or sent what is no answer.
    Error(String),
}

/// Why there is no explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unexplained {
    /// The sandbox has no name service.
    NotServed,
    /// A label is empty or longer than 63 bytes, or the name longer than 255.
    NotAName,
}

/// Types that have a name of their own here; any other is `TYPE` and its number (RFC 3597).
const KINDS: [(&str, u16); 19] = [
    ("A", 1),
    ("NS", 2),
    ("CNAME", 5),
    ("SOA", 6),
    ("PTR", 12),
    ("MX", 15),
    ("TXT", 16),
    ("AAAA", 28),
    ("SRV", 33),
    ("NAPTR", 35),
    ("DS", 43),
    ("SSHFP", 44),
    ("RRSIG", 46),
    ("DNSKEY", 48),
    ("TLSA", 52),
    ("SVCB", 64),
    ("HTTPS", 65),
    ("ANY", 255),
    ("CAA", 257),
];

/// The type of this name, in any case, or of the form `TYPE65`.
pub fn kind_of(name: &str) -> Option<u16> {
    let known = KINDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let number = || {
        let (word, number) = name.split_at_checked(4)?;
        word.eq_ignore_ascii_case("TYPE").then(|| number.parse().ok())?
    };
    known.map(|(_, kind)| *kind).or_else(number)
}

/// What a type is called.
pub fn kind_name(kind: u16) -> String {
    let known = KINDS.iter().find(|(_, known)| *known == kind);
    known.map_or_else(|| format!("TYPE{kind}"), |(name, _)| (*name).to_owned())
}
