//! Unix sockets: bound with mode 0660 from their first moment, for root and one group.
//!
//! In: a path and perhaps a group. Out: a listener. A socket that nobody answers on is left over
//! from a daemon that was killed, and is replaced.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::{Error, Listener};

/// The group that gets the socket if nothing else is said and it exists.
const GROUP: &str = "hawser";

pub fn bind(path: PathBuf, group: Option<&str>) -> Result<Listener, Error> {
    let fail = |error| Error::Bind(format!("unix://{}", path.display()), error);
    let owner = owner(&path, group)?;
    if UnixStream::connect(&path).is_ok() {
        return Err(Error::InUse(path));
    }
    remove_stale(&path).map_err(fail)?;
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(fail)?;
    }
    let listener = bind_private(&path).map_err(fail)?;
    chown(&path, None, Some(owner)).map_err(fail)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o660)).map_err(fail)?;
    Ok(Listener::Unix(listener, Some(path)))
}

/// Binds so that no one but root can connect before owner and mode are set.
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path);
    rustix::process::umask(before);
    listener
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The group id that the socket gets.
fn owner(path: &Path, group: Option<&str>) -> Result<u32, Error> {
    let text = fs::read_to_string("/etc/group").unwrap_or_default();
    match group {
        None => Ok(lookup(&text, GROUP).unwrap_or(0)),
        Some(name) => lookup(&text, name)
            .or_else(|| name.parse().ok())
            .ok_or_else(|| Error::NoGroup { path: path.to_owned(), group: name.to_owned() }),
    }
}

/// A group's number in the text of group(5).
fn lookup(text: &str, name: &str) -> Option<u32> {
    let mut lines = text.lines().map(|line| line.split(':'));
    let mut fields = lines.find(|fields| fields.clone().next() == Some(name))?;
    fields.nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found() {
        let text = "root:x:0:\nadm:x:4:syslog\n";
        assert_eq!(lookup(text, "adm"), Some(4));
        assert_eq!(lookup(text, "ad"), None);
        assert!(owner(Path::new("/s"), Some("no-such-group")).is_err());
        assert_eq!(owner(Path::new("/s"), Some("1234")).unwrap(), 1234);
    }

    #[test]
    fn sockets_are_private_and_stale_ones_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/x.sock");
        let own = rustix::process::getgid().as_raw().to_string();
        let first = bind(path.clone(), Some(&own)).ok().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert!(matches!(bind(path.clone(), Some(&own)), Err(Error::InUse(_))));
        drop(first);
        assert!(bind(path.clone(), Some(&own)).is_ok());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "precious").unwrap();
        assert!(matches!(bind(path.clone(), Some(&own)), Err(Error::Bind(..))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
}
