//! `hawser-bench`: measures engines through their sockets, side by side in one run.
//!
//! In: engines (`--engine NAME=SOCKET`, repeatable) that have the image, or `--test-hosts`, which
//! brings up hawserd and Debian's dockerd, each in a test host of its own. Out: a table, or JSON:
//! medians of `POST /containers/{id}/start` and of `run --rm busybox true` for bridge, none and
//! host, and of the verbs of networks, the engines taking turns; with test hosts also bare
//! `conmon` + `crun` on the same bundle, a hawserd with a thousand networks, published ports by the
//! thousand and what goes through one, the name service under `dnsperf`, the daemons' memory and the
//! sizes of the programs. `--check` fails when hawser is not as quick and as small as it promises.

mod bare;
mod check;
mod engine;
mod hosts;
mod names;
mod networks;
mod publishing;
mod report;
mod rounds;
mod runner;
mod wire;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand, ValueEnum};

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
    /// Measure this part only.
    #[arg(long, value_enum, conflicts_with = "check")]
    only: Option<Subject>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Fail when the promises are not kept (needs `--test-hosts`).
    #[arg(long, requires = "test_hosts")]
    check: bool,
    #[command(subcommand)]
    command: Option<Part>,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// Starting and running containers.
    Containers,
    /// The verbs of networks.
    Networks,
    /// Published ports (with test hosts).
    Publishing,
    /// The name service (on test hosts alone).
    Names,
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
    /// Greets who connects to a port, and hangs up.
    #[command(hide = true)]
    Greet {
        /// The port.
        port: u16,
    },
    /// Connects to who greets, as often as each line of standard input says.
    #[command(hide = true)]
    Connect {
        /// Address and port.
        to: std::net::SocketAddr,
    },
    /// Sends datagrams back.
    #[command(hide = true)]
    Echo {
        /// The port on 127.0.0.1.
        port: u16,
    },
    /// Asks a name server, one question after the other.
    #[command(hide = true)]
    Ask {
        /// The name server.
        server: std::net::SocketAddr,
        /// The name, of one label.
        name: String,
    },
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(part) = &arguments.command {
        match part {
            Part::Bare { bundle } => bare::serve(bundle)?,
            Part::Greet { port } => publishing::load::greet(*port)?,
            Part::Connect { to } => publishing::load::connect(*to)?,
            Part::Echo { port } => names::echo(*port)?,
            Part::Ask { server, name } => names::ask(*server, name)?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let report = match arguments.test_hosts {
        true => hosts::measure(&arguments)?,
        false if arguments.engines.is_empty() => bail!("name an engine: --engine NAME=SOCKET"),
        false => measure(&arguments)?,
    };
    match arguments.json {
        true => println!("{:#}", report.json()),
        false => print!("{}", report.table()),
    }
    let mut broken = Vec::new();
    if arguments.check {
        broken.extend(check::broken(&report));
        broken.extend(report.names.broken());
    }
    for promise in &broken {
        eprintln!("not kept: {promise}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Arguments {
    /// Whether a part is to be measured.
    fn wants(&self, part: Subject) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

/// Measures the engines that were named.
fn measure(arguments: &Arguments) -> Result<Report> {
    let (engines, image, rounds) = (&arguments.engines, &arguments.image, arguments.rounds);
    let mut report = Report::default();
    if arguments.wants(Subject::Containers) {
        rounds::measure(engines, None, image, rounds, &mut report)?;
    }
    if arguments.wants(Subject::Networks) {
        let mut members = networks::start(engines, image)?;
        let measured = networks::measure(&mut members, rounds, &mut report);
        // These engines are somebody's: nothing of ours stays there.
        members.into_iter().try_for_each(networks::Member::end)?;
        measured?;
    }
    Ok(report)
}
