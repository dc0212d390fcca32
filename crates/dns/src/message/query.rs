//! A query: what a client asks.
//!
//! In: a packet that may hold anything. Out: its one question, or how to refuse it. Nothing in it
//! is followed or allocated beyond the packet's own length.

use std::net::IpAddr;
use std::ops::Range;

use super::{
    CLASSIC, Code, EDNS_PAYLOAD, HEADER, Header, MAX_NAME, OPCODE, OPT, RESPONSE, Reply, number,
};

/// A query with one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(super) header: Header,
    /// The question as it stands in the packet.
    pub(super) question: Vec<u8>,
    /// The name in lower case without a final dot; `None` if it cannot be one of ours (a label
    /// holds a dot, or is not text).
    pub name: Option<String>,
    /// How many labels the name has; 0 is the root.
    pub labels: usize,
    /// Record type asked for.
    pub kind: u16,
    /// Class asked for.
    pub class: u16,
    pub(super) edns: Option<Edns>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edns {
    payload: u16,
    version: u8,
}

/// Why a packet is no query of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// Say nothing: too short for a header, or a response (answering those makes loops).
    Silent,
    /// Send this refusal.
    Refuse(Vec<u8>),
}

impl Query {
    /// Reads a packet.
    pub(crate) fn parse(packet: &[u8]) -> Result<Self, Unusable> {
        let header = Header::parse(packet).ok_or(Unusable::Silent)?;
        if header.flags & RESPONSE != 0 {
            return Err(Unusable::Silent);
        }
        let refuse = |code| Unusable::Refuse(header.reply(code).to_vec());
        if header.flags & OPCODE != 0 {
            return Err(refuse(Code::NotImp));
        }
        if number(packet, 4) != Some(1) {
            return Err(refuse(Code::FormErr));
        }
        let query = Self::parse_question(packet, header).ok_or_else(|| refuse(Code::FormErr))?;
        match query.edns {
            Some(edns) if edns.version > 0 => Err(Unusable::Refuse(query.reply(Code::BadVers))),
            _ => Ok(query),
        }
    }

    fn parse_question(packet: &[u8], header: Header) -> Option<Self> {
        let mut name = Vec::new();
        let mut labels = 0;
        let mut plain = true;
        let mut at = HEADER;
        while let Some(label) = label(packet, at)? {
            at = label.end;
            let label = packet.get(label)?;
            plain &= !label.contains(&b'.');
            if labels > 0 {
                name.push(b'.');
            }
            name.extend(label.to_ascii_lowercase());
            labels += 1;
            if name.len() > MAX_NAME {
                return None;
            }
        }
        let end = at + 5;
        let name = String::from_utf8(name).ok().filter(|_| plain);
        let (kind, class) = (number(packet, at + 1)?, number(packet, at + 3)?);
        let question = packet.get(HEADER..end)?.to_vec();
        let edns = find_edns(packet, end)?;
        Some(Self { header, question, name, labels, kind, class, edns })
    }

    /// The whole reply without records.
    pub(crate) fn reply(&self, code: Code) -> Vec<u8> {
        Reply::new(self, code, usize::MAX).finish()
    }

    /// Most bytes that a reply over UDP may have.
    pub(crate) fn udp_limit(&self) -> usize {
        let payload = self.edns.map_or(0, |edns| edns.payload.min(EDNS_PAYLOAD));
        usize::from(payload).max(CLASSIC)
    }

    /// The address that a reverse question is about.
    pub(crate) fn reverse_address(&self) -> Option<IpAddr> {
        let name = self.name.as_deref()?;
        if let Some(octets) = name.strip_suffix(".in-addr.arpa") {
            let mut address = [0u8; 4];
            let mut parts = octets.split('.');
            for octet in address.iter_mut().rev() {
                *octet = parts.next()?.parse().ok()?;
            }
            return parts.next().is_none().then(|| address.into());
        }
        let mut address = 0u128;
        let mut parts = name.strip_suffix(".ip6.arpa")?.split('.');
        for place in 0..32 {
            let digit = parts.next().filter(|digit| digit.len() == 1)?;
            address |= u128::from(u8::from_str_radix(digit, 16).ok()?) << (4 * place);
        }
        parts.next().is_none().then(|| address.to_be_bytes().into())
    }
}

/// Where the label at `at` is; `Some(None)` at the end of the name, `None` if malformed (a
/// question has nothing before it that a pointer could point to).
fn label(packet: &[u8], at: usize) -> Option<Option<Range<usize>>> {
    match usize::from(*packet.get(at)?) {
        0 => Some(None),
        length @ 1..=63 => Some(Some(at + 1..at + 1 + length)),
        _ => None,
    }
}

/// The EDNS record behind the question: `None` if malformed, `Some(None)` if there is none.
fn find_edns(packet: &[u8], mut at: usize) -> Option<Option<Edns>> {
    let records = [6, 8, 10].map(|at| usize::from(number(packet, at).unwrap_or_default()));
    let mut found = None;
    for _ in 0..records.iter().sum() {
        let named_root = *packet.get(at)? == 0;
        at = skip_name(packet, at)?;
        let (kind, class) = (number(packet, at)?, number(packet, at + 2)?);
        let version = *packet.get(at + 5)?;
        let length = usize::from(number(packet, at + 8)?);
        at += 10 + length;
        packet.get(..at)?;
        if kind == OPT {
            if found.is_some() || !named_root {
                return None;
            }
            found = Some(Edns { payload: class, version });
        }
    }
    Some(found)
}

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
