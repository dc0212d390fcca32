//! The wire format (RFC 1035, EDNS: RFC 6891), as much of it as we speak.
//!
//! In: packets that may hold anything. Out: the one [`Query`] in a packet, or how to refuse it;
//! replies of ours. Answers of upstreams are not read beyond their question (`matches`).

mod query;
mod reply;

pub(crate) use query::{Query, Unusable};
pub(crate) use reply::Reply;

/// Record types.
pub(crate) const A: u16 = 1;
pub(crate) const PTR: u16 = 12;
pub(crate) const AAAA: u16 = 28;
const OPT: u16 = 41;
pub(crate) const ANY: u16 = 255;
/// The Internet class.
pub(crate) const IN: u16 = 1;

const HEADER: usize = 12;
const MAX_NAME: usize = 255;
/// What a client without EDNS takes over UDP.
const CLASSIC: usize = 512;
/// What we announce and send at most over UDP: fits every path without fragments.
const EDNS_PAYLOAD: u16 = 1232;
const TTL: u32 = 5;

const RESPONSE: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const TRUNCATED: u16 = 0x0200;
const RECURSION_DESIRED: u16 = 0x0100;
const RECURSION_AVAILABLE: u16 = 0x0080;

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

    /// The header of a reply without a question.
    fn reply(self, code: Code) -> [u8; HEADER] {
        let kept = self.flags & (OPCODE | RECURSION_DESIRED);
        let flags = RESPONSE | RECURSION_AVAILABLE | kept | (code as u16 & 0xf);
        let [a, b] = self.id.to_be_bytes();
        let [c, d] = flags.to_be_bytes();
        [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0]
    }
}

/// The same packet under another id.
pub(crate) fn with_id(packet: &[u8], id: u16) -> Vec<u8> {
    let mut packet = packet.to_vec();
    put(&mut packet, 0, id);
    packet
}

/// The packet's id.
pub(crate) fn id(packet: &[u8]) -> u16 {
    number(packet, 0).unwrap_or_default()
}

/// Whether `response` answers exactly what was asked under this id.
pub(crate) fn matches(response: &[u8], id: u16, query: &Query) -> bool {
    let end = HEADER + query.question.len();
    let question = response.get(HEADER..end);
    Header::parse(response).is_some_and(|h| h.id == id && h.flags & RESPONSE != 0)
        && number(response, 4) == Some(1)
        && question.is_some_and(|question| question.eq_ignore_ascii_case(&query.question))
}

/// Whether an upstream says that it cannot or will not answer: another may.
pub(crate) fn is_failure(response: &[u8]) -> bool {
    let code = number(response, 2).unwrap_or_default() & 0xf;
    code == Code::ServFail as u16 || code == Code::Refused as u16 || code == Code::NotImp as u16
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
