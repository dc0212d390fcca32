//! `hawser network rm`.

use clap::Args;

use super::path;
use crate::client::Query;
use crate::context::Context;
use crate::failure::{self, Outcome};
use crate::output;

/// Flags of `network rm`.
#[derive(Args)]
pub struct RmArgs {
    /// A network that is not there is no failure
    #[arg(short, long)]
    force: bool,
    /// The networks
    #[arg(value_name = "NETWORK [NETWORK...]", required = true)]
    networks: Vec<String>,
}

/// `hawser network rm`.
pub async fn run(context: &Context, args: RmArgs) -> Outcome {
    let mut errors = Vec::new();
    for network in &args.networks {
        match context.client.delete(&path(network, ""), &Query::new()).await {
            Ok(_) => output::println(network),
            Err(error) if args.force && error.is_not_found() => {}
            Err(error) => errors.push(error.to_string()),
        }
    }
    failure::all(errors)
}
