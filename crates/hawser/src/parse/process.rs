//! Restart policies, security options and the modes of namespaces.

use std::fs;

use serde_json::{Value, json};

use super::Invalid;
use super::env::unreadable;

/// Parses `--restart`: the API's policy. Whether there is such a policy is the engine's to say.
pub fn restart_policy(text: &str) -> Result<Value, Invalid> {
    let (name, count) = match text.split_once(':') {
        Some((name, count)) => (name, Some(count)),
        None => (text, None),
    };
    if name.is_empty() && !text.is_empty() {
        return Err(Invalid::new("invalid restart policy format: no policy provided before colon"));
    }
    let count: i64 = match count {
        None => 0,
        Some(count) => count.parse().map_err(|_| {
            Invalid::new("invalid restart policy format: maximum retry count must be an integer")
        })?,
    };
    Ok(json!({"Name": name, "MaximumRetryCount": count}))
}

/// What the security options come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// For the API; a seccomp profile is replaced by its content.
    pub options: Vec<String>,
    /// `systempaths=unconfined`: nothing of `/proc` and `/sys` is hidden.
    pub all_paths: bool,
}

/// Parses the values of `--security-opt`.
pub fn security(options: &[String]) -> Result<Security, Invalid> {
    let mut parsed = Security::default();
    for option in options {
        let (key, value) = match option.split_once('=').or_else(|| option.split_once(':')) {
            Some(pair) => pair,
            None if option == "no-new-privileges" => (option.as_str(), ""),
            None => return Err(Invalid(format!("Invalid --security-opt: {option:?}"))),
        };
        match (key, value) {
            ("systempaths", "unconfined") => parsed.all_paths = true,
            ("seccomp", file) if file != "unconfined" && file != "builtin" => {
                let profile = fs::read_to_string(file).map_err(|error| {
                    let Invalid(why) = unreadable(file, &error);
                    Invalid(format!("opening seccomp profile ({file}) failed: {why}"))
                })?;
                let profile: Value = serde_json::from_str(&profile).map_err(|error| {
                    Invalid(format!("compacting json for seccomp profile ({file}) failed: {error}"))
                })?;
                parsed.options.push(format!("seccomp={profile}"));
            }
            _ => parsed.options.push(option.clone()),
        }
    }
    Ok(parsed)
}

/// Checks `--pid`.
pub fn pid_mode(mode: &str) -> Result<&str, Invalid> {
    match mode {
        "" | "host" => Ok(mode),
        _ if mode.strip_prefix("container:").is_some_and(|name| !name.is_empty()) => Ok(mode),
        _ => Err(Invalid::new("--pid: invalid PID mode")),
    }
}

/// Checks `--uts`.
pub fn uts_mode(mode: &str) -> Result<&str, Invalid> {
    match mode {
        "" | "host" => Ok(mode),
        _ => Err(Invalid::new("--uts: invalid UTS mode")),
    }
}

/// Checks `--userns`.
pub fn user_mode(mode: &str) -> Result<&str, Invalid> {
    match mode {
        "" | "host" => Ok(mode),
        _ => Err(Invalid::new("--userns: invalid USER mode")),
    }
}

/// Checks `--cgroupns`.
pub fn cgroup_mode(mode: &str) -> Result<&str, Invalid> {
    match mode {
        "" | "host" | "private" => Ok(mode),
        _ => Err(Invalid::new("--cgroupns: invalid CGROUP mode")),
    }
}

/// `KEY=VALUE`s as a JSON object.
pub fn pairs(texts: &[String]) -> Value {
    let pair = |text: &String| {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        (key.to_owned(), value.into())
    };
    Value::Object(texts.iter().map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restart_policies() {
        assert_eq!(
            restart_policy("on-failure:3").unwrap(),
            json!({"Name": "on-failure", "MaximumRetryCount": 3})
        );
        assert_eq!(restart_policy("foo").unwrap()["Name"], "foo");
        assert_eq!(
            restart_policy("on-failure:x").unwrap_err().to_string(),
            "invalid restart policy format: maximum retry count must be an integer"
        );
    }

    #[test]
    fn security_options() {
        let parse = |text: &str| security(&[text.to_owned()]);
        assert_eq!(parse("no-new-privileges").unwrap().options, ["no-new-privileges"]);
        assert_eq!(parse("seccomp=unconfined").unwrap().options, ["seccomp=unconfined"]);
        assert!(parse("systempaths=unconfined").unwrap().all_paths);
        assert_eq!(parse("foo").unwrap_err().to_string(), "Invalid --security-opt: \"foo\"");
        assert_eq!(
            parse("seccomp=/nosuch").unwrap_err().to_string(),
            "opening seccomp profile (/nosuch) failed: open /nosuch: no such file or directory"
        );
    }

    #[test]
    fn modes() {
        assert!(pid_mode("container:a").is_ok() && pid_mode("container:").is_err());
        assert_eq!(pid_mode("foo").unwrap_err().to_string(), "--pid: invalid PID mode");
        assert!(
            uts_mode("foo").is_err() && user_mode("foo").is_err() && cgroup_mode("foo").is_err()
        );
    }
}
