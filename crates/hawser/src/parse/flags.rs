//! The plain values: booleans and whole numbers, with the errors of Go's `strconv`.

use super::{Invalid, bad_number};

/// A boolean as Go reads it.
pub fn boolean(text: &str) -> Result<bool, Invalid> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(Invalid(bad_number("ParseBool", text))),
    }
}

/// A whole number.
pub fn integer(text: &str) -> Result<i64, Invalid> {
    text.parse().map_err(|_| Invalid(bad_number("ParseInt", text)))
}

/// A whole number that fits 16 bits.
pub fn small(text: &str) -> Result<u16, Invalid> {
    text.parse().map_err(|_| Invalid(bad_number("ParseUint", text)))
}

/// One of the three streams of a process, in lower case.
pub fn stream(text: &str) -> Result<String, Invalid> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "stdin" | "stdout" | "stderr" => Ok(lower),
        _ => Err(Invalid::new("valid streams are STDIN, STDOUT and STDERR")),
    }
}

/// The address of a resolver.
pub fn address(text: &str) -> Result<String, Invalid> {
    match text.trim().parse::<std::net::IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => Err(Invalid(format!("IP address is not correctly formatted: {text}"))),
    }
}

/// A domain to search in; `.` for none.
pub fn domain(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text == "."
        || (text.len() < 255
            && text.contains(|c: char| c.is_alphanumeric())
            && text.chars().all(good))
    {
        return Ok(text.to_owned());
    }
    Err(Invalid(format!("{text} is not a valid domain")))
}

/// `HOST:ADDRESS` or `HOST=ADDRESS` for `--add-host`.
pub fn extra_host(text: &str) -> Result<String, Invalid> {
    let (name, address) = text
        .split_once('=')
        .or_else(|| text.split_once(':'))
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Invalid(format!("bad format for add-host: {text:?}")))?;
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    if address != "host-gateway" && bare.parse::<std::net::IpAddr>().is_err() {
        return Err(Invalid(format!("invalid IP address in add-host: {address:?}")));
    }
    let bare = if address == "host-gateway" { address } else { bare };
    Ok(format!("{name}:{bare}"))
}

/// `NAME[:ALIAS]` for `--link`.
pub fn link(text: &str) -> Result<String, Invalid> {
    match text.split(':').count() {
        _ if text.is_empty() => Err(Invalid::new("empty string specified for links")),
        1 | 2 => Ok(text.to_owned()),
        _ => Err(Invalid(format!("bad format for links: {text}"))),
    }
}

/// `NAME=VALUE` of a kernel parameter that a container may have of its own.
pub fn sysctl(text: &str) -> Result<String, Invalid> {
    const SINGLE: [&str; 8] = [
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    ];
    let known = |name: &str| {
        SINGLE.contains(&name) || name.starts_with("net.") || name.starts_with("fs.mqueue.")
    };
    match text.split_once('=') {
        Some((name, _)) if known(name) => Ok(text.to_owned()),
        _ => Err(Invalid(format!("sysctl '{text}' is not allowed"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_go_says() {
        assert_eq!(boolean("T"), Ok(true));
        assert_eq!(
            boolean("x").unwrap_err().to_string(),
            "strconv.ParseBool: parsing \"x\": invalid syntax"
        );
        assert_eq!(
            integer("foo").unwrap_err().to_string(),
            "strconv.ParseInt: parsing \"foo\": invalid syntax"
        );
        assert!(small("70000").is_err());
    }

    #[test]
    fn hosts_and_links() {
        assert_eq!(extra_host("a:1.2.3.4").unwrap(), "a:1.2.3.4");
        assert_eq!(extra_host("a=::1").unwrap(), "a:::1");
        assert_eq!(extra_host("a:host-gateway").unwrap(), "a:host-gateway");
        assert_eq!(extra_host("foo").unwrap_err().to_string(), "bad format for add-host: \"foo\"");
        assert!(extra_host("a:b").is_err());
        assert_eq!(link("a:b").unwrap(), "a:b");
        assert!(link("a:b:c").is_err());
    }

    #[test]
    fn sysctls_resolvers_and_streams() {
        assert!(sysctl("net.ipv4.ip_forward=1").is_ok());
        assert_eq!(sysctl("foo").unwrap_err().to_string(), "sysctl 'foo' is not allowed");
        assert!(sysctl("kernel.panic=1").is_err());
        assert_eq!(address(" 1.1.1.1").unwrap(), "1.1.1.1");
        assert!(address("foo").is_err());
        assert_eq!(stream("STDOUT").unwrap(), "stdout");
        assert!(stream("foo").is_err());
        assert!(domain("a.b").is_ok() && domain(".").is_ok() && domain("a b").is_err());
    }
}
