//! `hawser network disconnect`.

use clap::Args;
use serde_json::json;

use super::path;
use crate::client::Query;
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Flags of `network disconnect`.
#[derive(Args)]
pub struct DisconnectArgs {
    /// Disconnect even if the container is not there any more
    #[arg(short, long)]
    force: bool,
    /// The network
    #[arg(value_name = "NETWORK")]
    network: String,
    /// The container
    #[arg(value_name = "CONTAINER")]
    container: String,
}

/// `hawser network disconnect`.
pub async fn run(context: &Context, args: DisconnectArgs) -> Outcome {
    let container = args.container.trim();
    if container.is_empty() {
        return Err(Failure::new("invalid container name or ID: value is empty"));
    }
    let body = json!({"Container": container, "Force": args.force});
    context.client.post(&path(&args.network, "/disconnect"), &Query::new(), Some(&body)).await?;
    Ok(())
}
