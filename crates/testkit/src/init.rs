//! The process that holds a test host's namespaces: its process number one.
//!
//! In: a script that prepares the namespaces from inside; out: the pid to enter them by. The
//! process reads a pipe that the test holds, so it ends with the test whatever happens to that;
//! and as it is number one of a PID namespace, everything in the host ends with it.
//! `unshare` and `nsenter` (util-linux) do the calls, so that no `unsafe` is needed here.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// The holder of namespaces. Dropping it ends all processes in its PID namespace, if it has one.
#[derive(Debug)]
pub(crate) struct Init {
    unshare: Child,
    pid: u32,
}

impl Init {
    /// Starts `unshare <flags>` with `script`, which must run `exec cat` after printing `ready`.
    /// `before` is a shell command run outside the namespaces first, or empty.
    pub(crate) fn start(before: &str, flags: &[&str], script: &str) -> Result<Init> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{before} exec \"$@\"")).arg("sh").arg("unshare");
        command.args(flags).args(["sh", "-ec", script]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut unshare = command.spawn().context("start unshare (package util-linux)")?;
        let mut line = String::new();
        if let Some(stdout) = unshare.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if line.trim() != "ready" {
            let status = unshare.wait()?;
            bail!("the namespaces could not be prepared (root is needed): {status}; said {line:?}");
        }
        // With --fork, unshare's child is the process in the namespaces; without, it is itself.
        let pid = match children(unshare.id()).first() {
            Some(child) if flags.contains(&"--fork") => *child,
            _ => unshare.id(),
        };
        Ok(Init { unshare, pid })
    }

    /// The holder's process id on the machine.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Ends the holder and waits until it has ended.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.unshare.stdin = None;
        self.unshare.wait().context("wait for the holder of the namespaces")?;
        Ok(())
    }
}

impl Drop for Init {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// The child processes of a process.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// A word as a shell reads it back.
pub(crate) fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
