//! `hawser pause` and `hawser unpause`.

use clap::Args;

use super::stop;
use crate::client::Query;
use crate::context::Context;
use crate::failure::Outcome;

/// Flags of `pause` and `unpause`.
#[derive(Args)]
pub struct PauseArgs {
    /// The containers
    #[arg(value_name = "CONTAINER [CONTAINER...]", required = true)]
    containers: Vec<String>,
}

/// `hawser pause`.
pub async fn pause(context: &Context, args: PauseArgs) -> Outcome {
    stop::on_all(context, &args.containers, "/pause", &Query::new()).await
}

/// `hawser unpause`.
pub async fn unpause(context: &Context, args: PauseArgs) -> Outcome {
    stop::on_all(context, &args.containers, "/unpause", &Query::new()).await
}
