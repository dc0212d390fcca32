//! Commands on images: one file for each.

pub mod import;
pub mod load;
pub mod ls;
mod progress;
pub mod pull;
pub mod push;
pub mod rm;
pub mod screen;
pub mod tag;
mod upload;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;
use crate::system::inspect;

/// The commands of `hawser image`.
#[derive(Subcommand)]
pub enum Verb {
    /// List images
    #[command(visible_alias = "list")]
    Ls(ls::LsArgs),
    /// Load images from a tar archive or the standard input
    Load(load::LoadArgs),
    /// Make an image of the content of a tarball
    Import(import::ImportArgs),
    /// Get an image from a registry
    Pull(pull::PullArgs),
    /// Send an image to a registry
    Push(push::PushArgs),
    /// Show everything about images
    Inspect(inspect::ImageArgs),
    /// Remove images
    #[command(visible_alias = "remove")]
    Rm(rm::RmArgs),
    /// Give an image another name
    Tag(tag::TagArgs),
}

/// Runs a command.
pub async fn dispatch(context: &Context, verb: Verb) -> Outcome {
    match verb {
        Verb::Ls(args) => ls::run(context, args).await,
        Verb::Load(args) => load::run(context, args).await,
        Verb::Import(args) => import::run(context, args).await,
        Verb::Pull(args) => pull::run(context, args).await,
        Verb::Push(args) => push::run(context, args).await,
        Verb::Inspect(args) => inspect::images(context, args).await,
        Verb::Rm(args) => rm::run(context, args).await,
        Verb::Tag(args) => tag::run(context, args).await,
    }
}
