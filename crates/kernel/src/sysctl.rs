//! Kernel settings under `/proc/sys` of the calling thread's namespace.
//!
//! In: a path below `/proc/sys`, with slashes, and a value. Out: nothing, or the error.

use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Component, Path};

/// Writes a setting. A path that leaves `/proc/sys` is refused (EINVAL).
pub(crate) fn write(name: &str, value: &str) -> io::Result<()> {
    let relative = Path::new(name);
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    fs::write(Path::new("/proc/sys").join(relative), value)
}

/// Name of an IPv6 setting of a link.
pub(crate) fn of_ipv6(link: &str, setting: &str) -> String {
    format!("net/ipv6/conf/{link}/{setting}")
}

/// The ports that the kernel gives away.
pub(crate) struct EphemeralPorts {
    /// The range.
    pub(crate) range: RangeInclusive<u16>,
    /// Ports in the range that are for somebody.
    pub(crate) reserved: Vec<RangeInclusive<u16>>,
}

/// Reads the kernel's range of ephemeral ports.
pub(crate) fn ephemeral_ports() -> io::Result<EphemeralPorts> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")?;
    let mut bounds = range.split_whitespace().filter_map(|word| word.parse().ok());
    let (Some(low), Some(high)) = (bounds.next(), bounds.next()) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let reserved = fs::read_to_string("/proc/sys/net/ipv4/ip_local_reserved_ports")?;
    Ok(EphemeralPorts { range: low..=high, reserved: parse_ranges(&reserved) })
}

fn parse_ranges(text: &str) -> Vec<RangeInclusive<u16>> {
    let range = |part: &str| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        Some(low.parse().ok()?..=high.parse().ok()?)
    };
    text.trim().split(',').filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_reserved_ranges() {
        assert_eq!(parse_ranges("8080,9000-9002\n"), [8080..=8080, 9000..=9002]);
        assert_eq!(parse_ranges("\n"), []);
    }

    #[test]
    fn does_not_leave_its_tree() {
        for name in ["../../tmp/x", "/etc/passwd", "net/../../x"] {
            let error = write(name, "1").expect_err(name);
            assert_eq!(error.raw_os_error(), Some(libc::EINVAL), "{name}");
        }
    }
}
