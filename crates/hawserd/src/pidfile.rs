//! The file that holds the daemon's process id, and keeps a second daemon from starting.
//!
//! In: a path. Out: a [`Pidfile`], locked as long as it lives, removed when it is dropped. The lock
//! counts, not the number: a file left over from a killed daemon is in nobody's way.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

/// How long a daemon may take to be gone that was killed just now: the kernel closes its files
/// one after another.
const LAST_BREATH: Duration = Duration::from_secs(1);

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
        let end = Instant::now() + LAST_BREATH;
        let mut file = open(path).map_err(fail)?;
        while !is_locked(&file, path).map_err(fail)? {
            if Instant::now() > end {
                let mut holder = String::new();
                // Whoever holds the lock may not have written yet: then the number is not shown.
                let _ = file.read_to_string(&mut holder);
                return Err(Error::Running(holder.trim().to_owned(), path.to_owned()));
            }
            thread::sleep(Duration::from_millis(10));
            file = open(path).map_err(fail)?;
        }
        file.set_len(0).map_err(fail)?;
        write!(file, "{}", std::process::id()).map_err(fail)?;
        Ok(Self { path: path.to_owned(), _file: file })
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Takes the lock. That of a file which its last owner has removed meanwhile keeps nobody away.
fn is_locked(file: &File, path: &Path) -> io::Result<bool> {
    if flock(file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(false);
    }
    let ours = file.metadata()?;
    let there = fs::metadata(path);
    Ok(there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())))
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
    fn one_that_ends_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hawserd.pid");
        let first = Pidfile::take(&path).unwrap();
        let second = thread::spawn({
            let path = path.clone();
            move || Pidfile::take(&path).is_ok()
        });
        thread::sleep(Duration::from_millis(50));
        drop(first);
        assert!(second.join().unwrap());
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
