//! `hawser volume rm`.

use clap::Args;

use crate::client::{Query, escape};
use crate::context::Context;
use crate::failure::{self, Outcome};
use crate::output;

/// Flags of `volume rm`.
#[derive(Args)]
pub struct RmArgs {
    /// A volume that is not there is no failure
    #[arg(short, long)]
    force: bool,
    /// The volumes
    #[arg(value_name = "VOLUME [VOLUME...]", required = true)]
    volumes: Vec<String>,
}

/// `hawser volume rm`.
pub async fn run(context: &Context, args: RmArgs) -> Outcome {
    let mut errors = Vec::new();
    for volume in &args.volumes {
        let path = format!("/volumes/{}", escape(volume.trim()));
        match context.client.delete(&path, &Query::new().flag("force", args.force)).await {
            Ok(_) => output::println(volume),
            Err(error) => errors.push(error.to_string()),
        }
    }
    failure::all(errors)
}
