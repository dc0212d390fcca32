//! One run of an engine's daemon in a test host.
//!
//! In: a prepared command; out: a running daemon that answers `/_ping`, its pid, its log. Ends it
//! politely or not. Containers are no concern of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::http::Http;
use crate::init::children;
use crate::wait::eventually_within;

#[derive(Debug)]
pub(crate) struct Daemon {
    launcher: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts the daemon and waits until it answers on `http`; its log is appended to `log`.
    pub(crate) fn start(mut command: Command, http: &Http, log: &Path) -> Result<Daemon> {
        let file = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let launcher = command.spawn().context("start the daemon")?;
        let mut daemon = Daemon { launcher, log: log.to_owned() };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !http.try_request("GET", "/_ping", &[], b"").is_ok_and(|r| r.status == 200) {
            if let Some(status) = daemon.launcher.try_wait()? {
                bail!("the daemon ended with {status}:\n{}", daemon.log_text());
            }
            if Instant::now() > deadline {
                bail!("the daemon does not answer:\n{}", daemon.log_text());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(daemon)
    }

    /// Process id on the machine, if it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        children(self.launcher.id()).first().copied()
    }

    /// Sends `signal` and waits until the daemon has ended.
    pub(crate) fn end(&mut self, signal: &str) {
        if let Some(pid) = self.pid() {
            let _ = Command::new("kill").args(["-s", signal, &pid.to_string()]).status();
        }
        let what = format!("end of the daemon after {signal}:\n{}", self.log_text());
        eventually_within(Duration::from_secs(20), &what, || {
            self.launcher.try_wait().ok().flatten()
        });
    }

    /// All it has written.
    pub(crate) fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        for pid in children(self.launcher.id()) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        let _ = self.launcher.wait();
    }
}
