//! The files of `/etc` that belong to a sandbox: hosts, hostname, resolv.conf.
//!
//! In: text, names and addresses. Out: files below the container's directory, which the container
//! sees through bind mounts: they are rewritten in place, never replaced. What was written is kept
//! beside them, so that a user's edits are known: a resolv.conf with any is left alone, in a hosts
//! file only the lines are changed that the engine wrote.

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

/// The first line of every hosts file, and those that follow where there is IPv6.
const LOCAL_HOSTS: &str = "127.0.0.1\tlocalhost\n";
const LOCAL_HOSTS_V6: &str = "::1\tlocalhost ip6-localhost ip6-loopback\n\
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

/// The text of a hosts file; without IPv6, lines with such addresses are left out.
pub fn hosts(lines: &[HostsLine], ipv6: bool) -> String {
    let mut text = LOCAL_HOSTS.to_owned();
    if ipv6 {
        text.push_str(LOCAL_HOSTS_V6);
    }
    for line in lines.iter().filter(|line| ipv6 || line.address.is_ipv4()) {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}\t{}", line.address, line.names);
    }
    text
}

/// Writes a file in place, so that a bind mount of it shows the new text; nothing if it is so.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    match read_as_far_as(path, text.len()) {
        Ok(now) if now == text.as_bytes() => Ok(()),
        _ => std::fs::write(path, text),
    }
}

/// Writes a resolv.conf unless the user has edited it since the last time.
pub fn write_unless_edited(path: &Path, text: &str) -> io::Result<()> {
    let ours = beside(path);
    if let Ok(then) = std::fs::read(&ours)
        && read_as_far_as(path, then.len()).is_ok_and(|now| now != then)
    {
        return Ok(());
    }
    write(path, text)?;
    write(&ours, text)
}

/// The text of a resolv.conf, and whether the user has edited it.
pub fn read(path: &Path) -> io::Result<(String, bool)> {
    let ours = std::fs::read(beside(path))?;
    let now = read_as_far_as(path, ours.len().max(LONGEST))?;
    Ok((String::from_utf8_lossy(&now).into_owned(), now != ours))
}

/// Writes a hosts file in place of the one that was written before: a user's own lines stay.
pub fn write_hosts(path: &Path, text: &str) -> io::Result<()> {
    let ours = beside(path);
    let now = read_as_far_as(path, LONGEST).map(String::from_utf8);
    let merged = match (std::fs::read_to_string(&ours), now) {
        (Ok(then), Ok(Ok(now))) if now.len() <= LONGEST => merged(&now, &then, text),
        // Too long, or no text: what the user has made of it is not ours to mend.
        (Ok(_), Ok(_)) => return Ok(()),
        _ => text.to_owned(),
    };
    write(path, &merged)?;
    write(&ours, text)
}

/// Forgets what was written, so that the next text is written whole.
pub fn forget_hosts(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(beside(path)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// More of a file that its user has edited is not looked at, in bytes.
const LONGEST: usize = 1 << 20;

/// What the user has made of `then`, with what `wanted` says differently.
fn merged(now: &str, then: &str, wanted: &str) -> String {
    if now == then {
        return wanted.to_owned();
    }
    let has = |text: &str, line: &str| text.lines().any(|other| other == line);
    let kept = now.lines().filter(|line| has(wanted, line) || !has(then, line));
    let new = wanted.lines().filter(|line| !has(then, line) && !has(now, line));
    kept.chain(new).map(|line| format!("{line}\n")).collect()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".ours");
    name.into()
}

/// The container may have made the file as large as it likes: no more is read than one byte after
/// `length`, which tells that it is longer.
fn read_as_far_as(path: &Path, length: usize) -> io::Result<Vec<u8>> {
    let mut now = Vec::new();
    std::fs::File::open(path)?.take(length as u64 + 1).read_to_end(&mut now)?;
    Ok(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_begins_with_the_loopback() {
        let own = |address: IpAddr| HostsLine { address, names: "0123456789ab".into() };
        let lines = [own([172, 17, 0, 2].into()), own("fd00::2".parse().unwrap())];
        let text = hosts(&lines, true);
        assert!(text.starts_with("127.0.0.1\tlocalhost\n::1\tlocalhost"));
        let end = "ff02::2\tip6-allrouters\n172.17.0.2\t0123456789ab\nfd00::2\t0123456789ab\n";
        assert!(text.ends_with(end));
        assert_eq!(hosts(&lines, false), "127.0.0.1\tlocalhost\n172.17.0.2\t0123456789ab\n");
    }

    #[test]
    fn a_users_lines_stay_in_a_hosts_file() {
        let then = "1\tlocalhost\n2\ta\n3\tgone\n";
        let wanted = "1\tlocalhost\n4\ta\n3\tgone\n5\tb\n";
        assert_eq!(merged(then, then, wanted), wanted);
        let edited = "# mine\n2\ta\n9\tmine\n1\tlocalhost\n5\tb\n";
        let expected = "# mine\n9\tmine\n1\tlocalhost\n5\tb\n4\ta\n";
        assert_eq!(merged(edited, then, wanted), expected);
        assert_eq!(merged("", then, then), "");
    }

    #[test]
    fn a_hosts_file_is_whole_again_when_it_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hosts");
        let text = |path: &Path| std::fs::read_to_string(path).unwrap();
        write_hosts(&path, "1\ta\n").unwrap();
        std::fs::write(&path, "9\tmine\n").unwrap();
        write_hosts(&path, "2\ta\n").unwrap();
        assert_eq!(text(&path), "9\tmine\n2\ta\n");
        std::fs::write(&path, [0xff]).unwrap();
        write_hosts(&path, "3\ta\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), [0xff]);
        forget_hosts(&path).unwrap();
        forget_hosts(&path).unwrap();
        write_hosts(&path, "3\ta\n").unwrap();
        assert_eq!(text(&path), "3\ta\n");
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
        let huge = 1 << 40;
        for (name, write) in [
            ("resolv.conf", write_unless_edited as fn(&Path, &str) -> io::Result<()>),
            ("hosts", write_hosts),
        ] {
            let path = dir.path().join(name);
            write(&path, "one").unwrap();
            std::fs::File::options().write(true).open(&path).unwrap().set_len(huge).unwrap();
            write(&path, "two").unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().len(), huge, "{name}");
        }
    }
}
