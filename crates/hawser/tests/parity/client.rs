//! Runs a client, docker's or ours, against a [`Recorder`].
//!
//! In: a command line without the client's name. Out: everything that can be seen of it, as text.
//!
//! Not compared, because ours does otherwise on purpose: docker's `network rm` asks for a network
//! before it removes it (to warn of swarm's ingress), ends with `exit status 1` after its errors,
//! and leaves its `[OPTIONS]` out of the usage; docker's `run -d` waits for the end of the
//! container and forgets about it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::meaning::meaning;
use crate::recorder::{Recorder, Request};

/// A client with an engine of its own.
pub struct Client {
    program: PathBuf,
    home: tempfile::TempDir,
    recorder: Recorder,
}

impl Client {
    /// The client that is `program`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let recorder = Recorder::new(&home.path().join("socket"));
        Self { program: program.into(), home, recorder }
    }

    /// Such as `Docker version 28.2.2`.
    pub fn version(&self) -> String {
        let output = self.output("--version");
        let text = String::from_utf8(output.stdout).unwrap();
        text.split(',').next().unwrap().to_owned()
    }

    /// Runs `line`, whose words may be in single quotes. What follows ` <<< ` is its input.
    pub fn run(&self, line: &str) -> String {
        let output = self.output(line);
        let mut seen = format!("exit {}\n", output.status.code().unwrap());
        for request in self.recorder.take().iter().filter(|request| is_compared(request, line)) {
            let body = meaning(&request.body);
            let body = if body.is_null() { String::new() } else { format!(" {body}") };
            writeln!(seen, "> {}{body}", request.line).unwrap();
        }
        let mut stderr = String::from_utf8(output.stderr).unwrap().replace("docker", "hawser");
        if removes(line) {
            stderr = stderr.replace("[OPTIONS] ", "").replace("\nexit status 1\n", "\n");
        }
        for (mark, text) in [('|', String::from_utf8(output.stdout).unwrap()), ('!', stderr)] {
            for line in text.lines() {
                writeln!(seen, "{mark}{line}").unwrap();
            }
        }
        seen.trim_end_matches('\n').to_owned()
    }

    fn output(&self, line: &str) -> Output {
        let (line, input) = line.split_once(" <<< ").unwrap_or((line, ""));
        let mut child = Command::new(&self.program)
            .args(words(line))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home.path())
            .env("DOCKER_HOST", format!("unix://{}", self.home.path().join("socket").display()))
            .current_dir(self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        // It may end without having read.
        let _ = writeln!(child.stdin.take().unwrap(), "{input}");
        child.wait_with_output().unwrap()
    }
}

fn removes(line: &str) -> bool {
    line.starts_with("network rm") || line.starts_with("network remove")
}

fn is_compared(request: &Request, line: &str) -> bool {
    let asks_before = removes(line) && request.line.starts_with("GET");
    let waits = request.line.contains("/wait?");
    !asks_before && !waits
}

fn words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            word.get_or_insert_default().push_str(part);
            continue;
        }
        for (at, piece) in part.split(' ').enumerate() {
            if at > 0 {
                words.extend(word.take());
            }
            if !piece.is_empty() {
                word.get_or_insert_default().push_str(piece);
            }
        }
    }
    words.extend(word);
    words
}
