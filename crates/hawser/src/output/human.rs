//! Times and sizes for people, in docker's words.

use chrono::{DateTime, FixedOffset, Local, Utc};

/// A span of time, such as `2 seconds` or `About an hour`.
pub fn duration(seconds: i64) -> String {
    let minutes = seconds / 60;
    // Hours are rounded, everything else is cut.
    let hours = (seconds + 1800) / 3600;
    match () {
        () if seconds < 1 => "Less than a second".to_owned(),
        () if seconds == 1 => "1 second".to_owned(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        () if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", seconds / (3600 * 24 * 365)),
    }
}

/// How long ago the moment `unix` (seconds) was.
pub fn ago(unix: i64) -> String {
    format!("{} ago", duration(Utc::now().timestamp() - unix))
}

/// A size in powers of 1000 with so many significant digits, such as `1.98MB`.
pub fn size(bytes: i64, digits: usize) -> String {
    scaled(bytes, 1000.0, digits, &["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"])
}

/// A size in powers of 1024, such as `23.54GiB`.
pub fn binary_size(bytes: i64) -> String {
    scaled(bytes, 1024.0, 4, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"])
}

fn scaled(bytes: i64, base: f64, digits: usize, units: &[&str]) -> String {
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    format!("{}{}", significant(value, digits), units[unit])
}

/// C's `%.<digits>g`.
fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let written = format!("{value:.*e}", digits.saturating_sub(1));
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    let wanted = i32::try_from(digits).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= wanted {
        return format!(
            "{}e{}{:02}",
            trim(mantissa),
            if exponent < 0 { '-' } else { '+' },
            exponent.abs()
        );
    }
    let decimals = usize::try_from(wanted - 1 - exponent).unwrap_or(0);
    trim(&format!("{value:.decimals$}"))
}

/// A moment as Go prints it, in the zone of this machine.
pub fn local_time(unix: i64) -> String {
    match DateTime::from_timestamp(unix, 0) {
        Some(time) => go_time(&time.with_timezone(&Local).fixed_offset()),
        None => unix.to_string(),
    }
}

/// A time of RFC 3339 as Go prints it, in the zone it is written in.
pub fn rewritten_time(time: &str) -> String {
    DateTime::parse_from_rfc3339(time).map_or_else(|_| time.to_owned(), |time| go_time(&time))
}

fn go_time(time: &DateTime<FixedOffset>) -> String {
    let fraction = time.format("%.9f").to_string();
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    let zone = match time.offset().local_minus_utc() {
        0 => "UTC".to_owned(),
        _ => time.format("%z").to_string(),
    };
    format!("{}{fraction} {} {zone}", time.format("%Y-%m-%d %H:%M:%S"), time.format("%z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let hour = 3600;
        for (seconds, said) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (125, "2 minutes"),
            (45 * 60, "45 minutes"),
            (hour, "About an hour"),
            (hour + 1900, "2 hours"),
            (48 * hour, "2 days"),
            (15 * 24 * hour, "2 weeks"),
            (70 * 24 * hour, "2 months"),
            (800 * 24 * hour, "2 years"),
        ] {
            assert_eq!(duration(seconds), said, "{seconds}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size(0, 3), "0B");
        assert_eq!(size(999, 3), "999B");
        assert_eq!(size(1000, 3), "1kB");
        assert_eq!(size(1_984_312, 3), "1.98MB");
        assert_eq!(size(1_984_312, 4), "1.984MB");
        assert_eq!(size(123_456_789, 3), "123MB");
        assert_eq!(size(999_999, 3), "1e+03kB");
        assert_eq!(binary_size(25_276_502_016), "23.54GiB");
    }

    #[test]
    fn times() {
        assert_eq!(
            rewritten_time("2026-11-21T02:30:08.867019480Z"),
            "2026-11-21 02:30:08.86701948 +0000 UTC"
        );
        assert_eq!(rewritten_time("2026-11-21T02:30:08Z"), "2026-11-21 02:30:08 +0000 UTC");
    }
}
