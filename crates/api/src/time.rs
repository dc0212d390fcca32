//! Points in time as the API writes and reads them.
//!
//! In: times of records, query parameters. Out: RFC 3339 with as many digits as needed, seconds,
//! and the rough durations that people read (`Up 5 minutes`).

use chrono::{DateTime, Utc};

use crate::error::{ApiError, Result};

/// What stands for "never".
pub const ZERO: &str = "0001-01-01T00:00:00Z";

/// RFC 3339 in UTC, fraction without trailing zeros.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    let text = time.format("%Y-%m-%dT%H:%M:%S").to_string();
    let nanos = format!("{:09}", time.timestamp_subsec_nanos().min(999_999_999));
    match nanos.trim_end_matches('0') {
        "" => format!("{text}Z"),
        fraction => format!("{text}.{fraction}Z"),
    }
}

/// The same, or "never".
pub fn rfc3339_or_zero(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| ZERO.to_owned(), rfc3339)
}

/// An RFC 3339 text in the form that the API writes; other text stays as it is.
pub fn in_utc(text: &str) -> String {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => rfc3339(time.to_utc()),
        Err(_) => text.to_owned(),
    }
}

/// Seconds since 1970 of an RFC 3339 text; 0 for what is missing or none.
pub fn seconds(text: Option<&str>) -> i64 {
    let time = text.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    time.map_or(0, |time| time.timestamp())
}

/// A point in time of a query, in nanoseconds since 1970: `seconds[.fraction]` or RFC 3339.
pub fn nanoseconds(key: &str, text: &str) -> Result<i64> {
    let bad = || ApiError::bad_request(format!("invalid value for {key:?}: {text:?}"));
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return time.timestamp_nanos_opt().ok_or_else(bad);
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit());
    let seconds: i64 = seconds.parse().map_err(|_| bad())?;
    if !digits {
        return Err(bad());
    }
    let nanos: i64 = format!("{fraction:0<9}").parse().map_err(|_| bad())?;
    seconds.checked_mul(1_000_000_000).and_then(|s| s.checked_add(nanos)).ok_or_else(bad)
}

/// How long something lasts, in the words of `docker ps`.
pub fn rough(seconds: i64) -> String {
    let hours = (seconds + 1_800) / 3_600;
    match seconds {
        ..1 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        60..120 => "About a minute".to_owned(),
        120..3_600 => format!("{} minutes", seconds / 60),
        _ => match hours {
            ..2 => "About an hour".to_owned(),
            2..48 => format!("{hours} hours"),
            48..336 => format!("{} days", hours / 24),
            336..1_440 => format!("{} weeks", hours / 168),
            1_440..17_520 => format!("{} months", hours / 720),
            _ => format!("{} years", seconds / 31_536_000),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_have_no_trailing_zeros() {
        let at = |nanos| rfc3339(DateTime::from_timestamp(1_700_000_000, nanos).unwrap());
        assert_eq!(at(0), "2023-11-14T22:13:20Z");
        assert_eq!(at(120_000_000), "2023-11-14T22:13:20.12Z");
        assert_eq!(at(1), "2023-11-14T22:13:20.000000001Z");
        assert_eq!(rfc3339_or_zero(None), ZERO);
        assert_eq!(in_utc("2023-11-14T23:13:20.50+01:00"), "2023-11-14T22:13:20.5Z");
    }

    #[test]
    fn times_of_queries_are_read() {
        assert_eq!(nanoseconds("since", "1700000000").unwrap(), 1_700_000_000_000_000_000);
        assert_eq!(nanoseconds("since", "1.5").unwrap(), 1_500_000_000);
        assert_eq!(nanoseconds("since", "1.000000001").unwrap(), 1_000_000_001);
        assert_eq!(nanoseconds("since", "1970-01-01T00:00:02Z").unwrap(), 2_000_000_000);
        for bad in ["x", "1.x", "1.0000000001", "", "99999999999999999999"] {
            assert_eq!(nanoseconds("since", bad).unwrap_err().status(), 400, "{bad}");
        }
    }

    #[test]
    fn durations_are_rough() {
        for (seconds, words) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (150, "2 minutes"),
            (3_600, "About an hour"),
            (5_400, "2 hours"),
            (86_400 * 3, "3 days"),
            (86_400 * 15, "2 weeks"),
            (86_400 * 90, "3 months"),
            (86_400 * 365 * 2, "2 years"),
        ] {
            assert_eq!(rough(seconds), words);
        }
    }
}
