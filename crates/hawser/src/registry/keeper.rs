//! Credential helpers: programs `docker-credential-<name>` that keep logins.
//!
//! In: a registry, a login. Out: what the helper says; its protocol is docker's (a verb as argument,
//! JSON on its standard streams).

use std::io::{self, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::Login;
use crate::failure::Failure;
use crate::output;

/// The name that stands for a token.
const TOKEN: &str = "<token>";

/// A program that keeps logins.
pub struct Keeper {
    program: String,
}

impl Keeper {
    /// The helper of that name; whether it is installed shows when it is used.
    pub fn new(name: &str) -> Self {
        Self { program: format!("docker-credential-{name}") }
    }

    /// The login at a registry, if there is one.
    pub fn get(&self, server: &str) -> Result<Option<Login>, Failure> {
        let answer = match self.ask("get", server) {
            Ok(answer) => answer,
            Err(Refusal::Absent) => {
                output::complain(&format!("WARNING: {} is not installed", self.program));
                return Ok(None);
            }
            Err(Refusal::Said(said)) if said.contains("credentials not found") => return Ok(None),
            Err(Refusal::Said(said)) => return Err(self.failed(&said)),
        };
        let value: Value =
            serde_json::from_str(&answer).map_err(|error| self.failed(&error.to_string()))?;
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let (username, secret) = (text("Username"), text("Secret"));
        Ok(Some(match username == TOKEN {
            true => Login { identity_token: secret, ..Login::default() },
            false => Login { username, password: secret, ..Login::default() },
        }))
    }

    /// Keeps a login.
    pub fn store(&self, server: &str, login: &Login) -> Result<(), Failure> {
        let value = json!({
            "ServerURL": server, "Username": login.username, "Secret": login.password,
        });
        self.done(self.ask("store", &value.to_string()))
    }

    /// Forgets a login.
    pub fn erase(&self, server: &str) -> Result<(), Failure> {
        self.done(self.ask("erase", server))
    }

    fn done(&self, answer: Result<String, Refusal>) -> Result<(), Failure> {
        match answer {
            Ok(_) => Ok(()),
            Err(Refusal::Absent) => Err(self.failed("it is not installed")),
            Err(Refusal::Said(said)) => Err(self.failed(&said)),
        }
    }

    fn failed(&self, why: &str) -> Failure {
        Failure::new(format!("the credential helper {} failed: {why}", self.program))
    }

    fn ask(&self, verb: &str, input: &str) -> Result<String, Refusal> {
        let mut command = Command::new(&self.program);
        command.arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            // A helper that does not listen will say why.
            let _ = pipe.write_all(input.as_bytes());
        }
        let output = child.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() {
            return Ok(text);
        }
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Refusal::Said(if text.is_empty() { complaint } else { text }))
    }
}

/// Why a helper gave nothing.
enum Refusal {
    Absent,
    Said(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Absent,
            _ => Self::Said(error.to_string()),
        }
    }
}
