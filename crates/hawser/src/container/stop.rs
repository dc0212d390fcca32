//! `hawser stop`, and the way that `restart` shares: all containers at once.

use clap::Args;
use futures_util::future::join_all;

use super::path;
use crate::client::Query;
use crate::context::Context;
use crate::failure::{self, Outcome};
use crate::output;
use crate::parse::flags;

/// Flags of `stop`.
#[derive(Args)]
pub struct StopArgs {
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

/// `hawser stop`.
pub async fn run(context: &Context, args: StopArgs) -> Outcome {
    on_all(context, &args.containers, "/stop", &query(args.signal, args.timeout)).await
}

/// The query of a stop or restart.
pub fn query(signal: Option<String>, timeout: Option<i64>) -> Query {
    Query::new().maybe("signal", signal).maybe("t", timeout.map(|seconds| seconds.to_string()))
}

/// Sends a request to all the containers at once, so that one that takes its time does not
/// keep the others; prints the names of those it succeeded for, in the order given.
pub async fn on_all(
    context: &Context,
    containers: &[String],
    verb: &str,
    query: &Query,
) -> Outcome {
    let requests = containers.iter().map(|container| async move {
        context.client.post(&path(container, verb), query, None).await
    });
    let mut errors = Vec::new();
    for (container, answer) in containers.iter().zip(join_all(requests).await) {
        match answer {
            Ok(_) => output::println(container),
            Err(error) => errors.push(error.to_string()),
        }
    }
    failure::all(errors)
}
