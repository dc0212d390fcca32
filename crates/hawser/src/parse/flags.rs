//! The plain values: booleans and whole numbers, with the errors of Go's `strconv`.

use super::{Invalid, bad_number, csv};

/// A boolean as Go reads it.
pub fn boolean(text: &str) -> Result<bool, Invalid> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(Invalid(bad_number("ParseBool", text))),
    }
}

/// A whole number, in any of the bases that Go knows (`0x10`, `010`, `0b1`, `1_000`).
pub fn integer(text: &str) -> Result<i64, Invalid> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let size = magnitude(digits).ok_or_else(|| Invalid(bad_number("ParseInt", text)))?;
    let signed = size.and_then(|size| {
        if negative { 0_i64.checked_sub_unsigned(size) } else { size.try_into().ok() }
    });
    signed.ok_or_else(|| out_of_range("ParseInt", text))
}

/// A whole number that fits 16 bits.
pub fn small(text: &str) -> Result<u16, Invalid> {
    let size = magnitude(text).ok_or_else(|| Invalid(bad_number("ParseUint", text)))?;
    size.and_then(|size| size.try_into().ok()).ok_or_else(|| out_of_range("ParseUint", text))
}

/// What `digits` mean; `Some(None)` if that is too much, `None` if they mean nothing.
fn magnitude(digits: &str) -> Option<Option<u64>> {
    let lower = digits.to_ascii_lowercase();
    let (base, body) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    // An underscore separates digits; a base counts as one.
    let separated = body.strip_prefix('_').filter(|_| base != 10).unwrap_or(body);
    let good = |group: &str| !group.is_empty() && group.chars().all(|c| c.is_digit(base));
    separated.split('_').all(good).then(|| u64::from_str_radix(&body.replace('_', ""), base).ok())
}

fn out_of_range(function: &str, text: &str) -> Invalid {
    Invalid(format!("strconv.{function}: parsing {text:?}: value out of range"))
}

/// What one use of a flag gives that takes several values at once.
#[derive(Debug, Clone, Default)]
pub struct Several(Vec<String>);

impl IntoIterator for Several {
    type Item = String;
    type IntoIter = std::vec::IntoIter<String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Values with commas between them, as CSV has them.
pub fn several(text: &str) -> Result<Several, Invalid> {
    if text.is_empty() { Ok(Several::default()) } else { csv(text).map(Several) }
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
    if text == "." {
        return Ok(text.to_owned());
    }
    let domain = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let outer = |c: char| c.is_ascii_alphanumeric();
        label.starts_with(outer) && label.ends_with(outer) && label.chars().all(inner)
    };
    let named = domain.contains(|c: char| c.is_ascii_alphabetic());
    if named && domain.len() < 255 && domain.split('.').all(label) {
        return Ok(domain.to_owned());
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
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
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
        assert_eq!(
            small("70000").unwrap_err().to_string(),
            "strconv.ParseUint: parsing \"70000\": value out of range"
        );
    }

    #[test]
    fn numbers_have_bases() {
        for (text, number) in [
            ("-5", -5),
            ("+5", 5),
            ("0", 0),
            ("0x1F", 31),
            ("-010", -8),
            ("0o7", 7),
            ("0b11", 3),
            ("0x_f", 15),
            ("1_000", 1000),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(integer(text), Ok(number), "{text}");
        }
        for text in ["", "-", "--1", "1_", "_1", "1__0", "0x", "08", "1e3", "0_", "- 1"] {
            assert_eq!(integer(text), Err(Invalid(bad_number("ParseInt", text))), "{text}");
        }
        assert!(
            integer("9223372036854775808").unwrap_err().to_string().ends_with("value out of range")
        );
    }

    #[test]
    fn several_values_at_once() {
        let values = |text| several(text).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(values("a,b"), ["a", "b"]);
        assert_eq!(values("\"a,b\",c"), ["a,b", "c"]);
        assert!(values("").is_empty());
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
        assert_eq!(domain("a-1.b.").unwrap(), "a-1.b");
        assert_eq!(domain(".").unwrap(), ".");
        for text in ["", "a b", "-a", "a-", "a..b", ".a", "a_b", "123"] {
            assert!(domain(text).is_err(), "{text}");
        }
    }
}
