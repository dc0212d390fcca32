//! hawserd and Debian's dockerd, each on a test host, and bare conmon and crun beside hawserd; a
//! second hawserd has a thousand networks.

use std::path::PathBuf;

use anyhow::{Context, Result};
use hawser_testkit::{EngineKind, Options, TestHost};

use crate::bare::Bare;
use crate::engine::Engine;
use crate::networks::{self, Member};
use crate::report::Report;
use crate::{Arguments, Subject, names, publishing, rounds};

/// What the report calls them.
pub const HAWSER: &str = "hawser";
/// See [`HAWSER`].
pub const DOCKER: &str = "docker";
/// See [`HAWSER`].
pub const CROWDED: &str = "hawser, crowded";

/// How many networks the crowded host has.
const CROWD: usize = 1000;
/// Room for a thousand networks, with any of the engines.
const FLAGS: [&str; 2] = ["--default-address-pool", "base=10.128.0.0/9,size=24"];

/// Brings both up, measures, takes both down.
///
/// # Errors
/// When one of them refuses a request.
pub fn measure(arguments: &Arguments) -> Result<Report> {
    let (image, rounds) = (&arguments.image, arguments.rounds);
    let hawser = host(EngineKind::Hawser);
    let docker = host(EngineKind::Docker);
    let engines = [engine(HAWSER, &hawser), engine(DOCKER, &docker)];
    let mut report = Report::default();
    for program in ["hawserd", "hawser"] {
        let path = match program {
            "hawserd" => EngineKind::Hawser.program(),
            _ => PathBuf::from(hawser_testkit::program(hawser_testkit::Cli::Hawser)),
        };
        let size = std::fs::metadata(&path).with_context(|| format!("read {}", path.display()))?;
        report.programs.push((program.to_owned(), size.len()));
    }
    if arguments.wants(Subject::Containers) {
        let mut bare = Bare::start(&hawser, &engines[0], image)?;
        rounds::measure(&engines, Some(&mut bare), image, rounds, &mut report)?;
    }
    if arguments.wants(Subject::Networks) {
        measure_networks(&engines, image, rounds, &mut report)?;
    }
    if arguments.wants(Subject::Publishing) {
        publishing::measure(&[(HAWSER, &hawser), (DOCKER, &docker)], image, rounds, &mut report)?;
    }
    if arguments.wants(Subject::Names) {
        report.names = names::measure([(HAWSER, &hawser), (DOCKER, &docker)], rounds)?;
    }
    Ok(report)
}

fn measure_networks(
    engines: &[Engine],
    image: &str,
    rounds: usize,
    report: &mut Report,
) -> Result<()> {
    let crowded = host(EngineKind::Hawser);
    let mut members = networks::start(engines, image)?;
    let mut member = Member::start(&engine(CROWDED, &crowded), image)?;
    member.fill(CROWD)?;
    members.push(member);
    networks::measure(&mut members, rounds, report)
}

fn host(engine: EngineKind) -> TestHost {
    let host = TestHost::with(Options { engine, ..Options::default() });
    host.start_daemon(&FLAGS);
    host.load_busybox();
    host
}

fn engine(name: &str, host: &TestHost) -> Engine {
    Engine { name: name.to_owned(), socket: host.path(host.engine().socket()) }
}
