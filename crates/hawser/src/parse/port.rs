//! Published and exposed ports.
//!
//! In: `-p` (`[[IP:]HOST:]CONTAINER[/PROTOCOL]`, where both may be ranges, or the long form
//! `target=80,published=8080`) and `--expose`. Out: ports such as `80/tcp` and their bindings.

use std::num::{IntErrorKind, ParseIntError};

use super::{Invalid, bad_number, csv};

/// A port of the container and what it is bound to on the host.
#[derive(Debug, PartialEq, Eq)]
pub struct Publication {
    /// Such as `80/tcp`.
    pub port: String,
    /// An address of the host; empty for all.
    pub host_ip: String,
    /// A port of the host, or a range to choose from; empty for any.
    pub host_port: String,
}

/// Parses a value of `-p`.
pub fn publish(text: &str) -> Result<Vec<Publication>, Invalid> {
    let short = if text.contains('=') { short_form(text)? } else { text.to_owned() };
    let (rest, protocol) = short.split_once('/').unwrap_or((&short, "tcp"));
    let protocol = known_protocol(protocol)?;
    let (host_ip, host_port, container_port) = split(rest);
    let host_ip = host_address(host_ip)?;
    if container_port.is_empty() {
        return Err(Invalid(format!("no port specified: {short}<empty>")));
    }
    let (first, last) = range(container_port)
        .map_err(|_| Invalid(format!("invalid containerPort: {container_port}")))?;
    if host_port.is_empty() {
        let ports = (first..=last).map(|port| one(&host_ip, String::new(), port, &protocol));
        return Ok(ports.collect());
    }
    let (host_first, host_last) =
        range(host_port).map_err(|_| Invalid(format!("invalid hostPort: {host_port}")))?;
    if last - first != host_last - host_first {
        // One port may be bound to the first that is free of several.
        if first != last {
            return Err(Invalid(format!(
                "invalid ranges specified for container and host Ports: {container_port} and {host_port}"
            )));
        }
        return Ok(vec![one(&host_ip, format!("{host_first}-{host_last}"), first, &protocol)]);
    }
    let pairs = (first..=last).zip(host_first..=host_last);
    Ok(pairs.map(|(port, host)| one(&host_ip, host.to_string(), port, &protocol)).collect())
}

fn one(host_ip: &str, host_port: String, port: u16, protocol: &str) -> Publication {
    Publication { port: format!("{port}/{protocol}"), host_ip: host_ip.to_owned(), host_port }
}

fn known_protocol(protocol: &str) -> Result<String, Invalid> {
    let lower = protocol.to_ascii_lowercase();
    match lower.as_str() {
        "tcp" | "udp" | "sctp" => Ok(lower),
        _ => Err(Invalid(format!("invalid proto: {protocol}"))),
    }
}

fn host_address(text: &str) -> Result<String, Invalid> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if bare.is_empty() || bare.parse::<std::net::IpAddr>().is_ok() {
        return Ok(bare.to_owned());
    }
    Err(Invalid(format!("invalid IP address: {text}")))
}

/// Address, host port and container port; what is left out is empty.
fn split(text: &str) -> (&str, &str, &str) {
    let Some((before, container)) = text.rsplit_once(':') else { return ("", "", text) };
    // The colons of an IPv6 address belong to it.
    match before.rsplit_once(':') {
        Some((ip, host)) => (ip, host, container),
        None => ("", before, container),
    }
}

fn range(text: &str) -> Result<(u16, u16), Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("empty string specified for ports"));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    if last < first {
        return Err(Invalid(format!("invalid range specified for port: {text}")));
    }
    Ok((first, last))
}

fn short_form(text: &str) -> Result<String, Invalid> {
    let (mut target, mut published, mut protocol, mut ip) =
        (String::new(), String::new(), "tcp".to_owned(), String::new());
    for field in csv(text)? {
        let (key, value) = field
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Invalid(format!("invalid field: {field}")))?;
        match key.to_ascii_lowercase().as_str() {
            "target" => value.clone_into(&mut target),
            "published" => value.clone_into(&mut published),
            "protocol" => value.clone_into(&mut protocol),
            "host_ip" => ip = format!("{value}:"),
            // Modes and whatever else there may be mean nothing here, to docker's client neither.
            _ => {}
        }
    }
    Ok(format!("{ip}{published}:{target}/{protocol}"))
}

fn number(text: &str) -> Result<u16, Invalid> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => {
            Invalid(format!("strconv.ParseUint: parsing {text:?}: value out of range"))
        }
        _ => Invalid(bad_number("ParseUint", text)),
    })
}

/// Parses a value of `--expose`: the ports of a range, such as `80/tcp`.
pub fn expose(text: &str) -> Result<Vec<String>, Invalid> {
    if text.contains(':') {
        return Err(Invalid(format!("invalid port format for --expose: {text}")));
    }
    // Whether there is such a protocol is the engine's to say.
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = range(ports).map_err(|error| {
        Invalid(format!("invalid range format for --expose: {text}, error: {error}"))
    })?;
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let parts = publish(text).unwrap().into_iter();
        parts.map(|p| format!("{}|{}|{}", p.host_ip, p.host_port, p.port)).collect()
    }

    fn error(text: &str) -> String {
        publish(text).unwrap_err().to_string()
    }

    #[test]
    fn every_form() {
        assert_eq!(shown("80"), ["||80/tcp"]);
        assert_eq!(shown("8080:80"), ["|8080|80/tcp"]);
        assert_eq!(shown("127.0.0.1:8080:80/udp"), ["127.0.0.1|8080|80/udp"]);
        assert_eq!(shown("127.0.0.1::80"), ["127.0.0.1||80/tcp"]);
        assert_eq!(shown("[::1]:8080:80"), ["::1|8080|80/tcp"]);
        assert_eq!(shown("::1:8080:80"), ["::1|8080|80/tcp"]);
        assert_eq!(shown("8000-8001:80-81"), ["|8000|80/tcp", "|8001|81/tcp"]);
        assert_eq!(shown("8000-8010:80"), ["|8000-8010|80/tcp"]);
        assert_eq!(shown("80-81"), ["||80/tcp", "||81/tcp"]);
        assert_eq!(shown("target=80,published=8080,protocol=udp"), ["|8080|80/udp"]);
    }

    #[test]
    fn errors_are_dockers() {
        assert_eq!(error("foo"), "invalid containerPort: foo");
        assert_eq!(error("x:80"), "invalid hostPort: x");
        assert_eq!(error("a.b:80:80"), "invalid IP address: a.b");
        assert_eq!(error("80/foo"), "invalid proto: foo");
        assert_eq!(
            error("80-83:80-81"),
            "invalid ranges specified for container and host Ports: 80-81 and 80-83"
        );
        assert_eq!(error("70000"), "invalid containerPort: 70000");
    }

    #[test]
    fn exposes_ranges() {
        assert_eq!(expose("80-81/udp").unwrap(), ["80/udp", "81/udp"]);
        assert_eq!(
            expose("foo").unwrap_err().to_string(),
            "invalid range format for --expose: foo, error: strconv.ParseUint: parsing \"foo\": invalid syntax"
        );
    }
}
