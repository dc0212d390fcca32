//! Names of signals.

use crate::error::{Error, Result};

/// Linux's signals by number, from 1.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;
/// `SIGKILL`.
pub(crate) const KILL: i32 = 9;
/// `SIGTERM`.
pub(crate) const TERM: i32 = 15;

/// The number of a signal given as `SIGTERM`, `TERM`, `15` or `RTMIN+3`.
///
/// # Errors
/// Invalid, in Docker's words.
pub(crate) fn parse(text: &str) -> Result<i32> {
    let number = match text.parse::<i32>() {
        Ok(number) => Some(number).filter(|n| (1..=RTMAX).contains(n)),
        Err(_) => named(&text.to_ascii_uppercase()),
    };
    number.ok_or_else(|| Error::invalid(format!("invalid signal: {text}")))
}

fn named(name: &str) -> Option<i32> {
    let name = name.strip_prefix("SIG").unwrap_or(name);
    let real_time = |base: i32, offset: &str| {
        let offset = if offset.is_empty() { 0 } else { offset.parse::<i32>().ok()? };
        Some(base + offset).filter(|n| (RTMIN..=RTMAX).contains(n))
    };
    if let Some(offset) = name.strip_prefix("RTMIN") {
        return real_time(RTMIN, offset);
    }
    if let Some(offset) = name.strip_prefix("RTMAX") {
        return real_time(RTMAX, offset);
    }
    let alias = match name {
        "IOT" => "ABRT",
        "CLD" => "CHLD",
        "POLL" => "IO",
        other => other,
    };
    NAMES.iter().position(|n| *n == alias).and_then(|i| i32::try_from(i + 1).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_many_names() {
        for text in ["9", "KILL", "SIGKILL", "sigkill"] {
            assert_eq!(parse(text).unwrap(), KILL, "{text}");
        }
        assert_eq!(parse("TERM").unwrap(), TERM);
        assert_eq!(parse("SIGSYS").unwrap(), 31);
        assert_eq!(parse("RTMIN+3").unwrap(), 37);
        assert_eq!(parse("SIGRTMAX-1").unwrap(), 63);
    }

    #[test]
    fn others_are_refused() {
        for text in ["", "0", "65", "-1", "NONSENSE", "RTMIN+99", "RTMINX"] {
            assert_eq!(parse(text).unwrap_err().to_string(), format!("invalid signal: {text}"));
        }
    }
}
