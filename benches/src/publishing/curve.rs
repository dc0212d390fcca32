//! Whether what is done for the thousandth container costs what it did for the first, and for the
//! ten thousandth port.
//!
//! In: a test host of its own, which fills up. Out: the time of the same request at each step, under
//! the number of the container or port that it is for.

use std::time::Duration;

use anyhow::Result;
use hawser_testkit::{EngineKind, Options, TestHost};
use serde_json::{Value, json};

use super::site::{Site, ports};
use crate::report::Report;

/// What the report calls the connection of one more container that runs.
pub const ATTACH: &str = "connect, on one network";
/// The same with a container that starts.
pub const START: &str = "start, on one network";
/// The start of a container with one more published port.
pub const PUBLISH: &str = "start with 1 published";

/// The place of the container that is measured.
pub const STEPS_OF_CONTAINERS: [(usize, &str); 4] =
    [(1, "the 1st"), (10, "the 10th"), (100, "the 100th"), (1000, "the 1000th")];
/// The place of the port that is measured.
pub const STEPS_OF_PORTS: [(usize, &str); 4] =
    [(1, "the 1st"), (101, "the 101st"), (1001, "the 1001st"), (10001, "the 10001st")];

/// The first port of those that stay.
const FIRST: u16 = 20000;
/// The port that comes and goes.
const PROBE: u16 = 19999;
/// How many ports a container of those that stay has.
const EACH: u16 = 1000;
/// Containers that are started at each step: they stay.
const STARTS: usize = 5;

/// Fills the host, and measures at each step.
///
/// # Errors
/// When the engine refuses a request.
pub fn measure(image: &str, rounds: usize, report: &mut Report) -> Result<()> {
    let host = TestHost::with(Options { engine: EngineKind::Hawser, ..Options::default() });
    host.start_daemon(&[]);
    host.load_busybox();
    let mut site = Site::open("hawser", &host, image)?;
    of_ports(&mut site, rounds, report)?;
    of_containers(&mut site, rounds, report)
}

fn of_ports(site: &mut Site<'_>, rounds: usize, report: &mut Report) -> Result<()> {
    let (mut filling, mut published) = (Vec::new(), 0);
    for (place, step) in STEPS_OF_PORTS {
        while published < place as u16 - 1 {
            // Of one family: the limit of open files of a shell is soon reached.
            let until = (place as u16 - 1).min(published + EACH);
            let range = FIRST + published..FIRST + until;
            filling.push(site.create("bridge", &ports("0.0.0.0", range))?);
            site.start(&filling[filling.len() - 1])?;
            published = until;
        }
        for round in 0..=rounds {
            let id = site.create("bridge", &ports("", PROBE..PROBE + 1))?;
            let took = site.start(&id)?;
            site.remove(&id)?;
            if round > 0 {
                report.add(PUBLISH, step, took);
            }
        }
    }
    filling.iter().try_for_each(|id| site.remove(id).map(drop))
}

fn of_containers(site: &mut Site<'_>, rounds: usize, report: &mut Report) -> Result<()> {
    let config = json!({ "Config": [{ "Subnet": "10.99.0.0/16" }] });
    let network = json!({ "Name": "wide", "IPAM": config });
    site.post(201, "/networks/create", Some(&network))?;
    let probe = site.create("bridge", &json!({}))?;
    site.start(&probe)?;
    let (mut filled, mut asked) = (0, 0);
    for (place, step) in STEPS_OF_CONTAINERS {
        while filled < place - 1 {
            start(site)?;
            filled += 1;
        }
        for _ in 0..rounds.min(STARTS) {
            report.add(START, step, start(site)?);
            filled += 1;
        }
        for round in 0..=rounds {
            asked += 1;
            let links = site.links()?;
            let connected = site.post(200, "/networks/wide/connect", Some(&asks(&probe, asked)))?;
            let container = json!({ "Container": probe });
            site.post(200, "/networks/wide/disconnect", Some(&container))?;
            if round > 0 {
                report.add(ATTACH, step, connected);
            }
            site.wait_for_links(links)?;
        }
    }
    Ok(())
}

/// Starts a container that stays.
fn start(site: &mut Site<'_>) -> Result<Duration> {
    let id = site.create("wide", &json!({}))?;
    site.start(&id)
}

/// A connection with an address that nobody has had: it is the next container, not a successor, whom
/// all neighbours would be told of first.
fn asks(container: &str, number: usize) -> Value {
    let address = format!("10.99.{}.{}", 200 + number / 200, 1 + number % 200);
    let settings = json!({ "IPAMConfig": { "IPv4Address": address } });
    json!({ "Container": container, "EndpointConfig": settings })
}
