//! A query: what a client asks.
//!
//! In: a packet that may hold anything. Out: its one question, or how to refuse it. Nothing in it
//! is followed or allocated beyond the packet's own length.

use std::ops::Range;

use super::{
    CLASSIC, Code, DNSSEC_OK, EDNS_PAYLOAD, HEADER, Header, IN, MAX_NAME, OPCODE, OPT,
    RECURSION_DESIRED, RESPONSE, Reply, number, skip_name,
};

/// A query with one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(super) header: Header,
    /// The question as it stands in the packet.
    pub(super) question: Vec<u8>,
    /// The name in lower case without a final dot. What can't be in a name of ours (a dot within
    /// a label, bytes that are no text) is replaced by what is in none.
    pub name: String,
    /// How many labels the name has; 0 is the root.
    pub labels: usize,
    /// Record type asked for.
    pub kind: u16,
    /// Class asked for.
    pub class: u16,
    pub(super) edns: Option<Edns>,
    /// Whether nothing but the question and EDNS without options is in the packet.
    pub plain: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edns {
    payload: u16,
    version: u8,
    /// The client wants DNSSEC's records; the answer says so again (RFC 3225).
    pub(super) dnssec: bool,
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

    /// A packet that is longer than what is read.
    pub(crate) fn too_long(packet: &[u8]) -> Result<Self, Unusable> {
        let header = Header::parse(packet).filter(|header| header.flags & RESPONSE == 0);
        let header = header.ok_or(Unusable::Silent)?;
        Err(Unusable::Refuse(header.reply(Code::FormErr).to_vec()))
    }

    fn parse_question(packet: &[u8], header: Header) -> Option<Self> {
        let mut name = Vec::with_capacity(64);
        let mut labels = 0;
        let mut at = HEADER;
        while let Some(label) = label(packet, at)? {
            at = label.end;
            if labels > 0 {
                name.push(b'.');
            }
            name.extend(packet.get(label)?.iter().map(|byte| match byte {
                b'.' => 0,
                byte => byte.to_ascii_lowercase(),
            }));
            labels += 1;
            if name.len() > MAX_NAME - 2 {
                return None;
            }
        }
        let name = String::from_utf8(name).unwrap_or_else(|error| {
            let text = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '\0' };
            error.as_bytes().iter().map(text).collect()
        });
        let (kind, class) = (number(packet, at + 1)?, number(packet, at + 3)?);
        let end = at + 5;
        let question = packet.get(HEADER..end)?.to_vec();
        let (edns, plain) = find_edns(packet, end)?;
        Some(Self { header, question, name, labels, kind, class, edns, plain })
    }

    /// The whole reply without records.
    pub(crate) fn reply(&self, code: Code) -> Vec<u8> {
        Reply::new(self, code, usize::MAX).finish()
    }

    /// The reply that says: come over TCP.
    pub(crate) fn truncated(&self) -> Vec<u8> {
        Reply::truncated(self).finish()
    }

    /// What the same questions have in common, whoever asks: all of the packet but its id and the
    /// case of the name.
    pub(crate) fn key(&self, packet: &[u8], over_tcp: bool) -> Box<[u8]> {
        let mut key = packet.to_vec();
        // In place of the id.
        if let Some([first, second]) = key.first_chunk_mut() {
            (*first, *second) = (over_tcp.into(), 0);
        }
        // Lengths of labels are below all letters.
        let name = HEADER..HEADER + self.question.len().saturating_sub(4);
        key.get_mut(name).unwrap_or_default().make_ascii_lowercase();
        key.into()
    }

    /// Most bytes that a reply over UDP may have.
    pub(crate) fn udp_limit(&self) -> usize {
        let payload = self.edns.map_or(0, |edns| edns.payload.min(EDNS_PAYLOAD));
        usize::from(payload).max(CLASSIC)
    }

    /// Most bytes that the client takes over UDP, whoever the answer is from.
    pub(crate) fn client_limit(&self) -> usize {
        usize::from(self.edns.map_or(0, |edns| edns.payload)).max(CLASSIC)
    }

    /// Where the last `length` bytes of the name's text begin in a packet.
    pub(crate) fn suffix_at(&self, length: usize) -> usize {
        // The text and the wire's form differ by two bytes; then come type and class.
        (HEADER + self.question.len()).saturating_sub(4 + length + 2)
    }
}

/// A packet that asks for a name (with or without a final dot) as clients do: recursion desired,
/// without EDNS. `None` if it is no name.
pub(crate) fn question(id: u16, name: &str, kind: u16) -> Option<Vec<u8>> {
    let mut packet = Header { id, flags: RECURSION_DESIRED }.bytes(1).to_vec();
    let name = name.strip_suffix('.').unwrap_or(name);
    for label in name.split('.').filter(|_| !name.is_empty()).map(str::as_bytes) {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        packet.push(length);
        packet.extend(label);
    }
    packet.push(0);
    if packet.len() - HEADER > MAX_NAME {
        return None;
    }
    packet.extend(kind.to_be_bytes());
    packet.extend(IN.to_be_bytes());
    Some(packet)
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

/// The EDNS record behind the question, and whether there is nothing else: `None` if malformed.
fn find_edns(packet: &[u8], mut at: usize) -> Option<(Option<Edns>, bool)> {
    let records = [6, 8, 10].map(|at| usize::from(number(packet, at).unwrap_or_default()));
    let mut found = None;
    let mut plain = true;
    for _ in 0..records.iter().sum() {
        let named_root = *packet.get(at)? == 0;
        at = skip_name(packet, at)?;
        let (kind, class) = (number(packet, at)?, number(packet, at + 2)?);
        let (version, flags) = (*packet.get(at + 5)?, number(packet, at + 6)?);
        let length = usize::from(number(packet, at + 8)?);
        at += 10 + length;
        packet.get(..at)?;
        plain &= kind == OPT && length == 0;
        if kind == OPT {
            if found.is_some() || !named_root {
                return None;
            }
            found = Some(Edns { payload: class, version, dnssec: flags & DNSSEC_OK != 0 });
        }
    }
    Some((found, plain && at == packet.len()))
}
