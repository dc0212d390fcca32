//! The file that holds the daemon's process id, and keeps a second daemon from starting.
//!
//! In: a path. Out: a [`Pidfile`], locked as long as it lives, removed when it is dropped. The lock
//! counts, not the number: a file left over from a killed daemon is in nobody's way.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Why there is no pidfile.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another daemon has it.
    #[error("process with PID {} is still running: another daemon holds {}", .0, .1.display())]
    Running(String, PathBuf),
    /// The file cannot be written.
    #[error("cannot write pidfile {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
}

/// A pidfile that is ours.
#[derive(Debug)]
pub struct Pidfile {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl Pidfile {
    /// Takes the file.
    pub fn take(path: &Path) -> Result<Self, Error> {
        let fail = |error| Error::Write(path.to_owned(), error);
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(fail)?;
        }
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(path).map_err(fail)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut holder = String::new();
            // Whoever holds the lock may not have written yet: then the number is just not shown.
            let _ = file.read_to_string(&mut holder);
            return Err(Error::Running(holder.trim().to_owned(), path.to_owned()));
        }
        file.set_len(0).map_err(fail)?;
        write!(file, "{}", std::process::id()).map_err(fail)?;
        Ok(Self { path: path.to_owned(), _file: file })
    }
}

impl Drop for Pidfile {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_daemon_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/hawserd.pid");
        let first = Pidfile::take(&path).unwrap();
        let own = std::process::id().to_string();
        assert_eq!(fs::read_to_string(&path).unwrap(), own);
        let error = Pidfile::take(&path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("process with PID {own} is still running")), "{error}");
        drop(first);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_file_is_in_nobodys_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hawserd.pid");
        fs::write(&path, "4194304000").unwrap();
        let _held = Pidfile::take(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), std::process::id().to_string());
    }
}
