//! `HEALTHCHECK [--interval=…] CMD …` and `HEALTHCHECK NONE`.
//!
//! In: the text after the instruction's name. Out: a [`Healthcheck`].

use super::invalid;
use crate::config::Healthcheck;
use crate::error::Result;

pub(super) fn parse(mut rest: &str) -> Result<Healthcheck> {
    let mut check = Healthcheck::default();
    while rest.starts_with("--") {
        let (flag, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        set(&mut check, flag)?;
        rest = after.trim_start();
    }
    let (kind, command) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let command = command.trim();
    check.test = match kind.to_uppercase().as_str() {
        "NONE" if command.is_empty() => vec!["NONE".to_owned()],
        "NONE" => return Err(invalid("HEALTHCHECK NONE takes no arguments".to_owned())),
        "CMD" if command.is_empty() => {
            return Err(invalid("Missing command after HEALTHCHECK CMD".to_owned()));
        }
        "CMD" => test(command),
        _ => return Err(invalid(format!("Unknown type {kind:?} in HEALTHCHECK (try CMD)"))),
    };
    Ok(check)
}

fn test(command: &str) -> Vec<String> {
    match serde_json::from_str::<Vec<String>>(command) {
        Ok(words) => [vec!["CMD".to_owned()], words].concat(),
        Err(_) => vec!["CMD-SHELL".to_owned(), command.to_owned()],
    }
}

fn set(check: &mut Healthcheck, flag: &str) -> Result<()> {
    let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
    match name {
        "--interval" => check.interval = duration(name, value)?,
        "--timeout" => check.timeout = duration(name, value)?,
        "--start-period" => check.start_period = duration(name, value)?,
        "--start-interval" => check.start_interval = duration(name, value)?,
        "--retries" => {
            let bad = |_| invalid(format!("{name} must be a number (not {value:?})"));
            check.retries = value.parse::<u32>().map_err(bad)?.into();
        }
        _ => return Err(invalid(format!("Unknown flag: {}", name.trim_start_matches('-')))),
    }
    Ok(())
}

/// Go's durations: `1h2m3.5s`, units h, m, s, ms, us, ns. In nanoseconds, 0 or at least 1 ms.
fn duration(flag: &str, text: &str) -> Result<i64> {
    let bad = || invalid(format!("{flag}: invalid duration {text:?}"));
    let mut total = 0f64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let number: f64 = number.parse().map_err(|_| bad())?;
        total += number * nanoseconds(unit).ok_or_else(bad)?;
        rest = after;
    }
    if text.is_empty() || total > 1e18 {
        return Err(bad());
    }
    if total > 0.0 && total < 1e6 {
        return Err(invalid(format!("Interval {flag:?} cannot be less than 1ms")));
    }
    Ok(total as i64)
}

fn nanoseconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        _ => return None,
    })
}
