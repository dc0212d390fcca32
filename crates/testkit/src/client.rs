//! A client program in a test host, driven by lines as a person types them.
//!
//! In: which program (`docker` or `hawser`) and the words after its name, shell syntax included;
//! out: what it gave. The same walkthrough runs with either.

use std::path::Path;

use crate::command::{Output, Running};
use crate::engine::built;
use crate::terminal::Terminal;
use crate::testhost::TestHost;

/// A client program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cli {
    /// The real `docker`, the first on PATH.
    Docker,
    /// hawser's own.
    Hawser,
}

/// The client's program, as a word of shell.
///
/// # Panics
/// When it is not built.
pub fn program(cli: Cli) -> String {
    match cli {
        Cli::Docker => "docker".to_owned(),
        Cli::Hawser => built("hawser").display().to_string(),
    }
}

/// A client in a host.
#[derive(Debug, Clone)]
pub struct Client<'a> {
    host: &'a TestHost,
    program: String,
}

impl<'a> Client<'a> {
    pub(crate) fn new(host: &'a TestHost, cli: Cli) -> Client<'a> {
        Client { host, program: program(cli) }
    }

    /// A client of another socket than the engine's.
    pub(crate) fn at(host: &'a TestHost, cli: Cli, socket: &Path) -> Client<'a> {
        let program = format!("env DOCKER_HOST=unix://{} {}", socket.display(), program(cli));
        Client { host, program }
    }

    /// Runs a line: `ps -a`, `inspect c1 | grep Networks -A 17`.
    #[track_caller]
    pub fn run(&self, line: &str) -> Output {
        self.host.sh(&format!("{} {line}", self.program))
    }

    /// Runs a line that must succeed; gives its standard output, trimmed.
    #[track_caller]
    pub fn ok(&self, line: &str) -> String {
        self.run(line).ok().text()
    }

    /// Runs a line that must end with `status` and say `message`.
    #[track_caller]
    pub fn fails(&self, line: &str, status: i32, message: &str) -> Output {
        self.run(line).fails(status, message)
    }

    /// Starts a line beside the test.
    #[track_caller]
    pub fn spawn(&self, line: &str) -> Running {
        self.host.spawn(["sh", "-c", &format!("exec {} {line}", self.program)])
    }

    /// Starts a line on a terminal of 24 rows and 80 columns.
    #[track_caller]
    pub fn terminal(&self, line: &str) -> Terminal {
        self.host.terminal(["sh", "-c", &format!("exec {} {line}", self.program)])
    }

    /// A value of `inspect -f`.
    #[track_caller]
    pub fn inspect(&self, name: &str, template: &str) -> String {
        self.ok(&format!("inspect -f '{template}' {name}"))
    }

    /// The first address of a container.
    #[track_caller]
    pub fn address(&self, name: &str) -> String {
        self.inspect(name, "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}")
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned()
    }
}
