//! One engine under measurement: its socket and the few requests that are timed.
//!
//! In: a name and a socket; out: durations. It talks HTTP itself, and runs the `docker` client where
//! a whole command is what a person waits for.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hawser_testkit::Http;
use serde_json::json;

/// An engine.
#[derive(Debug, Clone)]
pub struct Engine {
    /// What the report calls it.
    pub name: String,
    /// Its socket.
    pub socket: PathBuf,
}

impl Engine {
    /// Reads `NAME=SOCKET`.
    ///
    /// # Errors
    /// When there is no `=`.
    pub fn parse(text: &str) -> Result<Engine> {
        let (name, socket) = text.split_once('=').context("an engine is given as NAME=SOCKET")?;
        let socket = socket.strip_prefix("unix://").unwrap_or(socket);
        Ok(Engine { name: name.to_owned(), socket: socket.into() })
    }

    fn http(&self) -> Http {
        Http::new(&self.socket)
    }

    /// Makes a container on network mode `mode`, times its start, removes it.
    pub fn start(&self, image: &str, mode: &str) -> Result<Duration> {
        let body = json!({
            "Image": image,
            "Cmd": ["sleep", "1000"],
            "HostConfig": { "NetworkMode": mode },
        });
        let json = [("Content-Type", "application/json")];
        let body = body.to_string();
        let made = self.http().try_request("POST", "/containers/create", &json, body.as_bytes())?;
        ensure!(made.status == 201, "{}: create: {}", self.name, made.text());
        let id = made.json()["Id"].as_str().unwrap_or_default().to_owned();
        let begin = Instant::now();
        let started =
            self.http().try_request("POST", &format!("/containers/{id}/start"), &json, b"")?;
        let took = begin.elapsed();
        self.http().try_request("DELETE", &format!("/containers/{id}?force=1&v=1"), &[], b"")?;
        ensure!(started.status == 204, "{}: start: {}", self.name, started.text());
        Ok(took)
    }

    /// Times `docker run --rm IMAGE true`.
    pub fn run(&self, image: &str, mode: &str) -> Result<Duration> {
        let mut command = Command::new("docker");
        command.arg("--host").arg(format!("unix://{}", self.socket.display()));
        command.args(["run", "--rm", "--network", mode, image, "true"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let begin = Instant::now();
        let output = command.output().context("run the docker client")?;
        let took = begin.elapsed();
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: docker run: {said}", self.name);
        Ok(took)
    }

    /// Resident memory of the process that serves the socket, in bytes.
    pub fn resident(&self) -> Result<u64> {
        let stream = UnixStream::connect(&self.socket)
            .with_context(|| format!("connect {}", self.socket.display()))?;
        let peer = rustix::net::sockopt::socket_peercred(&stream)?;
        let path = format!("/proc/{}/status", peer.pid.as_raw_nonzero());
        let status = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        let kib = status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok()
        });
        Ok(kib.context("no VmRSS")? * 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::Engine;

    #[test]
    fn an_engine_has_a_name_and_a_socket() {
        let engine = Engine::parse("docker=unix:///run/docker.sock").unwrap();
        assert_eq!(
            (engine.name.as_str(), engine.socket.to_str()),
            ("docker", Some("/run/docker.sock"))
        );
        assert!(Engine::parse("/run/docker.sock").is_err());
    }
}
