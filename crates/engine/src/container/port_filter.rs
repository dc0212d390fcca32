//! The values of the filters `publish` and `expose`: `80`, `80/udp`, `8000-8010/tcp`.

use crate::error::{Error, Result};
use crate::filters::Filters;

/// The first and the last port, and the protocol.
///
/// # Errors
/// Invalid if it is no port.
pub(super) fn parse(text: &str) -> Result<(u16, u16, &str)> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let range = first.parse().ok().zip(last.parse().ok());
    let good = range.filter(|(first, last)| first <= last);
    let known = matches!(protocol, "tcp" | "udp" | "sctp");
    match good {
        Some((first, last)) if known => Ok((first, last, protocol)),
        _ => Err(Error::invalid(format!(
            "error while looking up for {text} Invalid containerPort: {ports}"
        ))),
    }
}

/// Whether one of the filter's values is this `port/protocol`.
pub(super) fn matches(filters: &Filters, filter: &str, port: &str) -> bool {
    let Ok((port, _, protocol)) = parse(port) else { return false };
    filters
        .values(filter)
        .filter_map(|value| parse(value).ok())
        .any(|(first, last, wanted)| wanted == protocol && (first..=last).contains(&port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_protocols() {
        let filters = Filters::default().with("publish", "80-90/udp").with("publish", "22");
        assert!(matches(&filters, "publish", "85/udp"));
        assert!(!matches(&filters, "publish", "85/tcp"));
        assert!(matches(&filters, "publish", "22/tcp"));
        for bad in ["", "x", "90-80", "80/icmp", "70000"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
