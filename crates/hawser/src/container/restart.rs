//! `hawser restart`.

use clap::Args;

use super::stop;
use crate::context::Context;
use crate::failure::Outcome;
use crate::parse::flags;

/// Flags of `restart`.
#[derive(Args)]
pub struct RestartArgs {
    /// Signal to send
    #[arg(short, long)]
    signal: Option<String>,
    /// Seconds to wait before killing the container; -1 for ever
    #[arg(short, long, visible_alias = "time", value_parser = flags::integer)]
    timeout: Option<i64>,
    /// The containers
    #[arg(value_name = "CONTAINER [CONTAINER...]", required = true)]
    containers: Vec<String>,
}

/// `hawser restart`.
pub async fn run(context: &Context, args: RestartArgs) -> Outcome {
    // One after the other: containers that share a namespace come back in the order given.
    let query = stop::query(args.signal, args.timeout);
    let mut errors = Vec::new();
    for container in args.containers.chunks(1) {
        if let Err(failure) = stop::on_all(context, container, "/restart", &query).await {
            errors.push(failure.message);
        }
    }
    crate::failure::all(errors)
}
