//! `hawser kill`.

use clap::Args;

use super::stop;
use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;

/// Flags of `kill`.
#[derive(Args)]
pub struct KillArgs {
    /// Signal to send
    #[arg(short, long)]
    signal: Option<String>,
    /// The containers
    #[arg(value_name = "CONTAINER [CONTAINER...]", required = true)]
    containers: Vec<String>,
}

/// `hawser kill`.
pub async fn run(context: &Context, args: KillArgs) -> Outcome {
    let query = Query::new().maybe("signal", args.signal);
    stop::on_all(context, &args.containers, "/kill", &query).await
}
