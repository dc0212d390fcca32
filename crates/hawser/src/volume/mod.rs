//! Commands on volumes: one file for each.

pub mod create;
pub mod ls;
pub mod prune;
pub mod rm;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;
use crate::system::inspect;

/// The commands of `hawser volume`.
#[derive(Subcommand)]
pub enum Verb {
    /// Create a volume
    Create(create::CreateArgs),
    /// Show everything about volumes
    Inspect(inspect::VolumeArgs),
    /// List volumes
    #[command(visible_alias = "list")]
    Ls(ls::LsArgs),
    /// Remove volumes that no container uses
    Prune(prune::PruneArgs),
    /// Remove volumes
    #[command(visible_alias = "remove")]
    Rm(rm::RmArgs),
}

/// Runs a command.
pub async fn dispatch(context: &Context, verb: Verb) -> Outcome {
    match verb {
        Verb::Create(args) => create::run(context, args).await,
        Verb::Inspect(args) => inspect::volumes(context, args).await,
        Verb::Ls(args) => ls::run(context, args).await,
        Verb::Prune(args) => prune::run(context, args).await,
        Verb::Rm(args) => rm::run(context, args).await,
    }
}
