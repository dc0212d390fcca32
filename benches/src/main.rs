//! `hawser-bench`: measures engines through their sockets, side by side in one run.
//!
//! In: engines (`--engine NAME=SOCKET`, repeatable) that have the image, or `--test-hosts`, which
//! brings up hawserd and Debian's dockerd, each in a test host of its own. Out: a table, or JSON:
//! medians of `POST /containers/{id}/start` and of `run --rm busybox true` for bridge, none and
//! host, the engines taking turns; with test hosts also bare `conmon` + `crun` on the same bundle,
//! the daemons' memory and the sizes of the programs. `--check` fails when hawser is not as quick
//! and as small as it promises. It measures no throughput.

mod bare;
mod check;
mod engine;
mod hosts;
mod report;
mod rounds;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

use crate::engine::Engine;
use crate::report::Report;

/// Measures container engines through their Docker API sockets, side by side.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// An engine to measure (repeatable); it must have the image.
    #[arg(long = "engine", value_name = "NAME=SOCKET", value_parser = Engine::parse)]
    engines: Vec<Engine>,
    /// Bring up hawserd and Debian's dockerd in test hosts (root), and measure those.
    #[arg(long, conflicts_with = "engines")]
    test_hosts: bool,
    /// Rounds; each measures everything once with each engine.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// The image to run.
    #[arg(long, default_value = "busybox")]
    image: String,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Fail when the promises are not kept (needs `--test-hosts`).
    #[arg(long, requires = "test_hosts")]
    check: bool,
    #[command(subcommand)]
    command: Option<Part>,
}

/// What the program starts itself for.
#[derive(Debug, Subcommand)]
enum Part {
    /// Runs bare conmon and crun on a bundle, once for each line of standard input.
    #[command(hide = true)]
    Bare {
        /// The bundle's folder.
        bundle: std::path::PathBuf,
    },
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(Part::Bare { bundle }) = &arguments.command {
        bare::serve(bundle)?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = match arguments.test_hosts {
        true => hosts::measure(&arguments.image, arguments.rounds)?,
        false if arguments.engines.is_empty() => bail!("name an engine: --engine NAME=SOCKET"),
        false => {
            let mut report = Report::default();
            rounds::measure(
                &arguments.engines,
                None,
                &arguments.image,
                arguments.rounds,
                &mut report,
            )?;
            report
        }
    };
    match arguments.json {
        true => println!("{:#}", report.json()),
        false => print!("{}", report.table()),
    }
    let broken = if arguments.check { check::broken(&report) } else { Vec::new() };
    for promise in &broken {
        eprintln!("not kept: {promise}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
