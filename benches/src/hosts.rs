//! hawserd and Debian's dockerd, each on a test host, and bare conmon and crun beside hawserd.

use std::path::PathBuf;

use anyhow::{Context, Result};
use hawser_testkit::{EngineKind, Options, TestHost};

use crate::bare::Bare;
use crate::engine::Engine;
use crate::report::Report;
use crate::rounds;

/// What the report calls them.
pub const HAWSER: &str = "hawser";
/// See [`HAWSER`].
pub const DOCKER: &str = "docker";

/// Brings both up, measures, takes both down.
///
/// # Errors
/// When one of them refuses a request.
pub fn measure(image: &str, rounds: usize) -> Result<Report> {
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
    let mut bare = Bare::start(&hawser, &engines[0], image)?;
    rounds::measure(&engines, Some(&mut bare), image, rounds, &mut report)?;
    Ok(report)
}

fn host(engine: EngineKind) -> TestHost {
    let host = TestHost::with(Options { engine, ..Options::default() });
    host.start_daemon(&[]);
    host.load_busybox();
    host
}

fn engine(name: &str, host: &TestHost) -> Engine {
    Engine { name: name.to_owned(), socket: host.path(host.engine().socket()) }
}
