//! The verbs of networks: create, connect and disconnect of a container that runs, remove.
//!
//! In: engines. Out: the time of each request on a connection that stays open, in turns. The
//! requests follow one another at once: what an engine leaves to do behind its answer is on the
//! next one's time.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::report::Report;
use crate::wire::Connection;

/// What the report calls the verbs, in the order in which they are done.
pub const VERBS: [&str; 4] =
    ["network create", "network connect", "network disconnect", "network rm"];

/// An engine with a container that runs on its default bridge.
#[derive(Debug)]
pub struct Member {
    name: String,
    connection: Connection,
    container: String,
}

impl Member {
    /// Starts the container.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn start(engine: &Engine, image: &str) -> Result<Member> {
        let mut connection = Connection::open(&engine.socket)?;
        let body = json!({ "Image": image, "Cmd": ["sleep", "100000"] });
        let made = connection.expect(201, "POST", "/containers/create", Some(&body))?;
        let container = made.body["Id"].as_str().unwrap_or_default().to_owned();
        connection.expect(204, "POST", &format!("/containers/{container}/start"), None)?;
        Ok(Member { name: engine.name.clone(), connection, container })
    }

    /// Makes networks that stay.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn fill(&mut self, count: usize) -> Result<()> {
        for n in 0..count {
            self.create(&format!("filling{n}"))?;
        }
        Ok(())
    }

    /// Removes the container.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn end(mut self) -> Result<()> {
        let path = format!("/containers/{}?force=1&v=1", self.container);
        self.connection.expect(204, "DELETE", &path, None).map(drop)
    }

    fn create(&mut self, network: &str) -> Result<Duration> {
        self.time(201, "POST", "/networks/create", Some(&json!({ "Name": network })))
    }

    fn time(
        &mut self,
        status: u16,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Duration> {
        Ok(self.connection.expect(status, method, path, body)?.took)
    }

    /// Each verb once.
    fn round(&mut self) -> Result<[Duration; 4]> {
        let container = json!({ "Container": self.container });
        Ok([
            self.create("bench")?,
            self.time(200, "POST", "/networks/bench/connect", Some(&container))?,
            self.time(200, "POST", "/networks/bench/disconnect", Some(&container))?,
            self.time(204, "DELETE", "/networks/bench", None)?,
        ])
    }
}

/// Starts a container with each engine.
///
/// # Errors
/// When an engine refuses.
pub fn start(engines: &[Engine], image: &str) -> Result<Vec<Member>> {
    engines.iter().map(|engine| Member::start(engine, image)).collect()
}

/// Runs one round that does not count, then `rounds` that do.
///
/// # Errors
/// When an engine refuses a request.
pub fn measure(members: &mut [Member], rounds: usize, report: &mut Report) -> Result<()> {
    let count = members.len().max(1);
    for round in 0..=rounds {
        let mut times: Vec<Option<[Duration; 4]>> = vec![None; members.len()];
        for turn in 0..members.len() {
            let at = (turn + round) % count;
            times[at] = Some(members[at].round()?);
        }
        for (member, times) in members.iter().zip(times).filter(|_| round > 0) {
            for (verb, took) in VERBS.iter().zip(times.into_iter().flatten()) {
                report.add(verb, &member.name, took);
            }
        }
    }
    Ok(())
}
