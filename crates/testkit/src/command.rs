//! What a command gave, and commands that still run.
//!
//! In: a prepared [`Command`]; out: [`Output`] (exit code, text) or [`Running`]. Knows nothing of
//! namespaces: [`crate::TestHost`] prepares the commands.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::wait::eventually_within;

/// What a finished command gave.
#[derive(Debug, Clone)]
pub struct Output {
    /// The command, as a person would type it.
    pub command: String,
    /// Exit code; 128 + signal for a process that a signal ended, as a shell says it.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// The same, when the command succeeded.
    ///
    /// # Panics
    /// When it did not: with all it said.
    #[track_caller]
    pub fn ok(self) -> Output {
        assert!(self.status == 0, "expected success: {self}");
        self
    }

    /// The same, when the command ended with `status` and `message` is in its standard error.
    ///
    /// # Panics
    /// When it did not: with all it said.
    #[track_caller]
    pub fn fails(self, status: i32, message: &str) -> Output {
        assert!(self.status == status, "expected exit code {status}: {self}");
        assert!(self.stderr.contains(message), "expected {message:?}: {self}");
        self
    }

    /// The same, when the command ended with `status` and `message` is in its output: a runtime's
    /// complaint about an `exec` comes on whichever stream the client was attached to.
    ///
    /// # Panics
    /// When it did not: with all it said.
    #[track_caller]
    pub fn stdout_or_stderr(self, message: &str, status: i32) -> Output {
        assert!(self.status == status, "expected exit code {status}: {self}");
        let said = self.stdout.contains(message) || self.stderr.contains(message);
        assert!(said, "expected {message:?}: {self}");
        self
    }

    /// Standard output without the white space around it.
    pub fn text(&self) -> String {
        self.stdout.trim().to_owned()
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}): {self}"),
        }
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "`{}` ended with {}", self.command, self.status)?;
        write!(f, "--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// Runs `command` to its end, with `input` on its standard input.
pub(crate) fn finish(shown: &str, mut command: Command, input: Option<&[u8]>) -> Result<Output> {
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("start `{shown}`"))?;
    let writer = child.stdin.take().zip(input.map(<[u8]>::to_vec)).map(|(mut pipe, bytes)| {
        // Whoever reads no input (a client that was refused) is not our concern here.
        std::thread::spawn(move || drop(pipe.write_all(&bytes)))
    });
    let output = child.wait_with_output().with_context(|| format!("run `{shown}`"))?;
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    Ok(Output {
        command: shown.to_owned(),
        status: code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The exit code as a shell tells it.
pub(crate) fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// A command that runs beside the test. Dropping it ends it.
#[derive(Debug)]
pub struct Running {
    shown: String,
    child: Child,
    /// In memory and not pipes: what it has written can be read at that instant.
    stdout: File,
    stderr: File,
}

impl Running {
    pub(crate) fn start(shown: &str, mut command: Command) -> Result<Running> {
        let (stdout, stderr) = (memory("stdout")?, memory("stderr")?);
        command.stdin(Stdio::piped()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
        let child = command.spawn().with_context(|| format!("start `{shown}`"))?;
        Ok(Running { shown: shown.to_owned(), child, stdout, stderr })
    }

    /// Writes to its standard input.
    ///
    /// # Panics
    /// When the pipe is closed.
    #[track_caller]
    pub fn write(&mut self, text: &str) {
        let Some(pipe) = self.child.stdin.as_mut() else { panic!("input is closed: {self:?}") };
        if let Err(error) = pipe.write_all(text.as_bytes()).and_then(|()| pipe.flush()) {
            panic!("write to `{}`: {error}", self.shown);
        }
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.child.stdin = None;
    }

    /// What it has written to standard output until now.
    pub fn stdout(&self) -> String {
        text(&self.stdout)
    }

    /// What it has written to standard error until now.
    pub fn stderr(&self) -> String {
        text(&self.stderr)
    }

    /// Waits until `wanted` is in its standard output.
    ///
    /// # Panics
    /// When that takes longer than ten seconds.
    #[track_caller]
    pub fn expect(&self, wanted: &str) {
        let what =
            || format!("{wanted:?} from `{}`: {}{}", self.shown, self.stdout(), self.stderr());
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while !self.stdout().contains(wanted) {
            assert!(std::time::Instant::now() < deadline, "waited in vain for {}", what());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Process id on the machine of the process that launched the command; a signal to it is not
    /// one to the command (see [`Running::signal`]).
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has it ended?
    pub fn is_finished(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Sends a signal (`TERM`, `WINCH`, …) to the command itself.
    pub fn signal(&self, name: &str) {
        for pid in crate::init::children(self.child.id()) {
            let _ = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When that takes longer than 30 seconds.
    #[track_caller]
    pub fn finish(mut self) -> Output {
        self.child.stdin = None;
        let what = format!("end of `{}`", self.shown);
        let status = eventually_within(Duration::from_secs(30), &what, || {
            self.child.try_wait().ok().flatten()
        });
        Output {
            command: self.shown.clone(),
            status: code(status),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for pid in crate::init::children(self.child.id()) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file that is nowhere but in memory.
fn memory(name: &str) -> Result<File> {
    let file = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC);
    Ok(File::from(file.with_context(|| format!("make memory for {name}"))?))
}

/// All that is in it; whoever writes goes on where it was.
fn text(file: &File) -> String {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let read = file.read_exact_at(&mut bytes, 0).map(|()| bytes);
    String::from_utf8_lossy(&read.unwrap_or_default()).into_owned()
}
