//! `--ulimit`.

use serde_json::{Value, json};

use super::Invalid;

const NAMES: [&str; 16] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Parses `NAME=SOFT[:HARD]`.
pub fn ulimit(text: &str) -> Result<Value, Invalid> {
    let (name, limits) =
        text.split_once('=').ok_or_else(|| Invalid(format!("invalid ulimit argument: {text}")))?;
    if !NAMES.contains(&name) {
        return Err(Invalid(format!("invalid ulimit type: {name}")));
    }
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let number =
        |text: &str| text.parse::<i64>().map_err(|_| Invalid(super::bad_number("ParseInt", text)));
    let (soft, hard) = (number(soft)?, number(hard)?);
    // -1 is without a limit.
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(Invalid(format!(
            "ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
        )));
    }
    Ok(json!({"Name": name, "Hard": hard, "Soft": soft}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        assert_eq!(ulimit("nofile=1:2").unwrap(), json!({"Name": "nofile", "Hard": 2, "Soft": 1}));
        assert_eq!(ulimit("core=-1").unwrap(), json!({"Name": "core", "Hard": -1, "Soft": -1}));
        assert_eq!(ulimit("foo").unwrap_err().to_string(), "invalid ulimit argument: foo");
        assert_eq!(ulimit("foo=1").unwrap_err().to_string(), "invalid ulimit type: foo");
        assert!(ulimit("nofile=3:2").is_err());
    }
}
