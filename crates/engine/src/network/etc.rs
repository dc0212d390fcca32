//! The files of `/etc` that belong to a sandbox: hosts, hostname, resolv.conf.
//!
//! In: names and addresses. Out: text, and files below the container's directory, which the
//! container sees through bind mounts: they are rewritten in place, never replaced. A resolv.conf
//! that the user edited is left alone.

use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Where the files of one sandbox are on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcFiles {
    /// `/etc/hosts`.
    pub hosts: PathBuf,
    /// `/etc/hostname`.
    pub hostname: PathBuf,
    /// `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
}

impl EtcFiles {
    /// The files in a container's directory.
    pub fn in_directory(dir: &Path) -> Self {
        Self {
            hosts: dir.join("hosts"),
            hostname: dir.join("hostname"),
            resolv_conf: dir.join("resolv.conf"),
        }
    }
}

/// The lines that every hosts file begins with.
const LOCAL_HOSTS: &str = "127.0.0.1\tlocalhost\n\
    ::1\tlocalhost ip6-localhost ip6-loopback\n\
    fe00::\tip6-localnet\n\
    ff00::\tip6-mcastprefix\n\
    ff02::1\tip6-allnodes\n\
    ff02::2\tip6-allrouters\n";

/// One line of a hosts file: an address and its names, the first being the canonical one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostsLine {
    /// The address.
    pub address: IpAddr,
    /// The names, separated by blanks.
    pub names: String,
}

/// The text of a hosts file.
pub fn hosts(lines: &[HostsLine]) -> String {
    let mut text = LOCAL_HOSTS.to_owned();
    for line in lines {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}\t{}", line.address, line.names);
    }
    text
}

/// What a resolv.conf says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolver {
    /// Name servers, as written (IPv6 ones may carry a zone).
    pub servers: Vec<String>,
    /// Search domains.
    pub search: Vec<String>,
    /// Options.
    pub options: Vec<String>,
}

impl Resolver {
    /// Reads a resolv.conf; lines that make no sense are skipped (resolv.conf(5): the last
    /// `search` or `domain` counts, options add up).
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace().map(str::to_owned);
            match words.next().as_deref() {
                Some("nameserver") => found.servers.extend(words.next()),
                Some("search") => found.search = words.collect(),
                Some("domain") => found.search = words.take(1).collect(),
                Some("options") => found.options.extend(words),
                _ => {}
            }
        }
        found
    }

    /// The host's own resolv.conf; empty if there is none.
    pub fn of_host() -> Self {
        Self::parse(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
    }

    /// Takes what is given in place of what is here, list by list. A search list of `.` alone
    /// means none.
    pub fn overridden(mut self, servers: &[String], search: &[String], options: &[String]) -> Self {
        for (mine, given) in
            [(&mut self.servers, servers), (&mut self.search, search), (&mut self.options, options)]
        {
            if !given.is_empty() {
                *mine = given.to_vec();
            }
        }
        if self.search == ["."] {
            self.search.clear();
        }
        self
    }

    /// Without servers on a loopback address: those are the host's own and don't answer in a
    /// sandbox with another loopback.
    pub fn without_loopback(mut self) -> Self {
        self.servers.retain(|s| !is_loopback(s));
        self
    }

    /// Sends all questions to the sandbox's own name server.
    pub fn internal(mut self) -> Self {
        self.servers = vec!["127.0.0.11".to_owned()];
        if !self.options.iter().any(|o| o.starts_with("ndots:")) {
            self.options.push("ndots:0".to_owned());
        }
        self
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text =
            String::from("# Made by hawser; an edited file is left as it is from then on.\n\n");
        for server in &self.servers {
            let _ = writeln!(text, "nameserver {server}");
        }
        if !self.search.is_empty() {
            let _ = writeln!(text, "search {}", self.search.join(" "));
        }
        if !self.options.is_empty() {
            let _ = writeln!(text, "options {}", self.options.join(" "));
        }
        text
    }
}

/// Whether a server, as resolv.conf writes it, is on a loopback address.
pub fn is_loopback(server: &str) -> bool {
    let address = server.split('%').next().unwrap_or_default();
    address.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
}

/// Writes a file in place, so that a bind mount of it shows the new text.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    std::fs::write(path, text)
}

/// Writes a resolv.conf unless the user has edited it since the last time: what was written is
/// kept beside it for comparison.
pub fn write_unless_edited(path: &Path, text: &str) -> io::Result<()> {
    let ours = path.with_extension("conf.ours");
    if is_edited(path, &ours).unwrap_or(false) {
        return Ok(());
    }
    std::fs::write(path, text)?;
    std::fs::write(&ours, text)
}

/// The container may have made the file as large as it likes: no more of it is read than there was.
fn is_edited(path: &Path, ours: &Path) -> io::Result<bool> {
    let then = std::fs::read(ours)?;
    let mut now = Vec::new();
    std::fs::File::open(path)?.take(then.len() as u64 + 1).read_to_end(&mut now)?;
    Ok(now != then)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_begins_with_the_loopback() {
        let own = HostsLine { address: [172, 17, 0, 2].into(), names: "0123456789ab".into() };
        let text = hosts(&[own]);
        assert!(text.starts_with("127.0.0.1\tlocalhost\n::1\tlocalhost"));
        assert!(text.ends_with("ff02::2\tip6-allrouters\n172.17.0.2\t0123456789ab\n"));
    }

    #[test]
    fn a_resolver_is_read_leniently() {
        let text = "domain old.example\n; comment\nsearch a.example b.example\nnameserver 127.0.0.53\n\
                    nameserver\nnameserver fe80::1%eth0 # zone\noptions edns0\noptions timeout:1\nnonsense\n";
        let found = Resolver::parse(text);
        assert_eq!(found.servers, ["127.0.0.53", "fe80::1%eth0"]);
        assert_eq!(found.search, ["a.example", "b.example"]);
        assert_eq!(found.options, ["edns0", "timeout:1"]);
        assert_eq!(found.without_loopback().servers, ["fe80::1%eth0"]);
    }

    #[test]
    fn what_is_given_wins_list_by_list() {
        let host = Resolver::parse("nameserver 192.0.2.1\nsearch a.example\n");
        let own = host.overridden(&["192.0.2.9".into()], &[".".into()], &[]);
        assert_eq!(own.text().lines().skip(2).collect::<Vec<_>>(), ["nameserver 192.0.2.9"]);
    }

    #[test]
    fn the_sandbox_server_comes_with_ndots_once() {
        let own = Resolver::parse("options ndots:2\n").internal();
        assert_eq!(own.options, ["ndots:2"]);
        assert_eq!(Resolver::default().internal().options, ["ndots:0"]);
    }

    #[test]
    fn an_edited_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resolv.conf");
        write_unless_edited(&path, "one").unwrap();
        write_unless_edited(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        std::fs::write(&path, "mine").unwrap();
        write_unless_edited(&path, "three").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn a_huge_file_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resolv.conf");
        write_unless_edited(&path, "one").unwrap();
        let huge = 1 << 40;
        std::fs::File::options().write(true).open(&path).unwrap().set_len(huge).unwrap();
        write_unless_edited(&path, "two").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), huge);
    }
}
