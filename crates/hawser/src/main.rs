//! `hawser`, the command line of the hawser engine.
//!
//! In: a command in docker's grammar. Out: what docker's client prints and the code it exits
//! with. Everything goes over the Docker Engine API; nothing of the engine is linked here, so
//! the same program drives any engine that serves that API.

mod cli;
mod client;
mod complaint;
mod completion;
mod container;
mod context;
mod failure;
mod help;
mod image;
mod network;
mod output;
mod parse;
mod registry;
mod system;
mod template;
mod terminal;
mod volume;

use std::process::exit;

use clap::FromArgMatches;

use cli::Cli;
use context::Context;
use failure::{Failure, Outcome};

fn main() {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let code = match parse(&arguments).and_then(|cli| run(cli, &arguments)) {
        Ok(()) => 0,
        Err(failure) => {
            if !failure.message.is_empty() {
                output::complain(&failure.message);
            }
            failure.code
        }
    };
    terminal::restore();
    // Not a return: a thread may still sit in a read of the terminal.
    exit(code);
}

fn parse(arguments: &[std::ffi::OsString]) -> Result<Cli, Failure> {
    let command = cli::command();
    let matches = command
        .clone()
        .try_get_matches_from(arguments)
        .map_err(|error| complaint::failure(&error, &command, arguments))?;
    Cli::from_arg_matches(&matches).map_err(|error| complaint::failure(&error, &command, arguments))
}

fn run(cli: Cli, arguments: &[std::ffi::OsString]) -> Outcome {
    let path = complaint::command_path(&cli::command(), arguments);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let context = Context::new(&cli.global, path)?;
    let outcome = runtime.block_on(cli::dispatch(&context, cli.command));
    // Reads of the terminal and pending writes are left to `exit`.
    runtime.shutdown_background();
    outcome
}
