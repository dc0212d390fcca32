//! Who holds a port of the host: `/proc/net` gives the socket's inode, `/proc/*/fd` its process.
//!
//! In: a port. Out: `name (pid 12)`, when it can be found out. For error messages only: slow.

use std::fs;
use std::path::Path;

use hawser_hoststate::{HeldPort, Transport};

/// The process that holds a port, or one that overlaps with it.
pub(crate) fn of(port: &HeldPort) -> Option<String> {
    let transport = match port.transport {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
        Transport::Sctp => return None,
    };
    // A socket of the other family is in the way too, unless it is for its own family alone.
    let families = if port.address.is_ipv4() { ["", "6"] } else { ["6", ""] };
    let inode = families.iter().find_map(|family| {
        let path = format!("/proc/thread-self/net/{transport}{family}");
        let table = fs::read_to_string(path).ok()?;
        inode_of(&table, port.port).map(str::to_owned)
    })?;
    let wanted = format!("socket:[{inode}]");
    let process = fs::read_dir("/proc").ok()?.flatten().find(|entry| {
        let is_process = entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit);
        is_process && has_descriptor(&entry.path().join("fd"), &wanted)
    })?;
    let name = fs::read_to_string(process.path().join("comm")).ok()?;
    Some(format!("{} (pid {})", name.trim(), process.file_name().display()))
}

/// Inode of the socket bound to a port: the third word is `address:port` in hexadecimal, the
/// fourth of TCP's rows the state (listening rows come first in the table), the tenth the inode.
fn inode_of(table: &str, port: u16) -> Option<&str> {
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_whitespace();
        let local = words.nth(1)?.rsplit(':').next()?;
        let inode = words.nth(7)?;
        let same = u16::from_str_radix(local, 16).ok()? == port;
        (same && inode != "0").then_some(inode)
    })
}

fn has_descriptor(directory: &Path, wanted: &str) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return false };
    entries.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_inode_of_a_port() {
        let head = "sl local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid \
                    timeout inode";
        let row = "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 \
                   4242 1 0 100 0 0 10 0";
        let table = &format!("{head}\n{row}\n");
        assert_eq!(inode_of(table, 8080), Some("4242"));
        assert_eq!(inode_of(table, 80), None);
    }
}
