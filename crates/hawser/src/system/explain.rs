//! `hawser explain`: the commands that build by hand what the engine built.
//!
//! Docker has no such command; the route is hawserd's own.

use clap::Args;
use http::Method;

use crate::client::{Query, segment};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output;

/// Flags of `explain`.
#[derive(Args)]
pub struct ExplainArgs {
    /// A container or a network. To run the lines that are printed, stop the daemon first
    /// (containers run on): it keeps its firewall to itself
    #[arg(value_name = "CONTAINER|NETWORK")]
    name: String,
}

/// `hawser explain`.
pub async fn run(context: &Context, args: ExplainArgs) -> Outcome {
    let name = args.name.trim();
    if name.is_empty() {
        return Err(Failure::new("invalid container or network name or ID: value is empty"));
    }
    let path = format!("/explain/{}", segment(name));
    let answer = context.client.own(Method::GET, &path, &Query::new(), None).await?;
    output::commands(&answer);
    Ok(())
}
