//! An upstream's answer, as much of it as we must understand: whether it is one, for how long it
//! may be kept, and for people its records.
//!
//! In: packets that may hold anything. Out: judgements and positions. Pointers are followed to
//! show names to people, nowhere else, and only backwards.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::{
    A, AAAA, ANY, CNAME, Code, HEADER, Header, MAX_NAME, NS, OPT, PTR, Query, RESPONSE, SIG, SOA,
    TRUNCATED, TSIG, number, skip_name,
};
use crate::explanation::Answer;

/// What a packet from an upstream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not the answer to this question: as if it had not come.
    Other,
    /// The upstream says that it cannot or will not answer, or what it says is malformed.
    Failure,
    /// An answer; that there is no such name is one.
    Good,
}

/// Judges what came from an upstream that was asked `query` under this id.
pub(crate) fn judge(packet: &[u8], id: u16, query: &Query) -> Verdict {
    let Some(header) = Header::parse(packet) else { return Verdict::Other };
    if header.id != id || header.flags & RESPONSE == 0 {
        return Verdict::Other;
    }
    let failed = [Code::FormErr, Code::ServFail, Code::NotImp, Code::Refused];
    let failed = failed.into_iter().any(|code| header.code() == code as u16);
    let question = packet.get(HEADER..HEADER + query.question.len());
    let same = question.is_some_and(|question| question.eq_ignore_ascii_case(&query.question));
    match number(packet, 4) {
        Some(1) if same => {}
        // Some leave the question out of a refusal.
        Some(0) if failed => return Verdict::Failure,
        _ => return Verdict::Other,
    }
    let whole = || records(packet).is_some();
    // A format error is about the client's packet; no other upstream will like it better.
    match failed && header.code() != Code::FormErr as u16 {
        true => Verdict::Failure,
        // What does not fit may be cut off anywhere.
        false if header.flags & TRUNCATED != 0 || whole() => Verdict::Good,
        false => Verdict::Failure,
    }
}

/// Whether it says that there is nothing of the kind asked for.
pub(crate) fn is_negative(packet: &[u8]) -> bool {
    number(packet, 6) == Some(0)
}

/// How long an answer may be kept, and where its times are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    /// In seconds, at least one.
    pub seconds: u32,
    /// Positions of the times in the packet.
    pub times: Box<[u16]>,
}

/// For how long a good answer may be kept; `None`: not at all.
pub(crate) fn lifetime(packet: &[u8], query: &Query) -> Option<Lifetime> {
    let header = Header::parse(packet)?;
    let exists = header.code() == Code::NoError as u16;
    if header.flags & TRUNCATED != 0 || !(exists || header.code() == Code::NxDomain as u16) {
        return None;
    }
    let records = records(packet)?;
    let end = records.last().map_or(HEADER + query.question.len(), |last| last.data.end);
    // Signed for one transaction, or something behind that is not understood.
    if end != packet.len() || records.iter().any(|r| matches!(r.kind, TSIG | SIG)) {
        return None;
    }
    let kind = |r: &&Record| r.kind == query.kind || query.kind == ANY;
    let positive = exists && records.iter().filter(|r| r.section == 0).any(|r| kind(&r));
    let timed = || records.iter().filter(|record| record.kind != OPT);
    let mut seconds = timed().map(|record| record.ttl).min()?;
    if !positive {
        // RFC 2308: without an SOA nobody knows how long it will be so.
        let soa = records.iter().find(|r| r.section == 1 && r.kind == SOA)?;
        let last = packet.get(soa.data.clone())?.last_chunk::<4>()?;
        seconds = seconds.min(u32::from_be_bytes(*last));
    }
    // RFC 2181 8: a time with the highest bit set is 0.
    let seconds = seconds.min(if seconds >> 31 == 0 { u32::MAX } else { 0 });
    let times = timed().map(|record| u16::try_from(record.ttl_at).ok());
    Some(Lifetime { seconds, times: times.collect::<Option<_>>()? }).filter(|l| l.seconds > 0)
}

/// A record; nothing of its data is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    /// 0 are the answers, 1 who is responsible, 2 what else may help.
    section: usize,
    name_at: usize,
    kind: u16,
    ttl_at: usize,
    ttl: u32,
    data: Range<usize>,
}

/// The records of a packet with one question; `None` if it is malformed.
fn records(packet: &[u8]) -> Option<Vec<Record>> {
    let mut at = match number(packet, 4)? {
        0 => HEADER,
        1 => skip_name(packet, HEADER)? + 4,
        _ => return None,
    };
    let mut found = Vec::new();
    for (section, count) in [6, 8, 10].into_iter().enumerate() {
        for _ in 0..number(packet, count)? {
            let name_at = at;
            at = skip_name(packet, at)?;
            let ttl_at = at + 4;
            let ttl = u32::from_be_bytes(*packet.get(ttl_at..)?.first_chunk()?);
            let data = at + 10..at + 10 + usize::from(number(packet, at + 8)?);
            packet.get(data.clone())?;
            let kind = number(packet, at)?;
            at = data.end;
            found.push(Record { section, name_at, kind, ttl_at, ttl, data });
        }
    }
    Some(found)
}

/// The records of the answer, for people; what can't be read is left out.
pub(crate) fn answers(packet: &[u8]) -> Vec<Answer> {
    let all = records(packet).unwrap_or_default().into_iter();
    let answer = |record: Record| {
        Some(Answer {
            name: name(packet, record.name_at)?,
            kind: record.kind,
            ttl: record.ttl,
            data: text(packet, &record)?,
        })
    };
    all.filter(|record| record.section == 0).filter_map(answer).collect()
}

fn text(packet: &[u8], record: &Record) -> Option<String> {
    let data = packet.get(record.data.clone())?;
    match record.kind {
        A => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string()),
        AAAA => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string()),
        NS | CNAME | PTR => name(packet, record.data.start),
        _ => {
            let mut text = format!("\\# {} ", data.len());
            for byte in data {
                // Writing to a String does not fail.
                let _ = write!(text, "{byte:02x}");
            }
            Some(text.trim_end().to_owned())
        }
    }
}

/// The name at a place, with a final dot. A pointer leads backwards, so that it ends.
fn name(packet: &[u8], mut at: usize) -> Option<String> {
    let mut text = String::new();
    let mut before = at;
    loop {
        match usize::from(*packet.get(at)?) {
            0 if text.is_empty() => return Some(".".to_owned()),
            0 => return Some(text),
            length @ 1..=63 => {
                let label = packet.get(at + 1..at + 1 + length)?;
                text += &String::from_utf8_lossy(label).replace('.', "\\.");
                text.push('.');
                at += 1 + length;
            }
            0xc0.. => {
                let target = usize::from(number(packet, at)? & 0x3fff);
                if target >= before {
                    return None;
                }
                (at, before) = (target, target);
            }
            _ => return None,
        }
        if text.len() > 4 * MAX_NAME {
            return None;
        }
    }
}
