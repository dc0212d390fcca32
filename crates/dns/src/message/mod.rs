//! The wire format (RFC 1035, EDNS: RFC 6891), as much of it as we speak.
//!
//! In: packets that may hold anything. Out: the one [`Query`] in a packet, or how to refuse it;
//! replies of ours; of an upstream's answer whether it is one, and how long it may be kept.

mod query;
mod reply;
mod response;
mod reverse;

pub(crate) use query::{Query, Unusable, question};
pub(crate) use reply::Reply;
pub(crate) use response::{Verdict, answers, is_negative, judge, lifetime};
pub(crate) use reverse::Reverse;

/// Record types.
pub(crate) const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const SOA: u16 = 6;
pub(crate) const PTR: u16 = 12;
pub(crate) const AAAA: u16 = 28;
const OPT: u16 = 41;
/// Signatures of a transaction.
const SIG: u16 = 24;
const TSIG: u16 = 250;
/// Whole zones, and their changes.
pub(crate) const IXFR: u16 = 251;
pub(crate) const AXFR: u16 = 252;
pub(crate) const ANY: u16 = 255;
/// The Internet class.
pub(crate) const IN: u16 = 1;

const HEADER: usize = 12;
const MAX_NAME: usize = 255;
/// What a client without EDNS takes over UDP.
const CLASSIC: usize = 512;
/// What we announce and send at most over UDP: fits every path without fragments.
const EDNS_PAYLOAD: u16 = 1232;
/// How long an answer of ours may be kept, one that says no as well.
const TTL: u32 = 5;

const RESPONSE: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATED: u16 = 0x0200;
const RECURSION_DESIRED: u16 = 0x0100;
const RECURSION_AVAILABLE: u16 = 0x0080;
const CHECKING_DISABLED: u16 = 0x0010;
const CODE: u16 = 0x000f;
/// In the flags of EDNS.
const DNSSEC_OK: u16 = 0x8000;

/// How a query ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    NoError = 0,
    FormErr = 1,
    ServFail = 2,
    NxDomain = 3,
    NotImp = 4,
    Refused = 5,
    BadVers = 16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    id: u16,
    flags: u16,
}

impl Header {
    fn parse(packet: &[u8]) -> Option<Self> {
        packet.get(..HEADER)?;
        Some(Self { id: number(packet, 0)?, flags: number(packet, 2)? })
    }

    fn code(self) -> u16 {
        self.flags & CODE
    }

    /// The header of a reply without a question.
    fn reply(self, code: Code) -> [u8; HEADER] {
        let kept = self.flags & (OPCODE | RECURSION_DESIRED | CHECKING_DISABLED);
        let flags = RESPONSE | RECURSION_AVAILABLE | kept | (code as u16 & CODE);
        Self { id: self.id, flags }.bytes(0)
    }

    /// As it is sent, with so many questions and no records.
    fn bytes(self, questions: u8) -> [u8; HEADER] {
        let [a, b] = self.id.to_be_bytes();
        let [c, d] = self.flags.to_be_bytes();
        [a, b, c, d, 0, questions, 0, 0, 0, 0, 0, 0]
    }
}

/// The same packet under another id.
pub(crate) fn with_id(packet: &[u8], id: u16) -> Vec<u8> {
    let mut packet = packet.to_vec();
    put(&mut packet, 0, id);
    packet
}

/// Makes somebody's answer the answer to this query, which asks the same: its id, and the name as
/// it is written there.
pub(crate) fn readdress(answer: &mut [u8], query: &Query) {
    put(answer, 0, query.header.id);
    if number(answer, 4) == Some(1)
        && let Some(place) = answer.get_mut(HEADER..HEADER + query.question.len())
    {
        place.copy_from_slice(&query.question);
    }
}

/// Says that an answer is from memory, `age` seconds old, whose times are at these positions.
pub(crate) fn grow_old(answer: &mut [u8], times: &[u16], age: u32) {
    let flags = number(answer, 2).unwrap_or_default();
    put(answer, 2, flags & !AUTHORITATIVE);
    for at in times {
        let place = answer.get_mut(usize::from(*at)..).and_then(|rest| rest.first_chunk_mut());
        if let Some(place) = place {
            *place = u32::from_be_bytes(*place).saturating_sub(age).to_be_bytes();
        }
    }
}

/// What an answer says: its code, without the part that EDNS may add.
pub(crate) fn code(answer: &[u8]) -> u16 {
    number(answer, 2).unwrap_or_default() & CODE
}

/// Whether an answer says that there is more of it.
pub(crate) fn is_truncated(answer: &[u8]) -> bool {
    number(answer, 2).unwrap_or_default() & TRUNCATED != 0
}

/// Where the name at `at` ends; it is not followed.
fn skip_name(packet: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *packet.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            0xc0.. => return Some(at + 2),
            _ => return None,
        }
    }
}

fn number(packet: &[u8], at: usize) -> Option<u16> {
    let bytes = packet.get(at..at + 2)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

fn put(packet: &mut [u8], at: usize, number: u16) {
    if let Some(place) = packet.get_mut(at..at + 2) {
        place.copy_from_slice(&number.to_be_bytes());
    }
}
