//! A terminal with a person before it: a command on a pseudo-terminal.
//!
//! In: key strokes, window sizes; out: what the screen shows, the exit code. It understands no
//! escape sequence.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::command::code;
use crate::wait::eventually_within;

/// A command that runs on a terminal. Dropping it hangs the terminal up and ends the command.
#[derive(Debug)]
pub struct Terminal {
    master: File,
    child: Child,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Starts `command`, which must make the terminal its controlling one (`setsid --ctty`).
    pub(crate) fn start(mut command: Command, rows: u16, columns: u16) -> Result<Terminal> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .context("open a pseudo-terminal")?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(name, flags, Mode::empty()).context("open its other end")?;
        tcsetwinsize(&master, size(rows, columns))?;
        let stdio = |fd: &OwnedFd| fd.try_clone().map(Stdio::from);
        command.stdin(stdio(&slave)?).stdout(stdio(&slave)?).stderr(stdio(&slave)?);
        let child = command.spawn().context("start a command on a terminal")?;
        let master = File::from(master);
        let screen = watch(master.try_clone()?);
        Ok(Terminal { master, child, screen })
    }

    /// What the screen has shown until now.
    pub fn screen(&self) -> String {
        let bytes = self.screen.lock().map(|bytes| bytes.clone()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Types `keys`.
    ///
    /// # Panics
    /// When the terminal has been hung up.
    #[track_caller]
    pub fn type_keys(&mut self, keys: &str) {
        if let Err(error) = self.master.write_all(keys.as_bytes()) {
            panic!("type {keys:?}: {error}; screen:\n{}", self.screen());
        }
    }

    /// Waits until `wanted` is on the screen.
    ///
    /// # Panics
    /// When that takes longer than ten seconds.
    #[track_caller]
    pub fn expect(&self, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.screen().contains(wanted) {
            assert!(
                Instant::now() < deadline,
                "waited in vain for {wanted:?}; screen:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Changes the window's size; the command's foreground process is told by a signal.
    ///
    /// # Panics
    /// When the terminal has been hung up.
    #[track_caller]
    pub fn resize(&self, rows: u16, columns: u16) {
        if let Err(error) = tcsetwinsize(&self.master, size(rows, columns)) {
            panic!("resize the terminal: {error}");
        }
    }

    /// Waits until the command ends and gives its exit code.
    ///
    /// # Panics
    /// When that takes longer than 20 seconds.
    #[track_caller]
    pub fn finish(&mut self) -> i32 {
        let what = format!("end of the command on the terminal; screen:\n{}", self.screen());
        let limit = Duration::from_secs(20);
        code(eventually_within(limit, &what, || self.child.try_wait().ok().flatten()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        for pid in crate::init::children(self.child.id()) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn watch(mut master: File) -> Arc<Mutex<Vec<u8>>> {
    let screen: Arc<Mutex<Vec<u8>>> = Arc::default();
    let shown = Arc::clone(&screen);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        // An error (EIO) is how a hung-up terminal ends.
        while let Ok(count @ 1..) = master.read(&mut buffer) {
            if let Ok(mut bytes) = shown.lock() {
                bytes.extend_from_slice(&buffer[..count]);
            }
        }
    });
    screen
}
