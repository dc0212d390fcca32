//! Sizes, CPUs, durations and moments.

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, TimeZone, Utc};

use super::Invalid;

/// A size in bytes, such as `512m` or `1.5GiB`; units are powers of 1024.
pub fn bytes(text: &str) -> Result<i64, Invalid> {
    let invalid = || Invalid::new(format!("invalid size: '{text}'"));
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.').ok_or_else(invalid)? + 1;
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let shift = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit) {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        "p" => 50,
        _ => return Err(invalid()),
    };
    let number: f64 = number.parse().map_err(|_| invalid())?;
    if number < 0.0 || !number.is_finite() {
        return Err(invalid());
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "casts of floats saturate, as Go's do here"
    )]
    Ok((number * (1_u64 << shift) as f64) as i64)
}

/// As [`bytes`], and `-1` for without a limit.
pub fn bytes_or_unlimited(text: &str) -> Result<i64, Invalid> {
    if text == "-1" { Ok(-1) } else { bytes(text) }
}

/// A number of CPUs, such as `1.5` or `1/2`, in thousand millionths.
pub fn cpus(text: &str) -> Result<i64, Invalid> {
    let invalid = || Invalid::new(format!("failed to parse {text} as a rational number"));
    let (above, below) = text.split_once('/').unwrap_or((text, "1"));
    let above: f64 = above.parse().map_err(|_| invalid())?;
    let below: f64 = below.parse().map_err(|_| invalid())?;
    let nano = above / below * 1e9;
    if !nano.is_finite() {
        return Err(invalid());
    }
    if (nano - nano.round()).abs() > 1e-3 {
        return Err(Invalid::new("value is too precise"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "finite and rounded; more CPUs than fit saturate"
    )]
    Ok(nano.round() as i64)
}

/// A duration of Go, such as `1m30s` or `1.5h`, in nanoseconds.
pub fn duration(text: &str) -> Result<i64, Invalid> {
    let invalid = || Invalid::new(format!("time: invalid duration {text:?}"));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    let mut total = 0.0;
    if rest.is_empty() {
        return Err(invalid());
    }
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(|| Invalid::new(format!("time: missing unit in duration {text:?}")))?;
        let number: f64 = rest[..end].parse().map_err(|_| invalid())?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number
            * match &rest[..end] {
                "ns" => 1.0,
                "us" | "µs" | "μs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3600e9,
                unit => {
                    let message = format!("time: unknown unit {unit:?} in duration {text:?}");
                    return Err(Invalid::new(message));
                }
            };
        rest = &rest[end..];
    }
    #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
    Ok((if negative { -total } else { total }) as i64)
}

/// A moment for `--since` and `--until`: a duration ago, a date, or seconds since 1970. Given
/// back as seconds, with a fraction if there is one.
pub fn moment(text: &str, now: DateTime<Utc>) -> Result<String, Invalid> {
    if let Ok(ago) = duration(text) {
        return Ok(stamp(now - chrono::Duration::nanoseconds(ago)));
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(stamp(time.to_utc()));
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return local(time, text);
        }
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return local(date.and_time(chrono::NaiveTime::MIN), text);
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if seconds.parse::<i64>().is_err() || fraction.parse::<u64>().is_err() {
        return Err(Invalid::new(format!("failed to parse value as time or duration: {text:?}")));
    }
    Ok(text.to_owned())
}

fn local(time: NaiveDateTime, text: &str) -> Result<String, Invalid> {
    match Local.from_local_datetime(&time).earliest() {
        Some(time) => Ok(stamp(time.to_utc())),
        None => Err(Invalid::new(format!("there is no such time here: {text:?}"))),
    }
}

fn stamp(time: DateTime<Utc>) -> String {
    format!("{}.{:09}", time.timestamp(), time.timestamp_subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(bytes("1024"), Ok(1024));
        assert_eq!(bytes("512m"), Ok(512 << 20));
        assert_eq!(bytes("1.5GiB"), Ok(3 << 29));
        assert_eq!(bytes("1kb"), Ok(1024));
        assert_eq!(bytes("foo").unwrap_err().to_string(), "invalid size: 'foo'");
        assert_eq!(bytes("-1").unwrap_err().to_string(), "invalid size: '-1'");
        assert_eq!(bytes_or_unlimited("-1"), Ok(-1));
    }

    #[test]
    fn cpus_are_rational() {
        assert_eq!(cpus("1.5"), Ok(1_500_000_000));
        assert_eq!(cpus("1/2"), Ok(500_000_000));
        assert_eq!(
            cpus("foo").unwrap_err().to_string(),
            "failed to parse foo as a rational number"
        );
        assert_eq!(cpus("0.0000000001").unwrap_err().to_string(), "value is too precise");
    }

    #[test]
    fn durations_are_gos() {
        assert_eq!(duration("1m30s"), Ok(90_000_000_000));
        assert_eq!(duration("1.5h"), Ok(5_400_000_000_000));
        assert_eq!(duration("-2ms"), Ok(-2_000_000));
        assert_eq!(duration("0"), Ok(0));
        assert_eq!(duration("").unwrap_err().to_string(), "time: invalid duration \"\"");
        assert_eq!(duration("5").unwrap_err().to_string(), "time: missing unit in duration \"5\"");
        assert!(duration("5x").is_err());
    }

    #[test]
    fn moments_are_relative_or_absolute() {
        let now = DateTime::from_timestamp(1000, 0).unwrap();
        assert_eq!(moment("10s", now).unwrap(), "990.000000000");
        assert_eq!(moment("1970-01-01T00:00:05Z", now).unwrap(), "5.000000000");
        assert_eq!(moment("123.5", now).unwrap(), "123.5");
        assert!(moment("yesterday", now).is_err());
    }
}
