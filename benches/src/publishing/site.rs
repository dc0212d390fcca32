//! A test host with an engine, seen from outside: containers with published ports, the rules and
//! the processes that there are.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hawser_testkit::TestHost;
use serde_json::{Value, json};

use crate::wire::Connection;

/// How long the kernel may take to delete a link.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host and a connection to its engine that stays open.
pub struct Site<'h> {
    /// What the report calls it.
    pub name: &'h str,
    /// The host.
    pub host: &'h TestHost,
    connection: Connection,
    image: &'h str,
}

impl<'h> Site<'h> {
    /// Connects to the engine of a host.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn open(name: &'h str, host: &'h TestHost, image: &'h str) -> Result<Site<'h>> {
        let connection = Connection::open(&host.path(host.engine().socket()))?;
        Ok(Site { name, host, connection, image })
    }

    /// Makes a container on a network, with ports published as in `HostConfig.PortBindings`.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn create(&mut self, network: &str, ports: &Value) -> Result<String> {
        // Docker publishes only what is exposed as well.
        let exposed = ports.as_object().into_iter().flat_map(|ports| ports.keys());
        let exposed: Value = exposed.map(|port| (port.clone(), json!({}))).collect();
        let body = json!({
            "Image": self.image,
            "Cmd": ["sleep", "100000"],
            "ExposedPorts": exposed,
            "HostConfig": { "NetworkMode": network, "PortBindings": ports },
        });
        let made = self.connection.expect(201, "POST", "/containers/create", Some(&body))?;
        Ok(made.body["Id"].as_str().context("no Id")?.to_owned())
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn start(&mut self, id: &str) -> Result<Duration> {
        self.post(204, &format!("/containers/{id}/start"), None)
    }

    /// Removes it while it runs.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn remove(&mut self, id: &str) -> Result<Duration> {
        let path = format!("/containers/{id}?force=1&v=1");
        Ok(self.connection.expect(204, "DELETE", &path, None)?.took)
    }

    /// Lists the containers that run.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn list(&mut self) -> Result<Duration> {
        Ok(self.connection.expect(200, "GET", "/containers/json", None)?.took)
    }

    /// Sends a request of another kind.
    ///
    /// # Errors
    /// When the answer has another status.
    pub fn post(&mut self, status: u16, path: &str, body: Option<&Value>) -> Result<Duration> {
        Ok(self.connection.expect(status, "POST", path, body)?.took)
    }

    /// Rules of nftables on the host, whoever's; `iptables` writes such, too.
    pub fn rules(&self) -> usize {
        let all = self.host.sh("nft -j list ruleset").ok().json();
        let objects = all["nftables"].as_array().map_or(&[][..], Vec::as_slice);
        objects.iter().filter(|object| object.get("rule").is_some()).count()
    }

    /// Links of the host.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn links(&self) -> Result<usize> {
        let all = std::fs::read_dir(self.host.path("/sys/class/net")).context("list the links")?;
        Ok(all.count())
    }

    /// Waits until there are so many links: one that is taken away is deleted behind the answer.
    ///
    /// # Errors
    /// When it takes too long.
    pub fn wait_for_links(&self, count: usize) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.links()? != count {
            ensure!(Instant::now() < deadline, "{} links, not {count}", self.links()?);
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Processes of the host.
    pub fn processes(&self) -> usize {
        let all = self.host.sh("ls /proc").ok().stdout;
        all.lines().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).count()
    }
}

/// `HostConfig.PortBindings` of a range of TCP ports, the same on both sides; `host` may be empty.
pub fn ports(host: &str, range: std::ops::Range<u16>) -> Value {
    let one = |port: u16| {
        (format!("{port}/tcp"), json!([{ "HostIp": host, "HostPort": port.to_string() }]))
    };
    Value::Object(range.map(one).collect())
}
