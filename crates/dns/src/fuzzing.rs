//! What is fuzzed: functions that take bytes of anybody and must not panic, hang or break a law.
//!
//! In: bytes. Out: nothing; a broken law panics. The targets in `fuzz/` call these, and a test runs
//! them over the corpus that is kept there.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::answer::{Decision, Sight, decide};
use crate::cache::Cache;
use crate::message::{Query, Unusable, Verdict, answers, code, judge, lifetime, readdress};
use crate::stream::Frames;
use crate::turns::Turns;
use crate::{Alias, Names, View, Zone};

/// The names that the fuzzed packets may ask for.
static ZONES: LazyLock<HashMap<String, Zone>> = LazyLock::new(zones);

fn zones() -> HashMap<String, Zone> {
    let mut zone = Zone::below("net");
    if let Ok(subnet) = "10.0.0.0/16".parse() {
        zone.cover(subnet);
    }
    let names = |names: &[&str], addresses| Names {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        addresses,
        reverse: Some("c1.net".to_owned()),
    };
    let many = (1..=60).map(|last| IpAddr::from([10, 0, 0, last])).collect();
    zone.set("c1", names(&["many", "c1.net"], many));
    zone.set("c2", names(&["many"], vec![IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 1])]));
    [("net".to_owned(), zone)].into()
}

/// A packet of a client: whatever it is, the reply to it is one.
pub fn packet(bytes: &[u8]) {
    let alias =
        Alias { name: "link".to_owned(), zone: "net".to_owned(), target: "many".to_owned() };
    let view = View { aliases: vec![alias], zones: vec!["net".to_owned()] };
    let query = match Query::parse(bytes) {
        Err(Unusable::Silent) => return,
        Err(Unusable::Refuse(reply)) => return assert_reply(&reply, bytes),
        Ok(query) => query,
    };
    assert_eq!(query.key(bytes, false).len(), bytes.len());
    assert_reply(&query.truncated(), bytes);
    let limit = query.udp_limit();
    let sight = Sight { view: &view, zones: &ZONES };
    if let Decision::Reply(reply, _) = decide(&query, sight, &Turns::default(), limit) {
        assert_reply(&reply, bytes);
        assert!(reply.len() <= limit, "{} bytes for {limit}", reply.len());
        let id = u16::from_be_bytes([bytes[0], bytes[1]]);
        assert_ne!(judge(&reply, id, &query), Verdict::Other, "not the answer to the question");
    }
}

fn assert_reply(reply: &[u8], query: &[u8]) {
    assert_eq!(reply.get(..2), query.get(..2), "the id");
    assert!(reply[2] & 0x80 != 0, "a reply is a response");
}

/// Bytes of a TCP client: however they are cut into pieces, the messages are the same. The first
/// byte says how.
pub fn frames(bytes: &[u8]) {
    let Some((size, bytes)) = bytes.split_first() else { return };
    let whole = split(&[bytes]);
    let pieces: Vec<_> = bytes.chunks(usize::from(*size).max(1)).collect();
    assert_eq!(split(&pieces), whole);
    let mut rest = bytes;
    for message in whole.0 {
        let (length, behind) = rest.split_at(2);
        assert_eq!(usize::from(length[0]) << 8 | usize::from(length[1]), message.len());
        rest = &behind[message.len()..];
    }
}

/// The messages, and whether it ended with one that is too long.
fn split(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
    let mut frames = Frames::default();
    let mut found = Vec::new();
    for piece in pieces {
        if frames.push(piece, |message| found.push(message.to_vec())).is_err() {
            return (found, true);
        }
    }
    (found, false)
}

/// What an upstream sends: the first ten bytes are header, without the id, the rest follows the
/// question. What is kept of it is handed out older, but else the same.
pub fn response(bytes: &[u8]) {
    let Some(asked) = crate::message::question(7, "A.example", 1) else { return };
    let Ok(query) = Query::parse(&asked) else { return };
    judge(bytes, 7, &query);
    let Some((header, rest)) = bytes.split_at_checked(10) else { return };
    let question = asked.get(12..).unwrap_or_default();
    let mut answer = [&[0, 7], header, question, rest].concat();
    let verdict = judge(&answer, 7, &query);
    assert_eq!(verdict, judge(&answer, 7, &query));
    answers(&answer);
    code(&answer);
    readdress(&mut answer, &query);
    let lasts = lifetime(&answer, &query);
    let (mut cache, now) = (Cache::default(), Instant::now());
    let key = query.key(&asked, false);
    cache.keep(key.clone(), &query, &answer, now);
    let Some(lasts) = lasts.filter(|_| answer.len() <= 4096) else {
        return assert_eq!(cache.find(&key, now), None);
    };
    assert_eq!(cache.find(&key, now + Duration::from_secs(lasts.seconds.into())), None);
    let later = cache.find(&key, now + Duration::from_millis(999)).map(|kept| kept.answer);
    let later = later.unwrap_or_default();
    assert_eq!(later.len(), answer.len());
    assert_eq!(later.get(4..), answer.get(4..), "not a second older");
    assert_eq!(lifetime(&later, &query), Some(lasts));
}
