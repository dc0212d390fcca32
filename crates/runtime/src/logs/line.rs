//! One line of the log.
//!
//! In: its bytes with the line's end. Out: an entry. No I/O.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::LogEntry;
use crate::attach::Stream;

/// None for what is no line of a log.
pub(super) fn parse(line: &[u8]) -> Option<LogEntry> {
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let time = time(fields.next()?)?;
    let stream = match fields.next()? {
        b"stdout" => Stream::Stdout,
        b"stderr" => Stream::Stderr,
        _ => return None,
    };
    let tag = fields.next()?;
    let rest = fields.next()?;
    let data = match tag {
        b"P" => rest.strip_suffix(b"\n").unwrap_or(rest),
        b"F" => rest,
        _ => return None,
    };
    Some(LogEntry { stream, time, data: Bytes::copy_from_slice(data) })
}

/// RFC 3339 with up to nine digits of a second.
pub(super) fn time(text: &[u8]) -> Option<SystemTime> {
    let text = std::str::from_utf8(text).ok()?;
    let (date, rest) = text.split_once('T')?;
    let zone_at = rest.rfind(['Z', '+', '-'])?;
    let (clock, zone) = rest.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [year, month, day] = numbers(date, '-')?;
    let [hours, minutes, seconds] = numbers(clock, ':')?;
    let days = days(year, month, day)?;
    let local = days * 86_400 + hours * 3600 + minutes * 60 + seconds;
    let since_epoch = u64::try_from(local - offset(zone)?).ok()?;
    let nanoseconds: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(since_epoch, nanoseconds))
}

fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let numbers: Vec<i64> =
        text.split(separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// Seconds that a zone is ahead.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let [hours, minutes] = numbers(zone.get(1..)?, ':')?;
    Some(sign * (hours * 3600 + minutes * 60))
}

/// Days from 1970 to a day of the Gregorian calendar. A year is counted from March, so that the leap day is its last.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    Some(before + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_zone() {
        let unix = |text: &str| {
            time(text.as_bytes())?.duration_since(SystemTime::UNIX_EPOCH).ok().map(|d| d.as_nanos())
        };
        assert_eq!(unix("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix("2000-02-29T12:00:00.5+00:00"), Some(951_825_600_500_000_000));
        assert_eq!(unix("2026-11-21T02:00:00.000000001+02:00"), Some(1_795_219_200_000_000_001));
        assert_eq!(unix("2026-13-21T02:00:00Z"), None);
        assert_eq!(unix("yesterday"), None);
    }
}
