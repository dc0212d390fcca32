//! One port against a thousand: start, listing, removal, processes and rules.
//!
//! In: hosts with an engine each. Out: figures, the engines taking turns. For Docker, whose start
//! with a thousand takes most of a minute and two thousand processes, a hundred are measured, once.

use std::time::Duration;

use anyhow::Result;
use hawser_testkit::{EngineKind, TestHost};

use super::site::{Site, ports};
use crate::report::{Report, Unit};

/// The first port.
const FIRST: u16 = 20000;
/// How many.
const COUNTS: [u16; 3] = [1, 100, 1000];
/// How many Docker gets at most.
const DOCKERS_LIMIT: u16 = 100;
/// Starts of Docker with more than one port.
const DOCKERS_ROUNDS: usize = 1;

/// What is measured of a container with many ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Many {
    /// `POST /containers/{id}/start`.
    Start,
    /// `GET /containers/json` while it runs.
    List,
    /// `DELETE /containers/{id}?force=1`.
    Remove,
    /// Processes that are there for it.
    Processes,
    /// Rules on the host, all of them.
    Rules,
}

/// What the report calls it.
pub fn many(what: Many, ports: u16) -> String {
    let what = match what {
        Many::Start => "start",
        Many::List => "list",
        Many::Remove => "rm --force",
        Many::Processes => "processes more",
        Many::Rules => "rules",
    };
    format!("{what}, {ports} published")
}

/// One container's figures.
struct Figures {
    times: [(Many, Duration); 3],
    counts: [(Many, usize); 2],
}

/// Runs one round that does not count, then `rounds` that do.
///
/// # Errors
/// When an engine refuses a request.
pub fn measure(
    hosts: &[(&str, &TestHost)],
    image: &str,
    rounds: usize,
    report: &mut Report,
) -> Result<()> {
    let sites = hosts.iter().map(|(name, host)| Site::open(name, host, image));
    let mut sites = sites.collect::<Result<Vec<_>>>()?;
    for round in 0..=rounds {
        for count in COUNTS {
            for site in &mut sites {
                let docker = site.host.engine() == EngineKind::Docker;
                let passed_over = count > DOCKERS_LIMIT || !(1..=DOCKERS_ROUNDS).contains(&round);
                if docker && count > 1 && passed_over {
                    continue;
                }
                let figures = one(site, count)?;
                if round > 0 {
                    figures.tell(site.name, count, report);
                }
            }
        }
    }
    Ok(())
}

fn one(site: &mut Site<'_>, count: u16) -> Result<Figures> {
    let before = site.processes();
    let id = site.create("bridge", &ports("", FIRST..FIRST + count))?;
    let start = site.start(&id)?;
    let counts =
        [(Many::Processes, site.processes().saturating_sub(before)), (Many::Rules, site.rules())];
    let list = site.list()?;
    let remove = site.remove(&id)?;
    Ok(Figures {
        times: [(Many::Start, start), (Many::List, list), (Many::Remove, remove)],
        counts,
    })
}

impl Figures {
    fn tell(self, engine: &str, ports: u16, report: &mut Report) {
        for (what, took) in self.times {
            report.add(&many(what, ports), engine, took);
        }
        for (what, count) in self.counts {
            report.add_figure(&many(what, ports), engine, Unit::Count, count as f64);
        }
    }
}
